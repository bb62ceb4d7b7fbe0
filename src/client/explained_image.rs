//! An explained image as a person gets it: the picture as the network saw it, the map in its size, what lies where, and
//! the scores.

use std::path::Path;

use super::protocol::ExplainedSample;
use crate::dataset::ground_truth::{MaskError, true_masks};
use crate::domain::explanation_map::ExplanationMap;
use crate::domain::explanation_scores::{ExplanationScores, MapRegions};
use crate::domain::input_route::InputRoute;
use crate::domain::map_status::MapStatus;
use crate::domain::probabilities::Probabilities;
use crate::imaging::breast_mask::grey_levels;
use crate::imaging::decode::{ImageError, decode_file};
use crate::imaging::map_zoom::{bilinear_zoom, cubic_spline_zoom, normalised};
use crate::imaging::mask::Mask;
use crate::imaging::network_input::resize;
use crate::imaging::picture_regions::{PictureRegions, TrueMasks};
use crate::imaging::raster::{Channels, Raster};
use crate::imaging::skin_band::SkinBandWidth;

/// How maps are brought to the size of their pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapZoom {
    /// Bilinear, signed, in the units of the map.
    Bilinear,
    /// As keras-vis does it: ReLU, cubic spline, then to 0–1.
    KerasVis,
}

/// A picture before it is explained: what does not depend on the map.
#[derive(Clone, Debug)]
pub struct ExaminedPicture {
    /// Grey, `size` × `size` pixels, resized as the network's input is.
    pub picture: Raster<u8>,
    /// Width and height of the image as it is stored, in pixels: the picture is squeezed into a square.
    pub stored_size: (usize, usize),
    /// What lies where; `None` where no breast was found.
    pub regions: Option<PictureRegions>,
    /// A mask of the data set that could not be used; the rule took its place.
    pub mask_problem: Option<String>,
}

/// An explained image.
#[derive(Clone, Debug)]
pub struct ExplainedImage {
    /// The picture.
    pub examined: ExaminedPicture,
    /// The map, in the picture's size.
    pub map: Raster<f32>,
    /// Whether the map says anything.
    pub status: MapStatus,
    /// Where it lies.
    pub scores: ExplanationScores,
    /// The class probabilities; `None` where the logits are not finite.
    pub probabilities: Option<Probabilities>,
}

impl ExaminedPicture {
    /// Reads an image and finds what lies where; masks that the data set has beside it go before what is found.
    pub fn read(path: &Path, size: usize, route: InputRoute) -> Result<Self, ImageError> {
        let image = decode_file(path)?.into_8_bit();
        let stored_size = (image.width(), image.height());
        let (known, mask_problem) = match true_masks(path, stored_size, Some(size)) {
            Ok(known) => (known, None),
            Err(error) => (TrueMasks::default(), Some(MaskError::to_string(&error))),
        };
        let resized = resize(&image, size, route);
        let picture = Raster::new(size, size, Channels::Grey, grey_levels(&resized));
        let regions = PictureRegions::of(&picture, known, SkinBandWidth::default());
        Ok(Self { picture, stored_size, regions, mask_problem })
    }

    /// The picture with a map.
    #[must_use]
    pub fn explained(self, sample: &ExplainedSample, zoom: MapZoom) -> ExplainedImage {
        let (map, status, scores) = self.scored(&sample.map, zoom);
        let probabilities = Probabilities::from_logits(sample.logits);
        ExplainedImage { map, status, scores, probabilities, examined: self }
    }

    /// A map in the picture's size, whether it says anything, and where it lies.
    #[must_use]
    pub fn scored(&self, map: &ExplanationMap, zoom: MapZoom) -> (Raster<f32>, MapStatus, ExplanationScores) {
        let status = map.status();
        let native = Raster::new(map.columns(), map.rows(), Channels::Grey, map.values().to_vec());
        let (width, height) = (self.picture.width(), self.picture.height());
        let map = match zoom {
            MapZoom::Bilinear => bilinear_zoom(&native, width, height),
            MapZoom::KerasVis => normalised(&cubic_spline_zoom(&native.map(|value| value.max(0.0)), width, height)),
        };
        let scores = match &self.regions {
            Some(regions) if status.is_sound() => {
                let parts = MapRegions {
                    breast: regions.breast.pixels(),
                    skin_band: regions.skin_band.pixels(),
                    dense: regions.dense.as_ref().map(Mask::pixels),
                };
                ExplanationScores::of(map.samples(), self.picture.samples(), &parts)
            }
            _ => ExplanationScores::default(),
        };
        (map, status, scores)
    }
}
