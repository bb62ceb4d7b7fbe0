//! An explained image as it is shown: the picture as the network saw it, the map at the same size, the regions of the
//! breast, and the scores.

use std::path::Path;
use std::sync::Arc;

use mammoscope_dataset::ground_truth::{MaskError, true_masks};
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores, MapRegions};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_imaging::breast_mask::grey_levels;
use mammoscope_imaging::decode::{ImageError, decode_file};
use mammoscope_imaging::map_zoom::{bilinear_zoom, cubic_spline_zoom, normalised};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_regions::{PackedRegions, PictureRegions};
use mammoscope_imaging::random_map::random_map;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::resize;
use mammoscope_imaging::skin_band::SkinBandWidth;

/// The interpolation that brings a map to the size of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapZoom {
    /// Bilinear, signed, in the units of the map.
    Bilinear,
    /// As in keras-vis: ReLU, cubic spline, then scaled to 0–1.
    KerasVis,
}

/// A picture and everything about it that does not depend on a map.
#[derive(Clone, Debug)]
pub struct ExaminedPicture {
    /// Grey, `size` × `size` pixels, resized like the network's input.
    pub picture: Raster<u8>,
    /// Width and height of the stored image in pixels, before it was squeezed into a square.
    pub stored_size: (usize, usize),
    /// `None` where no breast was found.
    pub regions: Option<PictureRegions>,
    /// One line for each mask of the data set that cannot be used.
    pub mask_problems: Vec<String>,
    /// The scores of a random map of this image: the control for every map of it.
    pub control: ExplanationScores,
}

/// An [`ExaminedPicture`] in half the memory, for caching.
#[derive(Clone, Debug)]
pub struct PackedPicture {
    picture: Raster<u8>,
    stored_size: (usize, usize),
    regions: Option<PackedRegions>,
    mask_problems: Vec<String>,
    control: ExplanationScores,
}

impl PackedPicture {
    #[must_use]
    pub fn unpacked(&self) -> ExaminedPicture {
        ExaminedPicture {
            picture: self.picture.clone(),
            stored_size: self.stored_size,
            regions: self.regions.as_ref().map(PackedRegions::unpacked),
            mask_problems: self.mask_problems.clone(),
            control: self.control,
        }
    }
}

/// A picture with a map of where the network looks.
#[derive(Clone, Debug)]
pub struct ExplainedImage {
    pub examined: Arc<ExaminedPicture>,
    /// One value per position; with [`MapZoom::KerasVis`] rectified.
    pub positions: Raster<f32>,
    /// At the picture's size.
    pub map: Raster<f32>,
    pub status: MapStatus,
    pub scores: ExplanationScores,
    /// `None` where the logits are not finite.
    pub probabilities: Option<Probabilities>,
}

impl ExaminedPicture {
    /// Reads an image and finds its regions; masks that the data set provides take precedence over those found. The
    /// control is drawn from `seed`, the image's own
    /// ([`image_seed`](mammoscope_domain::image::image_seed::image_seed)).
    pub fn read(
        path: &Path,
        size: usize,
        route: InputRoute,
        grey_range: GreyRange,
        seed: u64,
    ) -> Result<Self, ImageError> {
        let image = decode_file(path)?.into_levels(grey_range)?.raster;
        let stored_size = (image.width(), image.height());
        let (known, problems) = true_masks(path, image.size(), Some(size));
        let resized = resize(&image, size, route);
        let picture = Raster::new(size, size, Channels::Grey, grey_levels(&resized));
        let regions = PictureRegions::of(&picture, known, SkinBandWidth::default());
        let mut examined = Self::new(picture, stored_size, regions, seed);
        examined.mask_problems = problems.iter().map(MaskError::to_string).collect();
        Ok(examined)
    }

    /// Builds a picture from known regions.
    #[must_use]
    pub fn new(picture: Raster<u8>, stored_size: (usize, usize), regions: Option<PictureRegions>, seed: u64) -> Self {
        let control = ExplanationScores::default();
        let mut examined = Self { picture, stored_size, regions, mask_problems: Vec::new(), control };
        let (width, height) = (examined.picture.width(), examined.picture.height());
        let random = bilinear_zoom(&random_map(ExplainedLayer::LAST.side(width), seed), width, height);
        examined.control = examined.scores_of(random.samples());
        examined
    }

    #[must_use]
    pub fn packed(&self) -> PackedPicture {
        PackedPicture {
            picture: self.picture.clone(),
            stored_size: self.stored_size,
            regions: self.regions.as_ref().map(PictureRegions::packed),
            mask_problems: self.mask_problems.clone(),
            control: self.control,
        }
    }

    /// The source of the dense-tissue mask.
    #[must_use]
    pub fn dense_source(&self) -> DenseSource {
        self.regions.as_ref().map_or(DenseSource::None, |regions| regions.dense_source)
    }

    /// Combines the picture with the map of `sample`, and scores it.
    #[must_use]
    pub fn explained(self: Arc<Self>, sample: &ExplainedSample, zoom: MapZoom) -> ExplainedImage {
        let (map, status, mut scores) = self.scored(&sample.map, zoom);
        // Without a breast or a sound map, the order in which pixels come and go means nothing.
        if let Some(curves) = sample.curves.as_ref().filter(|_| scores.breast_energy.is_some()) {
            scores.insertion_area = curves.insertion_area();
            scores.deletion_area = curves.deletion_area();
        }
        let probabilities = Probabilities::from_logits(sample.logits).ok();
        let positions = native(&sample.map);
        let positions = if zoom == MapZoom::KerasVis { positions.map(|value| value.max(0.0)) } else { positions };
        ExplainedImage { positions, map, status, scores, probabilities, examined: self }
    }

    /// Like [`Self::explained`] with [`MapZoom::Bilinear`], for a map whose scores are known.
    #[must_use]
    pub fn with_scores(self: Arc<Self>, sample: &ExplainedSample, scores: ExplanationScores) -> ExplainedImage {
        let positions = native(&sample.map);
        ExplainedImage {
            map: bilinear_zoom(&positions, self.picture.width(), self.picture.height()),
            positions,
            status: sample.map.status(),
            scores,
            probabilities: Probabilities::from_logits(sample.logits).ok(),
            examined: self,
        }
    }

    /// The map at the picture's size, its status and its scores. With [`MapZoom::KerasVis`] the scores are those of the
    /// rectified map before its last step, enlarged bilinearly so that nothing overshoots.
    #[must_use]
    pub fn scored(&self, map: &ExplanationMap, zoom: MapZoom) -> (Raster<f32>, MapStatus, ExplanationScores) {
        let status = map.status();
        let native = native(map);
        let (width, height) = (self.picture.width(), self.picture.height());
        let (map, scored) = match zoom {
            MapZoom::Bilinear => (bilinear_zoom(&native, width, height), None),
            MapZoom::KerasVis => {
                let rectified = native.map(|value| value.max(0.0));
                // The last step maps the smallest value to 0, which would leave energy everywhere.
                let scored = bilinear_zoom(&rectified, width, height);
                (normalised(&cubic_spline_zoom(&rectified, width, height)), Some(scored))
            }
        };
        let scores = if status.is_sound() {
            self.scores_of(scored.as_ref().unwrap_or(&map).samples())
        } else {
            ExplanationScores::default()
        };
        (map, status, scores)
    }

    fn scores_of(&self, map: &[f32]) -> ExplanationScores {
        let Some(regions) = &self.regions else { return ExplanationScores::default() };
        let parts = MapRegions {
            breast: regions.breast.pixels(),
            skin_band: regions.skin_band.pixels(),
            dense: regions.dense.as_ref().map(Mask::pixels),
        };
        ExplanationScores::of(map, self.picture.samples(), &parts)
    }
}

/// The values of a map as a raster.
fn native(map: &ExplanationMap) -> Raster<f32> {
    Raster::new(map.columns(), map.rows(), Channels::Grey, map.values().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_imaging::picture_regions::TrueMasks;

    /// A breast over 96 of 128 columns, with dense tissue in its upper left quarter.
    fn examined() -> ExaminedPicture {
        let picture = Raster::new(128, 128, Channels::Grey, (0..16_384).map(|at| (at % 7 + 100) as u8).collect());
        let mask = |inside: fn(usize, usize) -> bool| {
            Mask::new(128, 128, (0..16_384).map(|at| inside(at % 128, at / 128)).collect())
        };
        let known = TrueMasks {
            breast: Some(mask(|x, _| x < 96)),
            dense: Some(mask(|x, y| x < 48 && y < 48)),
            ..TrueMasks::default()
        };
        let regions = PictureRegions::of(&picture, known, SkinBandWidth::default());
        ExaminedPicture::new(picture, (128, 128), regions, 5)
    }

    #[test]
    fn keras_vis_zoom_scores_the_map_before_its_last_step() {
        let map = ExplanationMap::new(4, 4, (0..16).map(|at| if at == 0 { 9.0 } else { -1.0 }).collect());
        let (raster, _, scores) = examined().scored(&map, MapZoom::KerasVis);
        let rectified = examined().scored(&map.rectified(), MapZoom::Bilinear).2;
        assert_eq!(scores, rectified);
        assert_eq!(scores.outside_energy, Some(0.0), "none of its energy is outside");
        // The written raster is above zero nearly everywhere, because the spline overshoots.
        let above = raster.samples().iter().filter(|&&value| value > 0.0).count();
        assert!(above > 16_000, "{above} of 16,384");
    }

    #[test]
    fn packing_loses_nothing() {
        let before = ExaminedPicture { mask_problems: vec!["one".to_owned()], ..examined() };
        let after = before.packed().unpacked();
        assert_eq!((&after.picture, &after.regions), (&before.picture, &before.regions));
        assert_eq!((after.stored_size, after.control), (before.stored_size, before.control));
        assert_eq!(after.mask_problems, before.mask_problems);
    }

    #[test]
    fn the_control_depends_on_the_seed() {
        let with_seed = |seed| {
            let ExaminedPicture { picture, stored_size, regions, .. } = examined();
            ExaminedPicture::new(picture, stored_size, regions, seed).control
        };
        assert_eq!(with_seed(1), with_seed(1));
        assert_ne!(with_seed(1), with_seed(2));
        let found: Vec<f64> = (0..100).filter_map(|seed| with_seed(seed).dense_enrichment).collect();
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        // A quarter of its energy is outside the breast.
        assert!((0.5..1.0).contains(&mean), "{mean}");
        let without = ExaminedPicture::new(examined().picture, (128, 128), None, 1);
        assert_eq!((without.control, without.dense_source()), (ExplanationScores::default(), DenseSource::None));
    }
}
