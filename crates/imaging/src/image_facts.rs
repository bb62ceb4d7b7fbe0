//! The format, size, depth and colours of an image file.

use std::fmt;

/// An image file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    Png,
    /// Baseline or progressive.
    Jpeg,
    /// The first page.
    Tiff,
}

impl ImageFormat {
    /// Recognises the format by a file's first bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            _ => None,
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
        })
    }
}

/// The colour type of a file's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorKind {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    Palette,
    Cmyk,
}

impl ColorKind {
    /// Samples per pixel during decoding.
    pub(super) const fn samples(self) -> u64 {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb | Self::Palette => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

impl fmt::Display for ColorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Grey => "grey",
            Self::GreyAlpha => "grey with alpha",
            Self::Rgb => "RGB",
            Self::Rgba => "RGB with alpha",
            Self::Palette => "palette",
            Self::Cmyk => "CMYK",
        })
    }
}

/// The facts in an image file's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    pub width: u32,
    pub height: u32,
    /// Bits per sample, 1 to 16.
    pub bits: u8,
    pub color: ColorKind,
    pub format: ImageFormat,
}

impl fmt::Display for ImageFacts {
    /// `1283 × 2255 · 8-bit grey · PNG`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} · {}-bit {} · {}", self.width, self.height, self.bits, self.color, self.format)
    }
}
