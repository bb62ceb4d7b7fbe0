//! The facts about one image that an audit needs, measured in one reading of its file.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use mammoscope_domain::image::grey_range::{GreyRange, depth_of};
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::subject::view::{Projection, Side, View};
use mammoscope_imaging::anatomy::{PectoralFinding, chest_wall_side, find_breast, find_pectoral};
use mammoscope_imaging::background::Background;
use mammoscope_imaging::breast_mask::breast_mask;
use mammoscope_imaging::decode::{ImageError, ImageFacts, decode, read_file};
use mammoscope_imaging::intensity_sd::intensity_sd_within;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_imaging::raster::Raster;

/// The pectoral muscle of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pectoral {
    /// Replaced by one grey.
    Filled,
    /// Visible as it was acquired.
    Muscle,
    /// Not shown, as in CC views.
    None,
    /// Not recognised with certainty, or an image that cannot be read.
    Uncertain,
}

impl Pectoral {
    /// The state's word in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Muscle => "muscle",
            Self::None => "none",
            Self::Uncertain => "uncertain",
        }
    }
}

/// The first half of a SHA-256: enough to tell the files of a country apart.
pub(super) type ShortHash = [u8; 16];

/// The facts about a readable image, about 1.2 kB.
#[derive(Clone, Debug)]
pub(super) struct ImageMeasures {
    /// Hash of the file's bytes.
    pub(super) bytes: ShortHash,
    /// Hash of size and grey levels, whatever the file format.
    pub(super) pixels: ShortHash,
    pub(super) facts: ImageFacts,
    /// The largest sample as stored.
    pub(super) largest: u16,
    pub(super) signature: Option<PictureSignature>,
    pub(super) doubts: Vec<ImageDoubt>,
    /// The following are `None` if no breast is found.
    pub(super) background: Option<Background>,
    pub(super) chest_wall: Option<Side>,
    pub(super) pectoral: Pectoral,
    /// Standard deviation of the grey levels in the breast: the one-feature baseline.
    pub(super) grey_deviation: Option<f64>,
}

impl ImageMeasures {
    /// Reads and measures an image. Samples above the white of `range` are scaled by their own depth, so that doubts about
    /// the range prevent no other finding.
    pub(super) fn of(path: &Path, view: Option<View>, range: GreyRange) -> Result<Self, ImageError> {
        let content = read_file(path)?;
        let bytes = short(&Sha256::digest(&content));
        let image = decode(content)?;
        let (facts, largest) = (image.facts, image.largest());
        let range = match range.white_for(largest) {
            Ok(_) => range,
            Err(_) => GreyRange::of_bits(depth_of(largest)),
        };
        let doubts = image.doubts();
        let levels = image.into_levels(range)?.raster.grey_if_colourless();
        let pixels = short_of_hexadecimal(&pixel_sha256(&levels));
        let signature = PictureSignature::of(&levels);
        let measures = Self {
            bytes,
            pixels,
            facts,
            largest,
            signature,
            doubts,
            background: None,
            chest_wall: None,
            pectoral: if view.map(View::projection) == Some(Projection::Cc) {
                Pectoral::None
            } else {
                Pectoral::Uncertain
            },
            grey_deviation: None,
        };
        let unusual = [ImageDoubt::OneLevel, ImageDoubt::Inverted, ImageDoubt::NoBreast];
        if measures.doubts.iter().any(|doubt| unusual.contains(doubt)) {
            return Ok(measures);
        }
        // As training measures it; the other measures tolerate letters and film.
        let grey_deviation = breast_mask(&levels).and_then(|breast| intensity_sd_within(&levels, &breast));
        let measures = Self { grey_deviation, ..measures };
        Ok(match find_breast(&levels) {
            Some(breast) => measures.with_breast(&levels, &breast, view),
            None => measures,
        })
    }

    fn with_breast(self, levels: &Raster<u8>, breast: &Mask, view: Option<View>) -> Self {
        let chest_wall = chest_wall_side(breast);
        let pectoral = match view.filter(|view| view.projection() == Projection::Mlo) {
            Some(view) => match find_pectoral(levels, breast, chest_wall.unwrap_or(view.side())) {
                PectoralFinding::Filled(_) => Pectoral::Filled,
                PectoralFinding::Muscle { .. } => Pectoral::Muscle,
                PectoralFinding::Uncertain { .. } => Pectoral::Uncertain,
                PectoralFinding::None => Pectoral::None,
            },
            None => self.pectoral,
        };
        Self { background: Background::of(levels, breast), chest_wall, pectoral, ..self }
    }
}

fn short(hash: &[u8]) -> ShortHash {
    hash[..16].try_into().expect("SHA-256 has 32 bytes")
}

fn short_of_hexadecimal(text: &str) -> ShortHash {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal digits"))
}
