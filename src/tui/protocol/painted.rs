//! An explained image as a picture for the terminal: drawn at the network's input size, then scaled to the stored
//! image's aspect ratio.

use std::sync::Arc;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, RgbImage};

use crate::analysis::explained_image::ExplainedImage;
use crate::analysis::explanation_files::MapPainting;
use crate::terminal::sizes::Pixels;
use mammoscope_imaging::decode::Samples;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines, draw_explanation};
use mammoscope_imaging::intensity_window::{GreyStatistics, WindowChoice};
use mammoscope_imaging::raster::Channels;

/// An explained image and how it is drawn.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PaintedExplanation {
    pub(in crate::tui) image: Arc<ExplainedImage>,
    pub(in crate::tui) drawing: ExplanationDrawing,
    pub(in crate::tui) painting: MapPainting,
    pub(in crate::tui) outlines: Outlines,
}

/// Images are compared by identity.
impl PartialEq for PaintedExplanation {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.image, &other.image)
            && (self.drawing, self.painting, self.outlines) == (other.drawing, other.painting, other.outlines)
    }
}

impl PaintedExplanation {
    /// The size of the stored image, for its aspect ratio.
    pub(in crate::tui) fn size(&self) -> Pixels {
        let (width, height) = self.image.examined.stored_size;
        Pixels { width: width.max(1) as u32, height: height.max(1) as u32 }
    }

    /// Draws the image in this size, its grey values through this window.
    pub(in crate::tui) fn drawn(&self, window: WindowChoice, size: Pixels) -> DynamicImage {
        let stored = &self.image.examined.picture;
        let window = window.window(&GreyStatistics::of(&Samples::Depth8(stored.clone())));
        let levels: Vec<u8> = (0..=255).map(|value| window.level(value)).collect();
        let picture = stored.map(|value| levels[usize::from(value)]);
        let shares = self.painting.scale.shares(&self.image.map);
        let regions = self.image.examined.regions.as_ref();
        let (colors, opacity) = (self.painting.colors, self.painting.opacity);
        let drawn = draw_explanation(&picture, &shares, regions, self.drawing, colors, opacity, self.outlines);
        let sound = "a raster holds as many samples as its size says";
        let (across, down) = (drawn.width() as u32, drawn.height() as u32);
        let whole: DynamicImage = match drawn.channels() {
            Channels::Grey => GrayImage::from_raw(across, down, drawn.into_samples()).expect(sound).into(),
            Channels::Rgb => RgbImage::from_raw(across, down, drawn.into_samples()).expect(sound).into(),
        };
        whole.resize_exact(size.width, size.height, FilterType::Triangle)
    }
}
