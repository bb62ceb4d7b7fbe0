//! Files of images to pixels: PNG, JPEG and TIFF, by what they hold and not by their names.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read as _};
use std::path::Path;

use image::codecs::{jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, Limits};

pub use super::image_error::ImageError;
pub use super::image_facts::{ColorKind, ImageFacts, ImageFormat};
use super::jpeg_end;
use super::raster::{Channels, Raster};
use crate::domain::printable::printable;

/// The most pixels of an image that is read. A mammogram has 5 to 30 million; a file that claims more than this is
/// refused before memory is taken for it.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Memory that a decoder may take beside the image itself: rows and strips, colour profiles, comments.
const MAX_WORKING_BYTES: u64 = 64 << 20;
/// Memory of the largest image: four channels of 16 bits.
const MAX_IMAGE_BYTES: u64 = MAX_PIXELS * 8;

/// The samples of an image at the depth they are stored with; fewer than 8 bits are spread over 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Samples {
    /// Up to 8 bits a sample.
    Depth8(Raster<u8>),
    /// 16 bits a sample.
    Depth16(Raster<u16>),
}

/// An image as it was stored: grey or RGB, as PIL's `convert("RGB")` has it. An alpha channel is dropped, a palette is
/// looked up; colour profiles, gamma and the EXIF orientation are not applied. The only difference is in JPEG, where two
/// decoders may part by one or two grey levels.
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
    decode(&read_file(path)?)
}

/// Decodes an image of at most [`MAX_PIXELS`] pixels; never panics, whatever the bytes are.
pub fn decode(bytes: &[u8]) -> Result<DecodedImage, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty);
    }
    let format =
        ImageFormat::of(bytes).ok_or_else(|| ImageError::NotAnImage { dicom: bytes.get(128..132) == Some(b"DICM") })?;
    let outcome = match format {
        ImageFormat::Png => decode_png(bytes),
        ImageFormat::Jpeg => decode_jpeg(bytes),
        ImageFormat::Tiff => decode_tiff(bytes),
    };
    outcome.map_err(|failure| match failure {
        Failure::Decoder(error) => explain(format, error),
        Failure::Explained(error) => error,
    })
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

enum Failure {
    Decoder(image::ImageError),
    Explained(ImageError),
}

impl From<image::ImageError> for Failure {
    fn from(error: image::ImageError) -> Self {
        Self::Decoder(error)
    }
}

fn decode_png(bytes: &[u8]) -> Result<DecodedImage, Failure> {
    let format = ImageFormat::Png;
    // Width, height, depth and kind of colour stand in the header, at fixed places (PNG specification, 11.2.1). The
    // decoder tells only what it makes of them.
    let header = bytes.get(16..26).ok_or(Failure::Explained(ImageError::Truncated { format }))?;
    let size = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let color = match header[9] {
        0 => ColorKind::Grey,
        2 => ColorKind::Rgb,
        3 => ColorKind::Palette,
        4 => ColorKind::GreyAlpha,
        _ => ColorKind::Rgba,
    };
    let facts = ImageFacts { width: size(0), height: size(4), bits: header[8], color, format };
    check_size(facts.width, facts.height, format)?;
    // The decoder counts its own memory only, not the image's.
    finish(PngDecoder::with_limits(Cursor::new(bytes), memory_limit(MAX_WORKING_BYTES))?, |_| facts)
}

fn decode_jpeg(bytes: &[u8]) -> Result<DecodedImage, Failure> {
    let decoder = JpegDecoder::new(Cursor::new(bytes))?;
    if !jpeg_end::has_end(bytes) {
        return Err(Failure::Explained(ImageError::Truncated { format: ImageFormat::Jpeg }));
    }
    finish(decoder, |decoder| stored_facts(decoder, ImageFormat::Jpeg))
}

fn decode_tiff(bytes: &[u8]) -> Result<DecodedImage, Failure> {
    let mut decoder = TiffDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, ImageFormat::Tiff)?;
    decoder.set_limits(memory_limit(MAX_IMAGE_BYTES + MAX_WORKING_BYTES))?;
    finish(decoder, |decoder| stored_facts(decoder, ImageFormat::Tiff))
}

fn memory_limit(bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

fn finish<D: ImageDecoder>(decoder: D, facts: impl Fn(&D) -> ImageFacts) -> Result<DecodedImage, Failure> {
    let facts = facts(&decoder);
    check_size(facts.width, facts.height, facts.format)?;
    let samples = samples_of(DynamicImage::from_decoder(decoder)?).ok_or_else(|| {
        Failure::Explained(ImageError::Unsupported {
            format: facts.format,
            reason: "samples in floating point".to_owned(),
        })
    })?;
    Ok(DecodedImage { facts, samples })
}

fn check_size(width: u32, height: u32, format: ImageFormat) -> Result<(), Failure> {
    if width == 0 || height == 0 {
        let reason = format!("it claims {width} × {height} pixels");
        return Err(Failure::Explained(ImageError::Damaged { format, reason }));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Failure::Explained(ImageError::TooManyPixels { width, height }));
    }
    Ok(())
}

fn stored_facts(decoder: &impl ImageDecoder, format: ImageFormat) -> ImageFacts {
    let (width, height) = decoder.dimensions();
    let stored = decoder.original_color_type();
    let color = match stored {
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => ColorKind::Cmyk,
        _ => match stored.channel_count() {
            1 => ColorKind::Grey,
            2 => ColorKind::GreyAlpha,
            3 => ColorKind::Rgb,
            _ => ColorKind::Rgba,
        },
    };
    let bits = (stored.bits_per_pixel() / u16::from(stored.channel_count())) as u8;
    ImageFacts { width, height, bits, color, format }
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

fn explain(format: ImageFormat, error: image::ImageError) -> ImageError {
    use image::ImageError as Cause;
    let ends_early = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    match error {
        Cause::IoError(error) if ends_early(&error) => ImageError::Truncated { format },
        Cause::Limits(_) => ImageError::Unsupported { format, reason: "it takes too much memory to decode".to_owned() },
        Cause::Unsupported(error) => ImageError::Unsupported { format, reason: one_line(&error) },
        Cause::Decoding(error) => {
            // The inner text says what is wrong; the outer one repeats the format.
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

fn one_line(text: &dyn fmt::Display) -> String {
    printable(text.to_string().trim())
}
