//! Files of images to pixels: PNG, JPEG and TIFF, by what they hold and not by their names.

mod inks;
pub(crate) mod jpeg;
pub(crate) mod png;
mod size_check;
pub(crate) mod tiff;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use mammoscope_domain::text::contained_panic::contain_panic;
use mammoscope_domain::text::foreign_file::ForeignFile;

pub use crate::decoded_image::{DecodedImage, GreyLevels, Samples};
pub use crate::image_error::ImageError;
pub use crate::image_facts::{ColorKind, ImageFacts, ImageFormat};
pub use crate::image_limits::{MAX_FILE_BYTES, MAX_PIXELS};

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
}
