//! A decoded image: the samples as stored and the grey levels for the network.

use crate::image_error::ImageError;
use crate::image_examination::examine;
use crate::image_facts::ImageFacts;
use crate::raster::Raster;
use crate::resize::{nearest_pil, resize};
use mammoscope_domain::image::grey_range::{GreyRange, WHITE_OF_8_BITS, depth_of, level};
use mammoscope_domain::image::image_findings::{ImageDoubt, ImageFindings};
use mammoscope_domain::network::input_route::InputRoute;

/// Side, in pixels, of the picture in which an image is examined without a data set.
pub(crate) const EXAMINED_SIZE: usize = 256;

/// The samples of an image at their stored depth; fewer than 8 bits are scaled to 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// Up to 8 bits per sample.
    Depth8(Raster<u8>),
    /// 16 bits per sample.
    Depth16(Raster<u16>),
}

/// An image as stored, in grey or RGB, with the pixels of PIL's `convert("RGB")`. Alpha channels are dropped and palettes
/// looked up. The Orientation tag of TIFF is applied; colour profiles, gamma and the EXIF orientation are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedImage {
    pub facts: ImageFacts,
    pub samples: Samples,
}

impl DecodedImage {
    /// The pixels at 8 bits, scaled from the full range of the depth, as for masks: 16 bits are divided by 257 and
    /// rounded.
    #[must_use]
    pub fn into_8_bit(self) -> Raster<u8> {
        match self.samples {
            Samples::Depth8(raster) => raster,
            Samples::Depth16(raster) => raster.map(|sample| level(sample, u16::MAX)),
        }
    }

    /// The pixels at 8 bits for the network. For 16-bit samples `range` decides which value is white, so that mammograms
    /// of 10, 12 and 14 bits keep all of their contrast. (PIL would clip everything above 255.)
    pub fn into_levels(self, range: GreyRange) -> Result<GreyLevels, ImageError> {
        let bits = self.facts.bits;
        let largest = self.largest();
        Ok(match self.samples {
            Samples::Depth8(raster) => GreyLevels { raster, bits, largest, white: WHITE_OF_8_BITS },
            Samples::Depth16(raster) => {
                let white = range.white_for(largest)?;
                GreyLevels { raster: raster.map(|sample| level(sample, white)), bits, largest, white }
            }
        })
    }

    /// The reasons why this image alone cannot be an ordinary mammogram. Without a data set to determine the grey range,
    /// 16-bit samples are taken to have as many bits as the largest one needs.
    #[must_use]
    pub fn doubts(&self) -> Vec<ImageDoubt> {
        let doubts_of = |levels: &Raster<u8>| examine(&resize(levels, EXAMINED_SIZE, InputRoute::Training), 1.0).0;
        match &self.samples {
            Samples::Depth8(raster) => doubts_of(raster),
            Samples::Depth16(raster) => {
                let small = nearest_pil(raster, EXAMINED_SIZE, EXAMINED_SIZE);
                let white = u16::MAX >> (16 - u32::from(depth_of(self.largest())));
                doubts_of(&small.map(|sample| level(sample, white)))
            }
        }
    }

    /// The largest sample.
    #[must_use]
    pub fn largest(&self) -> u16 {
        match &self.samples {
            Samples::Depth8(raster) => raster.samples().iter().copied().max().unwrap_or(0).into(),
            Samples::Depth16(raster) => raster.samples().iter().copied().max().unwrap_or(0),
        }
    }
}

/// Grey levels of an image, 0 to 255, and their origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyLevels {
    pub raster: Raster<u8>,
    /// Bits per sample in the file.
    pub bits: u8,
    /// The largest sample in the file.
    pub largest: u16,
    /// The sample that became 255.
    pub white: u16,
}

impl GreyLevels {
    /// Examines the image. `picture` is the image resized to a network's input.
    #[must_use]
    pub fn findings(&self, picture: &Raster<u8>) -> ImageFindings {
        let (width, height) = (self.raster.width(), self.raster.height());
        let (doubts, traits) = examine(picture, width as f64 / height as f64);
        ImageFindings { width, height, bits: self.bits, largest: self.largest, white: self.white, doubts, traits }
    }
}
