//! Decoding of PNG, JPEG and TIFF files, recognised by their content and not by their names.

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
/// All image files are decoded here. A decoder's panic becomes an [`ImageError::DecoderFault`].
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

/// Runs a decoder, turning a panic into [`ImageError::DecoderFault`].
pub(crate) fn contain<T>(format: ImageFormat, decode: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    contain_panic(decode).unwrap_or_else(|panic| Err(ImageError::DecoderFault { format, message: panic.0 }))
}

/// Reads an image file of at most [`MAX_FILE_BYTES`]. Folders, pipes and devices are errors.
pub fn read_file(path: &Path) -> Result<Vec<u8>, ImageError> {
    // Checked first because opening a pipe would block until it has a writer.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ImageError::NotAFile("folder"));
    }
    if !metadata.is_file() {
        return Err(ImageError::NotAFile("pipe or device"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(ImageError::FileTooLong { bytes: metadata.len() });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_decoder_is_an_error() {
        let error = contain::<()>(ImageFormat::Tiff, || panic!("assertion failed:\n buf.len()")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("is a TIFF that crashes the decoder (assertion failed:"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}
