//! Files of images to pixels: PNG, JPEG and TIFF, by what they hold and not by their names.

pub(in crate::imaging) mod jpeg;
pub(in crate::imaging) mod png;
pub(in crate::imaging) mod tiff;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

pub use super::image_error::ImageError;
pub use super::image_facts::{ColorKind, ImageFacts, ImageFormat};
use super::raster::Raster;
use crate::domain::contained_panic::contain_panic;
use crate::domain::foreign_file::ForeignFile;
use crate::domain::printable::printable;

/// The most pixels of an image that is read. A mammogram has 5 to 30 million; a file that claims more than this is
/// refused before memory is taken for it.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Memory that a decoder may take beside the image itself: rows and strips, colour profiles, comments.
const MAX_WORKING_BYTES: u64 = 64 << 20;
/// The most bytes that the samples of an image may take: grey of 16 bits with twice [`MAX_PIXELS`], RGB of 8 bits.
const MAX_IMAGE_BYTES: u64 = MAX_PIXELS * 4;

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
    /// The pixels at 8 bits, as the reference's network gets them. 16 bits are divided by 257 and rounded, so that the
    /// whole range is kept: 0 stays 0, and 65535 becomes 255 (PIL would clip everything above 255).
    #[must_use]
    pub fn into_8_bit(self) -> Raster<u8> {
        match self.samples {
            Samples::Depth8(raster) => raster,
            Samples::Depth16(raster) => raster.map(|sample| ((u32::from(sample) + 128) / 257) as u8),
        }
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
pub(in crate::imaging) fn contain<T>(
    format: ImageFormat,
    decode: impl FnOnce() -> Result<T, ImageError>,
) -> Result<T, ImageError> {
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
