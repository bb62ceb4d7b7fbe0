//! The examination of a DICOM file: everything that decides over it, and its pixels.

use std::fmt;
use std::str::FromStr;

use mammoscope_domain::subject::view::{Projection, Side};

use crate::file::data_set::DataSet;
use crate::file::structure::StructureFault;
use crate::file::tag;
use crate::file::transfer_syntax::TransferSyntax;
use crate::file::{DicomFile, FileFault};
use crate::grey::choice::{GreyChoiceError, GreyOffer, GreyRequest, GreyTransform};
use crate::grey::modality::Modality;
use crate::grey::rendering::{Padding, Rendering};
use crate::header::finding::{Finding, GreyFault};
use crate::header::identity::Identity;
use crate::header::image_kind::{KindFault, kind_faults};
use crate::header::pixel_layout::{LayoutFault, PixelLayout};
use crate::header::view_and_side::{Mirroring, Stated, ViewFault, mirroring, projection, side};
use crate::stored_pixels::{PixelFault, StoredPixels};

/// A reason why a file is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    File(#[from] FileFault),
    #[error(transparent)]
    Structure(#[from] StructureFault),
    #[error(transparent)]
    Kind(#[from] KindFault),
    #[error(transparent)]
    Layout(#[from] LayoutFault),
    #[error("the modality transformation cannot be used: {0}")]
    Modality(GreyFault),
    #[error(transparent)]
    Pixels(#[from] PixelFault),
    #[error(transparent)]
    View(#[from] ViewFault),
    #[error("laterality: the tag says {tag}, the pixels say {pixels}")]
    SideContradiction { tag: char, pixels: char },
    #[error("laterality: the file states none, and the pixels do not show it")]
    NoSide,
    #[error(transparent)]
    GreyChoice(#[from] GreyChoiceError),
}

/// A kind of refusal that a user can override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    NotMammography,
    ForProcessing,
    Tomosynthesis,
    View,
    Laterality,
    All,
}

/// A word that names no kind of refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not one of all, not-mammography, for-processing, tomosynthesis, view and laterality")]
pub struct ForceError(String);

impl Force {
    const WORDS: [(&'static str, Self); 6] = [
        ("all", Self::All),
        ("not-mammography", Self::NotMammography),
        ("for-processing", Self::ForProcessing),
        ("tomosynthesis", Self::Tomosynthesis),
        ("view", Self::View),
        ("laterality", Self::Laterality),
    ];

    /// True if this overrides refusals of a kind.
    #[must_use]
    pub fn covers(self, kind: Self) -> bool {
        self == Self::All || self == kind
    }
}

impl fmt::Display for Force {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, _) = Self::WORDS.into_iter().find(|(_, force)| force == self).expect("every kind has a word");
        f.write_str(word)
    }
}

impl FromStr for Force {
    type Err = ForceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::WORDS.into_iter().find(|(word, _)| *word == text);
        found.map(|(_, force)| force).ok_or_else(|| ForceError(text.chars().take(32).collect()))
    }
}

impl Fault {
    /// The kind of refusal, if a user can override it.
    #[must_use]
    pub fn force(&self) -> Option<Force> {
        match self {
            Self::Kind(KindFault::NotMammography(_)) => Some(Force::NotMammography),
            Self::Kind(KindFault::ForProcessing) => Some(Force::ForProcessing),
            Self::Kind(KindFault::Tomosynthesis(_)) => Some(Force::Tomosynthesis),
            Self::View(_) => Some(Force::View),
            Self::SideContradiction { .. } | Self::NoSide => Some(Force::Laterality),
            _ => None,
        }
    }

    /// True for DICOMDIR, which is skipped rather than refused.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Kind(KindFault::Directory))
    }
}

/// A decoded image and its greyscale transformation.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedImage {
    pub pixels: StoredPixels,
    pub rendering: Rendering,
}

/// The examination of a DICOM file. What could not be read is `None`.
#[derive(Clone, Default)]
pub struct Examination {
    pub identity: Option<Identity>,
    pub syntax: Option<TransferSyntax>,
    pub layout: Option<PixelLayout>,
    pub projection: Option<Stated<Projection>>,
    /// The side that the header states.
    pub side: Option<Stated<Side>>,
    /// The mirroring that Patient Orientation states.
    pub mirroring: Mirroring,
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub modality: Option<String>,
    /// Instance Number, by which images of the same view are put in order.
    pub instance: Option<i64>,
    /// Usable lookup tables and windows.
    pub offered: (usize, usize),
    pub transform: Option<GreyTransform>,
    pub findings: Vec<Finding>,
    /// The reasons for a refusal, the gravest first.
    pub faults: Vec<Fault>,
    /// The image; `None` if it was refused without being forced, or cannot be decoded.
    pub image: Option<DecodedImage>,
}

impl Examination {
    /// Examines the bytes of a file. The image is decoded unless a fault remains that `force` does not cover.
    #[must_use]
    pub fn of(bytes: Vec<u8>, request: GreyRequest, force: &[Force]) -> Self {
        let mut found = Self::default();
        match DicomFile::open(bytes) {
            Ok(file) => found.examine(&file, request, force),
            Err(fault) => found.faults.push(fault.into()),
        }
        found
    }

    /// Examines the header alone. Refusals that `force` does not cover are the same as for the whole file, except those
    /// that only the pixels show.
    #[must_use]
    pub fn of_header(bytes: Vec<u8>) -> Self {
        let mut found = Self::default();
        match DicomFile::open(bytes) {
            Ok(file) => drop(found.examine_header(&file)),
            Err(fault) => found.faults.push(fault.into()),
        }
        found
    }

    /// True if all faults are covered by `force`.
    #[must_use]
    pub fn is_accepted(&self, force: &[Force]) -> bool {
        let covered = |fault: &Fault| fault.force().is_some_and(|kind| force.iter().any(|force| force.covers(kind)));
        self.faults.iter().all(covered)
    }

    fn examine(&mut self, file: &DicomFile, request: GreyRequest, force: &[Force]) {
        let header = self.examine_header(file);
        if self.is_accepted(force)
            && let Some(layout) = self.layout
        {
            match self.decode(&header, &layout, &file.syntax, request) {
                Ok(image) => self.image = Some(image),
                Err(fault) => self.faults.insert(0, fault),
            }
        }
    }

    fn examine_header<'f>(&mut self, file: &'f DicomFile) -> DataSet<'f> {
        self.syntax = Some(file.syntax);
        let (header, fault) = file.data_set();
        self.identity = Some(Identity::of(&header));
        if !file.syntax_stated {
            self.findings.push(Finding::TransferSyntaxInferred { name: file.syntax.name });
        }
        if file.is_directory {
            self.faults.push(KindFault::Directory.into());
            return header;
        }
        let has_pixels = header.value(tag::PIXEL_DATA).is_some();
        match fault {
            Some(_) if has_pixels => self.findings.push(Finding::DamagedEnd),
            Some(fault) => self.faults.push(fault.into()),
            None => {}
        }
        self.read_header(&header);
        header
    }

    fn read_header(&mut self, header: &DataSet<'_>) {
        let layout = PixelLayout::of(header);
        let frames = layout.as_ref().map_or(1, |layout| layout.frames);
        let of_kind = kind_faults(header, frames, &mut self.findings);
        // A file without an image is not called a wrong kind of image.
        match layout {
            Ok(layout) => self.layout = Some(layout),
            Err(fault) => self.faults.push(fault.into()),
        }
        self.faults.extend(of_kind.into_iter().map(Fault::from));
        self.manufacturer = header.text(tag::MANUFACTURER).map(|text| scanner_name(&text));
        self.model = header.text(tag::MANUFACTURER_MODEL_NAME).map(|text| scanner_name(&text));
        self.modality = header.text(tag::MODALITY).map(|text| scanner_name(&text));
        self.instance = header.text(tag::INSTANCE_NUMBER).and_then(|text| text.parse().ok());
        self.side = side(header, &mut self.findings);
        match projection(header, &mut self.findings) {
            Ok(projection) => {
                self.projection = Some(projection);
                if let Some(side) = self.side {
                    self.mirroring = mirroring(header, projection.value, side.value);
                }
            }
            Err(fault) => self.faults.push(fault.into()),
        }
    }

    fn decode(
        &mut self,
        header: &DataSet<'_>,
        layout: &PixelLayout,
        syntax: &TransferSyntax,
        request: GreyRequest,
    ) -> Result<DecodedImage, Fault> {
        let modality = Modality::of(header, layout.signed).map_err(Fault::Modality)?;
        let offer = GreyOffer::of(header, &modality, layout.signed);
        self.offered = offer.counts();
        let transform = offer.choose(request)?;
        self.findings.extend(offer.faults.into_iter().map(Finding::Unusable));
        let pixels = StoredPixels::decode(header, layout, syntax, &mut self.findings)?;
        let padding = Padding::of(header, layout.signed);
        let rendering = Rendering::new(&pixels, &modality, &transform, padding, layout.photometric);
        if rendering.padded > 0 {
            self.findings.push(Finding::Padding { pixels: rendering.padded });
        }
        self.transform = Some(transform);
        Ok(DecodedImage { pixels, rendering })
    }
}

/// The longest name of a manufacturer or model that is kept.
const MAX_NAME: usize = 32;

/// A manufacturer's or model's name, which is shown and compared but never interpreted.
fn scanner_name(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').take(MAX_NAME).collect()
}
