//! The directory of a page: the format of its pixels and the supported kinds.

use tiff_reader::{ColorMap, Ifd, PhotometricInterpretation as Photometric};

use super::explain;
use super::orientation::Orientation;
use crate::decode::size_check::check_facts;
use crate::image_error::ImageError;
use crate::image_facts::{ColorKind, ImageFacts, ImageFormat};

const ORIENTATION: u16 = 274;

/// The compression of strips and tiles, as far as it decides which code decodes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// One JPEG stream each.
    Jpeg,
    /// CCITT T.6, one bit per pixel.
    Group4,
    /// Uncompressed, whole bytes.
    Bare,
    /// Decoded by the TIFF reader.
    Other,
}

/// The meaning of a pixel's samples.
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

/// A page of a supported kind.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// As stored, before the orientation is applied.
    pub(super) facts: ImageFacts,
    pub(super) samples_per_pixel: usize,
    pub(super) photometry: Photometry,
    pub(super) coding: Coding,
    pub(super) orientation: Orientation,
    /// True if the colours are stored as luma and chroma, which is supported for JPEG streams only.
    pub(super) luma_and_chroma: bool,
    /// True if every sample of a pixel has a plane of its own.
    pub(super) planar: bool,
}

impl Page {
    /// Reads a directory. An unsupported kind is an error that names it.
    pub(super) fn of(directory: &Ifd) -> Result<Self, ImageError> {
        let bits = bits(directory)?;
        let coding = coding(directory.compression(), bits)?;
        let photometric = photometric(directory)?;
        let samples_per_pixel = usize::from(directory.samples_per_pixel());
        let luma_and_chroma = photometric == Photometric::YCbCr;
        let planar = directory.planar_configuration() == 2 && samples_per_pixel > 1;
        let (photometry, needed) = match photometric {
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
        if samples_per_pixel < needed {
            let reason = format!("it has {samples_per_pixel} samples per pixel where {needed} are needed");
            return Err(super::damaged(reason));
        }
        let extra = samples_per_pixel > needed;
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
        if coding == Coding::Group4 && (bits, samples_per_pixel) != (1, 1) {
            return Err(super::damaged("CCITT Group 4 compression of more than one bit per pixel".to_owned()));
        }
        let facts =
            ImageFacts { width: directory.width(), height: directory.height(), bits, color, format: ImageFormat::Tiff };
        let orientation =
            Orientation::of_tag(directory.tag(ORIENTATION).and_then(|tag| tag.value.as_u16()).unwrap_or(1));
        Ok(Self { facts, samples_per_pixel, photometry, coding, orientation, luma_and_chroma, planar })
    }

    /// Checks the size of the picture.
    pub(super) fn check(&self) -> Result<(), ImageError> {
        check_facts(self.facts)?;
        // Extra samples are dropped, but have to be decoded first.
        let stored = self.samples_per_pixel as u64 * u64::from(self.facts.width) * u64::from(self.facts.height);
        if stored * u64::from(self.facts.bits).div_ceil(8) > crate::image_limits::MAX_IMAGE_BYTES {
            return Err(unsupported("it takes too much memory to decode"));
        }
        Ok(())
    }

    /// The facts of the upright picture.
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

/// Bits per sample: 1, 2, 4, 8 or 16, unsigned and the same for all samples of a pixel.
fn bits(directory: &Ifd) -> Result<u8, ImageError> {
    let all = directory.bits_per_sample().map_err(explain)?;
    let bits = all.first().copied().unwrap_or(1);
    if all.iter().any(|&other| other != bits) {
        return Err(unsupported("samples of different depths in a pixel"));
    }
    let formats = directory.sample_format().map_err(explain)?;
    // 4 means undefined, which libtiff treats as unsigned integers.
    if let Some(format) = formats.into_iter().find(|format| !matches!(format, 1 | 4)) {
        let kind = match format {
            2 => "signed integers",
            3 => "floating-point numbers",
            5 => "complex integers",
            6 => "complex floating-point numbers",
            _ => return Err(unsupported(&format!("sample format {format}"))),
        };
        return Err(unsupported(&format!("samples that are {bits}-bit {kind}")));
    }
    match bits {
        1 | 2 | 4 | 8 | 16 => Ok(bits as u8),
        9..16 => Err(unsupported(&format!("packed {bits}-bit samples"))),
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
