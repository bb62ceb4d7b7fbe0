//! Files of images to pixels: PNG, JPEG and TIFF, by what they hold and not by their names.

pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod tiff;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

pub use super::image_error::ImageError;
use super::image_examination::examine;
pub use super::image_facts::{ColorKind, ImageFacts, ImageFormat};
use super::network_input::resize;
use super::raster::Raster;
use super::resize::nearest_pil;
use mammoscope_domain::image::grey_range::{GreyRange, WHITE_OF_8_BITS, depth_of, level};
use mammoscope_domain::image::image_findings::{ImageDoubt, ImageFindings};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::text::contained_panic::contain_panic;
use mammoscope_domain::text::foreign_file::ForeignFile;
use mammoscope_domain::text::printable::printable;

/// The most pixels of an image that is read. A mammogram has 5 to 30 million; a file that claims more than this is
/// refused before memory is taken for it.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Memory that a decoder may take beside the image itself: rows and strips, colour profiles, comments.
const MAX_WORKING_BYTES: u64 = 64 << 20;
/// The most bytes that the samples of an image may take: grey of 16 bits with twice [`MAX_PIXELS`], RGB of 8 bits.
const MAX_IMAGE_BYTES: u64 = MAX_PIXELS * 4;

/// Pixels a side of the picture in which an image is looked at alone.
const EXAMINED_SIZE: usize = 256;

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

/// Reads and decodes the image in a file.
pub fn decode_file(path: &Path) -> Result<DecodedImage, ImageError> {
    decode(read_file(path)?)
}

/// Decodes an image of at most [`MAX_PIXELS`] pixels.
///
/// This is the only place where image files are decoded, and whatever a decoder does there, it ends here: a panic is an
/// [`ImageError::DecoderFault`].
pub fn decode(bytes: impl Into<Vec<u8>>) -> Result<DecodedImage, ImageError> {
    let bytes = bytes.into();
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    let format = ImageFormat::of(&bytes).ok_or_else(|| ImageError::NotAnImage { instead: ForeignFile::of(&bytes) })?;
    contain(format, || match format {
        ImageFormat::Png => png::decode(&bytes),
        ImageFormat::Jpeg => jpeg::decode(&bytes),
        ImageFormat::Tiff => tiff::decode(bytes),
    })
}

/// What a decoder returns, or that it panicked.
pub(crate) fn contain<T>(format: ImageFormat, decode: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    contain_panic(decode).unwrap_or_else(|message| Err(ImageError::DecoderFault { format, message }))
}

/// The bytes of an image file of at most [`MAX_FILE_BYTES`]; never a pipe that waits for its writer.
pub fn read_file(path: &Path) -> Result<Vec<u8>, ImageError> {
    // Asked before it is opened: opening a pipe waits for its writer.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(ImageError::NotAFile("folder"));
    }
    if !kind.is_file() {
        return Err(ImageError::NotAFile("pipe or device"));
    }
    if kind.len() > MAX_FILE_BYTES {
        return Err(ImageError::FileTooLong { bytes: kind.len() });
    }
    let mut bytes = Vec::with_capacity(kind.len() as usize);
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether an image has a size that is read.
fn check_size(width: u32, height: u32, format: ImageFormat) -> Result<(), ImageError> {
    if width == 0 || height == 0 {
        let reason = format!("it claims {width} × {height} pixels");
        return Err(ImageError::Damaged { format, reason });
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels { width, height });
    }
    Ok(())
}

/// Whether an image has a size that is read, and whether its samples fit into the memory that they may take.
fn check_facts(facts: ImageFacts) -> Result<(), ImageError> {
    let ImageFacts { width, height, bits, color, format } = facts;
    check_size(width, height, format)?;
    let samples = u64::from(width) * u64::from(height) * color.samples();
    if samples * u64::from(bits).div_ceil(8) > MAX_IMAGE_BYTES {
        let reason = "it takes too much memory to decode".to_owned();
        return Err(ImageError::Unsupported { format, reason });
    }
    Ok(())
}

/// Red, green and blue of cyan, magenta, yellow and black (0 is no ink), by Pillow's formula.
fn rgb_of_inks([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let white = u32::from(255 - black);
    [cyan, magenta, yellow].map(|ink| {
        // ink × white / 255, rounded.
        let product = u32::from(ink) * white + 128;
        (white - ((product + (product >> 8)) >> 8)) as u8
    })
}

fn one_line(text: &dyn fmt::Display) -> String {
    printable(text.to_string().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_costs_its_file_only() {
        let error = contain::<()>(ImageFormat::Tiff, || panic!("assertion failed:\n buf.len()")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("is a TIFF on which the decoder fails (assertion failed:"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }

    #[test]
    fn inks_by_hand() {
        assert_eq!(rgb_of_inks([0, 0, 0, 0]), [255; 3]);
        assert_eq!(rgb_of_inks([255, 0, 128, 0]), [0, 255, 127]);
        assert_eq!(rgb_of_inks([255, 0, 128, 127]), [0, 128, 64]);
        assert_eq!(rgb_of_inks([9, 9, 9, 255]), [0; 3]);
    }
}
