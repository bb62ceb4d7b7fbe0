//! What a file of an image holds, as it is stored.

use std::fmt;

/// A file format of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline or progressive.
    Jpeg,
    /// Tagged Image File Format; its first page.
    Tiff,
}

impl ImageFormat {
    /// The format that a file's first bytes announce.
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

/// What a pixel of the file consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorKind {
    /// One grey value.
    Grey,
    /// A grey value and an opacity.
    GreyAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and an opacity.
    Rgba,
    /// An entry of a table of colours.
    Palette,
    /// Four printing inks.
    Cmyk,
}

impl ColorKind {
    /// Samples of a pixel, as they are decoded.
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

/// What a file holds, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits of one sample: 1 to 16.
    pub bits: u8,
    /// What a pixel consists of.
    pub color: ColorKind,
    /// The file's format.
    pub format: ImageFormat,
}

impl fmt::Display for ImageFacts {
    /// `1283 × 2255 · 8-bit grey · PNG`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} · {}-bit {} · {}", self.width, self.height, self.bits, self.color, self.format)
    }
}
