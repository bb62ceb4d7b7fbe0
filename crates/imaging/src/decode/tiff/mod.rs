//! TIFF: the first page with its Orientation tag applied, as Pillow, OpenCV and libtiff do.

mod blocks;
mod first_page;
mod orientation;
mod page;

use std::path::Path;

use tiff_reader::source::{BytesSource, FileSource};
use tiff_reader::{ColorMap, TiffError};

use self::first_page::FirstPage;
use self::page::{Coding, Page, Photometry, unsupported};
use crate::decoded_image::{DecodedImage, Samples};
use crate::image_error::ImageError;
use crate::image_facts::{ImageFacts, ImageFormat};
use crate::raster::{Channels, Raster};

/// Decodes the first page of a TIFF file.
pub(super) fn decode(bytes: Vec<u8>) -> Result<DecodedImage, ImageError> {
    let file = FirstPage::open(BytesSource::new(bytes))?;
    let page = Page::of(&file.directory)?;
    page.check()?;
    let stored = match page.coding {
        Coding::Jpeg => Stored::Bytes(blocks::decode_jpeg(&file, &page)?),
        Coding::Group4 => Stored::Bytes(blocks::decode_group4(&file, &page)?),
        Coding::Bare => blocks::copy_samples(&file, &page)?,
        Coding::Other => {
            let bytes = file.tiff.read_image_bytes_from_ifd(&file.directory).map_err(explain)?;
            Stored::of_native_bytes(bytes, page.facts.bits)
        }
    };
    let samples = page.orientation.apply(interpret(stored, &page)?);
    Ok(DecodedImage { facts: page.turned_facts(), samples })
}

/// The facts of the first page, read from its directory alone.
pub(crate) fn read_facts(path: &Path) -> Result<ImageFacts, ImageError> {
    let file = FirstPage::open(FileSource::open(path).map_err(explain)?)?;
    let page = Page::of(&file.directory)?;
    page.check()?;
    Ok(page.turned_facts())
}

/// The samples of a page as stored, row by row and interleaved.
enum Stored {
    /// Up to 8 bits, each sample in a byte.
    Bytes(Vec<u8>),
    /// 16 bits.
    Words(Vec<u16>),
}

impl Stored {
    /// Converts samples in native byte order.
    fn of_native_bytes(bytes: Vec<u8>, bits: u8) -> Self {
        if bits <= 8 {
            return Self::Bytes(bytes);
        }
        Self::Words(bytes.as_chunks::<2>().0.iter().map(|&sample| u16::from_ne_bytes(sample)).collect())
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(samples) => samples.len(),
            Self::Words(samples) => samples.len(),
        }
    }
}

/// Converts stored samples to grey or RGB.
fn interpret(stored: Stored, page: &Page) -> Result<Samples, ImageError> {
    let (width, height, per_pixel) = (page.facts.width as usize, page.facts.height as usize, page.samples_per_pixel);
    if stored.len() != width * height * per_pixel {
        return Err(damaged(format!("{} of {} samples were decoded", stored.len(), width * height * per_pixel)));
    }
    let grey = |samples| Samples::Depth8(Raster::new(width, height, Channels::Grey, samples));
    let rgb = |samples| Samples::Depth8(Raster::new(width, height, Channels::Rgb, samples));
    let deep = |channels, samples| Samples::Depth16(Raster::new(width, height, channels, samples));
    Ok(match (stored, &page.photometry) {
        (Stored::Words(samples), Photometry::Grey { white_is_zero: false }) => {
            deep(Channels::Grey, leading::<_, 1>(samples, per_pixel))
        }
        (Stored::Words(mut samples), Photometry::Grey { white_is_zero: true }) => {
            for sample in &mut samples {
                *sample = !*sample;
            }
            deep(Channels::Grey, leading::<_, 1>(samples, per_pixel))
        }
        (Stored::Words(samples), Photometry::Rgb) => deep(Channels::Rgb, leading::<_, 3>(samples, per_pixel)),
        (Stored::Words(_), Photometry::Palette(_) | Photometry::Inks) => {
            return Err(unsupported("16-bit palette or CMYK"));
        }
        (Stored::Bytes(mut samples), Photometry::Grey { white_is_zero }) => {
            if page.facts.bits < 8 || *white_is_zero {
                let levels: [u8; 256] =
                    std::array::from_fn(|stored| spread(stored as u8, page.facts.bits, *white_is_zero));
                for sample in &mut samples {
                    *sample = levels[usize::from(*sample)];
                }
            }
            grey(leading::<_, 1>(samples, per_pixel))
        }
        (Stored::Bytes(samples), Photometry::Rgb) => rgb(leading::<_, 3>(samples, per_pixel)),
        (Stored::Bytes(samples), Photometry::Palette(colors)) => rgb(looked_up(&samples, per_pixel, &palette(colors))?),
        (Stored::Bytes(samples), Photometry::Inks) => {
            let pixels = samples.chunks_exact(per_pixel);
            rgb(pixels
                .flat_map(|pixel| crate::decode::inks::rgb_of_inks([pixel[0], pixel[1], pixel[2], pixel[3]]))
                .collect())
        }
    })
}

/// Scales a sample of 1 to 8 bits to 8, so that its largest value is white, or black if `white_is_zero`.
fn spread(stored: u8, bits: u8, white_is_zero: bool) -> u8 {
    let largest = (1_u16 << bits) - 1;
    let level = (u16::from(stored).min(largest) * 255 / largest) as u8;
    if white_is_zero { 255 - level } else { level }
}

/// Drops all but the first `KEPT` samples of each pixel.
fn leading<S: Copy, const KEPT: usize>(stored: Vec<S>, per_pixel: usize) -> Vec<S> {
    if per_pixel == KEPT {
        return stored;
    }
    stored.chunks_exact(per_pixel).flat_map(|pixel| pixel[..KEPT].iter().copied()).collect()
}

fn looked_up(indices: &[u8], per_pixel: usize, colors: &[[u8; 3]]) -> Result<Vec<u8>, ImageError> {
    let mut rgb = Vec::with_capacity(indices.len() / per_pixel * 3);
    for &index in indices.iter().step_by(per_pixel) {
        let color = colors.get(usize::from(index));
        rgb.extend(
            color.ok_or_else(|| damaged(format!("a pixel has colour {index} of a palette of {}", colors.len())))?,
        );
    }
    Ok(rgb)
}

/// The palette in 8 bits. The standard stores 16 bits; some programs store 8-bit values there, which libtiff recognises
/// by no value exceeding 255.
fn palette(colors: &ColorMap) -> Vec<[u8; 3]> {
    let planes = [colors.red(), colors.green(), colors.blue()];
    let shift = if planes.iter().all(|plane| plane.iter().all(|&value| value < 256)) { 0 } else { 8 };
    (0..colors.len()).map(|index| planes.map(|plane| (plane[index] >> shift) as u8)).collect()
}

fn damaged(reason: String) -> ImageError {
    ImageError::Damaged { format: ImageFormat::Tiff, reason }
}

fn explain(error: TiffError) -> ImageError {
    let format = ImageFormat::Tiff;
    let unsupported = |reason: String| ImageError::Unsupported { format, reason };
    match error {
        TiffError::Truncated { .. } | TiffError::OffsetOutOfBounds { .. } => ImageError::Truncated { format },
        TiffError::Io(error, _) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated { format }
        }
        TiffError::Io(error, _) => ImageError::Unreadable(error),
        TiffError::DecodeOutputTooLarge { .. } | TiffError::DecodeOutputAllocationFailed { .. } => {
            unsupported("it takes too much memory to decode".to_owned())
        }
        TiffError::UnsupportedPredictor(code) => unsupported(format!("predictor {code}")),
        TiffError::UnsupportedPlanarConfiguration(code) => unsupported(format!("planar configuration {code}")),
        TiffError::DecompressionFailed { index, reason } => {
            damaged(format!("strip or tile {}: {}", index + 1, crate::image_error::one_line(&reason)))
        }
        error => damaged(crate::image_error::one_line(&error)),
    }
}
