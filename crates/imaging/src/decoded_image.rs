//! A decoded image: its samples as they were stored, and the grey levels that a network gets.

use crate::image_error::ImageError;
use crate::image_examination::examine;
use crate::image_facts::ImageFacts;
use crate::raster::Raster;
use crate::resize::{nearest_pil, resize};
use mammoscope_domain::image::grey_range::{GreyRange, WHITE_OF_8_BITS, depth_of, level};
use mammoscope_domain::image::image_findings::{ImageDoubt, ImageFindings};
use mammoscope_domain::network::input_route::InputRoute;

/// Pixels a side of the picture in which an image is looked at alone.
pub(crate) const EXAMINED_SIZE: usize = 256;

/// The samples of an image at the depth they are stored with; fewer than 8 bits are spread over 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// Up to 8 bits a sample.
    Depth8(Raster<u8>),
    /// 16 bits a sample.
    Depth16(Raster<u16>),
}

/// An image as it was stored: grey or RGB, as PIL's `convert("RGB")` has it. An alpha channel is dropped, a palette is
/// looked up; colour profiles, gamma and the EXIF orientation are not applied, the Orientation tag of TIFF is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedImage {
    /// What the file holds.
    pub facts: ImageFacts,
    /// Its pixels.
    pub samples: Samples,
}

impl DecodedImage {
    /// The pixels at 8 bits where their whole range is meant, as of masks: 16 bits are divided by 257 and rounded.
    #[must_use]
    pub fn into_8_bit(self) -> Raster<u8> {
        match self.samples {
            Samples::Depth8(raster) => raster,
            Samples::Depth16(raster) => raster.map(|sample| level(sample, u16::MAX)),
        }
    }

    /// The pixels at 8 bits, as a network gets them: of 16 bits 0 is black and white is what `range` says it is, so that
    /// mammograms of 10, 12 and 14 bits keep all of their contrast. (PIL would clip everything above 255.)
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

    /// Why it cannot be a mammogram as expected, looked at alone: without a data set that says its grey range, samples of
    /// 16 bits are taken for as many bits as the largest one needs.
    #[must_use]
    pub fn doubts(&self) -> Vec<ImageDoubt> {
        let seen = |levels: &Raster<u8>| examine(&resize(levels, EXAMINED_SIZE, InputRoute::One), (1, 1)).0;
        match &self.samples {
            Samples::Depth8(raster) => seen(raster),
            Samples::Depth16(raster) => {
                let small = nearest_pil(raster, EXAMINED_SIZE, EXAMINED_SIZE);
                let white = u16::MAX >> (16 - u32::from(depth_of(self.largest())));
                seen(&small.map(|sample| level(sample, white)))
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

/// Grey levels of an image, 0 to 255, and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyLevels {
    /// The picture.
    pub raster: Raster<u8>,
    /// Bits of a sample in the file.
    pub bits: u8,
    /// The largest sample in the file.
    pub largest: u16,
    /// The sample that became 255.
    pub white: u16,
}

impl GreyLevels {
    /// What is found in the image, `picture` being it in the size of a network's input.
    #[must_use]
    pub fn findings(&self, picture: &Raster<u8>) -> ImageFindings {
        let (width, height) = (self.raster.width(), self.raster.height());
        let (doubts, traits) = examine(picture, (width, height));
        ImageFindings { width, height, bits: self.bits, largest: self.largest, white: self.white, doubts, traits }
    }
}
