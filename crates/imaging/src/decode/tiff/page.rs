//! What the directory of a page says of its pixels, and which kinds are read.

use tiff_reader::{ColorMap, Ifd, PhotometricInterpretation as Photometric};

use super::explain;
use super::orientation::Orientation;
use crate::decode::size_check::check_facts;
use crate::image_error::ImageError;
use crate::image_facts::{ColorKind, ImageFacts, ImageFormat};

const ORIENTATION: u16 = 274;

/// How strips and tiles are compressed, as far as it matters who reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// A JPEG stream each.
    Jpeg,
    /// CCITT T.6, one bit a pixel.
    Group4,
    /// Not compressed, whole bytes.
    Bare,
    /// What the reader reads by itself.
    Other,
}

/// What the samples of a pixel mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Photometry {
    Grey {
        white_is_zero: bool,
    },
    Rgb,
    Palette(ColorMap),
    /// Cyan, magenta, yellow, black.
    Inks,
}

/// A page of a kind that is read.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// As stored, not turned yet.
    pub(super) facts: ImageFacts,
    pub(super) samples_a_pixel: usize,
    pub(super) photometry: Photometry,
    pub(super) coding: Coding,
    pub(super) orientation: Orientation,
    /// Whether the colours are stored as luma and chroma: of JPEG streams only.
    pub(super) luma_and_chroma: bool,
    /// Whether the samples of a pixel lie in planes of their own.
    pub(super) planar: bool,
}

impl Page {
    /// Reads a directory; a kind that is not read is an error that names it.
    pub(super) fn of(directory: &Ifd) -> Result<Self, ImageError> {
        let bits = bits(directory)?;
        let coding = coding(directory.compression(), bits)?;
        let photometric = photometric(directory)?;
        let samples_a_pixel = usize::from(directory.samples_per_pixel());
        let luma_and_chroma = photometric == Photometric::YCbCr;
        let planar = directory.planar_configuration() == 2 && samples_a_pixel > 1;
        let (photometry, wanted) = match photometric {
            Photometric::MinIsWhite => (Photometry::Grey { white_is_zero: true }, 1),
            Photometric::MinIsBlack => (Photometry::Grey { white_is_zero: false }, 1),
            Photometric::Rgb => (Photometry::Rgb, 3),
            Photometric::Palette => {
                let colors = directory.color_map().map_err(explain)?;
                (Photometry::Palette(colors.ok_or_else(|| super::damaged("its palette is missing".to_owned()))?), 1)
            }
            Photometric::YCbCr if coding == Coding::Jpeg && !planar => (Photometry::Rgb, 3),
            Photometric::YCbCr => return Err(unsupported("colours as luma and chroma (YCbCr)")),
            Photometric::Separated => (Photometry::Inks, 4),
            Photometric::CieLab => return Err(unsupported("CIELab colours")),
            Photometric::Mask => return Err(unsupported("a transparency mask, not a picture")),
        };
        if samples_a_pixel < wanted {
            return Err(super::damaged(format!("it has {samples_a_pixel} samples a pixel where {wanted} are needed")));
        }
        let extra = samples_a_pixel > wanted;
        let color = match photometry {
            Photometry::Grey { .. } if extra => ColorKind::GreyAlpha,
            Photometry::Grey { .. } => ColorKind::Grey,
            Photometry::Rgb if extra => ColorKind::Rgba,
            Photometry::Rgb => ColorKind::Rgb,
            Photometry::Palette(_) => ColorKind::Palette,
            Photometry::Inks => ColorKind::Cmyk,
        };
        if bits < 8 && matches!(color, ColorKind::Rgb | ColorKind::Rgba | ColorKind::Cmyk) {
            return Err(unsupported(&format!("{bits}-bit {color}")));
        }
        if coding == Coding::Group4 && (bits, samples_a_pixel) != (1, 1) {
            return Err(super::damaged("CCITT Group 4 compression of more than one bit a pixel".to_owned()));
        }
        let facts =
            ImageFacts { width: directory.width(), height: directory.height(), bits, color, format: ImageFormat::Tiff };
        let orientation =
            Orientation::of_tag(directory.tag(ORIENTATION).and_then(|tag| tag.value.as_u16()).unwrap_or(1));
        Ok(Self { facts, samples_a_pixel, photometry, coding, orientation, luma_and_chroma, planar })
    }

    /// Whether the picture is of a size that is read.
    pub(super) fn check(&self) -> Result<(), ImageError> {
        check_facts(self.facts)?;
        // Samples that are dropped have to be decoded, too.
        let dropped = self.samples_a_pixel as u64 * u64::from(self.facts.width) * u64::from(self.facts.height);
        if dropped * u64::from(self.facts.bits).div_ceil(8) > crate::image_limits::MAX_IMAGE_BYTES {
            return Err(unsupported("it takes too much memory to decode"));
        }
        Ok(())
    }

    /// What the picture is when it is turned as it is to be seen.
    pub(super) fn turned_facts(&self) -> ImageFacts {
        let ImageFacts { width, height, .. } = self.facts;
        let (width, height) = if self.orientation.swaps_sides() { (height, width) } else { (width, height) };
        ImageFacts { width, height, ..self.facts }
    }
}

pub(super) fn unsupported(reason: &str) -> ImageError {
    ImageError::Unsupported { format: ImageFormat::Tiff, reason: reason.to_owned() }
}

fn coding(compression: u16, bits: u8) -> Result<Coding, ImageError> {
    let name = match compression {
        1 if bits >= 8 => return Ok(Coding::Bare),
        1 | 5 | 8 | 32_946 | 32_773 | 50_000 => return Ok(Coding::Other),
        7 => return Ok(Coding::Jpeg),
        4 => return Ok(Coding::Group4),
        2 => "CCITT modified Huffman compression",
        3 => "CCITT Group 3 compression",
        6 => "old-style JPEG compression",
        9 | 10 | 34_661 => "JBIG compression",
        33_003 | 33_004 | 33_005 | 34_712 => "JPEG 2000 compression",
        34_887 => "LERC compression",
        34_925 => "LZMA compression",
        50_001 => "WebP compression",
        50_002 | 52_546 => "JPEG XL compression",
        other => return Err(unsupported(&format!("compression {other}"))),
    };
    Err(unsupported(name))
}

/// Bits of a sample, the same for all of a pixel: 1, 2, 4, 8 or 16, without a sign.
fn bits(directory: &Ifd) -> Result<u8, ImageError> {
    let all = directory.bits_per_sample().map_err(explain)?;
    let bits = all.first().copied().unwrap_or(1);
    if all.iter().any(|&other| other != bits) {
        return Err(unsupported("samples of different depths in a pixel"));
    }
    let formats = directory.sample_format().map_err(explain)?;
    // 4 is undefined, which libtiff takes for integers without a sign.
    if let Some(format) = formats.into_iter().find(|format| !matches!(format, 1 | 4)) {
        let kind = match format {
            2 => "integers with a sign",
            3 => "floating-point numbers",
            5 => "complex integers",
            6 => "complex floating-point numbers",
            _ => return Err(unsupported(&format!("sample format {format}"))),
        };
        return Err(unsupported(&format!("samples that are {bits}-bit {kind}")));
    }
    match bits {
        1 | 2 | 4 | 8 | 16 => Ok(bits as u8),
        9..16 => Err(unsupported(&format!("{bits}-bit samples, packed"))),
        _ => Err(unsupported(&format!("{bits}-bit samples"))),
    }
}

fn photometric(directory: &Ifd) -> Result<Photometric, ImageError> {
    let Some(code) = directory.photometric_interpretation() else {
        return Err(super::damaged("it does not say what its samples mean (PhotometricInterpretation)".to_owned()));
    };
    directory
        .photometric_interpretation_enum()
        .ok_or_else(|| unsupported(&format!("photometric interpretation {code}")))
}
