//! PNG, with the samples as stored.

use std::io::{self, Cursor};

use image::codecs::png::PngDecoder;
use image::{DynamicImage, Limits};

use crate::decode::size_check::check_facts;
use crate::decoded_image::{DecodedImage, Samples};
use crate::image_error::{ImageError, one_line};
use crate::image_facts::{ColorKind, ImageFacts, ImageFormat};
use crate::image_limits::MAX_WORKING_BYTES;
use crate::raster::{Channels, Raster};

/// Decodes a PNG file.
pub(super) fn decode(bytes: &[u8]) -> Result<DecodedImage, ImageError> {
    let facts = facts(bytes)?;
    check_facts(facts)?;
    // The decoder counts its own memory only, without the image.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_WORKING_BYTES);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(explain)?;
    let samples = samples_of(DynamicImage::from_decoder(decoder).map_err(explain)?);
    let samples = samples.ok_or_else(|| {
        let reason = "samples in floating point".to_owned();
        ImageError::Unsupported { format: ImageFormat::Png, reason }
    })?;
    Ok(DecodedImage { facts, samples })
}

/// Width, height, depth and colour type from their fixed offsets in the file (PNG specification, 11.2.1). The decoder
/// reports only what it converts them to.
pub(crate) fn facts(bytes: &[u8]) -> Result<ImageFacts, ImageError> {
    let format = ImageFormat::Png;
    let header = bytes.get(16..26).ok_or(ImageError::Truncated { format })?;
    let size = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let color = match header[9] {
        0 => ColorKind::Grey,
        2 => ColorKind::Rgb,
        3 => ColorKind::Palette,
        4 => ColorKind::GreyAlpha,
        _ => ColorKind::Rgba,
    };
    Ok(ImageFacts { width: size(0), height: size(4), bits: header[8], color, format })
}

fn samples_of(image: DynamicImage) -> Option<Samples> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let depth_8 = |channels, samples| Some(Samples::Depth8(Raster::new(width, height, channels, samples)));
    let depth_16 = |channels, samples| Some(Samples::Depth16(Raster::new(width, height, channels, samples)));
    match image {
        DynamicImage::ImageLuma8(pixels) => depth_8(Channels::Grey, pixels.into_raw()),
        DynamicImage::ImageLumaA8(pixels) => depth_8(Channels::Grey, without_alpha::<_, 2>(pixels.as_raw())),
        DynamicImage::ImageRgb8(pixels) => depth_8(Channels::Rgb, pixels.into_raw()),
        DynamicImage::ImageRgba8(pixels) => depth_8(Channels::Rgb, without_alpha::<_, 4>(pixels.as_raw())),
        DynamicImage::ImageLuma16(pixels) => depth_16(Channels::Grey, pixels.into_raw()),
        DynamicImage::ImageLumaA16(pixels) => depth_16(Channels::Grey, without_alpha::<_, 2>(pixels.as_raw())),
        DynamicImage::ImageRgb16(pixels) => depth_16(Channels::Rgb, pixels.into_raw()),
        DynamicImage::ImageRgba16(pixels) => depth_16(Channels::Rgb, without_alpha::<_, 4>(pixels.as_raw())),
        _ => None,
    }
}

fn without_alpha<S: Copy, const STORED: usize>(samples: &[S]) -> Vec<S> {
    samples.as_chunks::<STORED>().0.iter().flat_map(|pixel| &pixel[..STORED - 1]).copied().collect()
}

fn explain(error: image::ImageError) -> ImageError {
    use image::ImageError as Cause;
    let format = ImageFormat::Png;
    let ends_early = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    match error {
        Cause::IoError(error) if ends_early(&error) => ImageError::Truncated { format },
        Cause::Limits(_) => ImageError::Unsupported { format, reason: "it takes too much memory to decode".to_owned() },
        Cause::Unsupported(error) => ImageError::Unsupported { format, reason: one_line(&error) },
        Cause::Decoding(error) => {
            // The inner error says what is wrong; the outer one repeats the format.
            let inner = std::error::Error::source(&error);
            if inner.and_then(|inner| inner.downcast_ref()).is_some_and(ends_early) {
                return ImageError::Truncated { format };
            }
            let reason = inner.map_or_else(|| one_line(&error), |inner| one_line(&inner));
            ImageError::Damaged { format, reason }
        }
        other => ImageError::Damaged { format, reason: one_line(&other) },
    }
}
