//! The layout of the pixels, as the header states it.

use crate::file::data_set::DataSet;
use crate::file::tag;

/// The most pixels in an image; a digitised film has 15 to 60 million.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The meaning of large values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Photometric {
    /// Large values are black.
    Monochrome1,
    /// Large values are white.
    Monochrome2,
}

impl Photometric {
    /// The name in the header, `MONOCHROME1` or `MONOCHROME2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monochrome1 => "MONOCHROME1",
            Self::Monochrome2 => "MONOCHROME2",
        }
    }
}

/// The size and the encoding of the samples of a grey image (PS3.3, C.7.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelLayout {
    pub rows: usize,
    pub columns: usize,
    /// Number of Frames; 1 if it is not stated.
    pub frames: u64,
    pub photometric: Photometric,
    /// 8 or 16.
    pub bits_allocated: u8,
    pub bits_stored: u8,
    pub high_bit: u8,
    /// True if the samples are two's complement.
    pub signed: bool,
}

/// A reason why a header does not describe an image that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutFault {
    #[error("no image: the file has no pixel data")]
    NoPixelData,
    #[error("no image: the header states no {0}")]
    Missing(&'static str),
    #[error("the image has no pixels: {rows} rows and {columns} columns")]
    NoPixels { rows: u16, columns: u16 },
    #[error("{columns} × {rows} pixels are over the limit of {} million", MAX_PIXELS / 1_000_000)]
    TooManyPixels { rows: u16, columns: u16 },
    #[error("a colour image ({0}), as of a screenshot, not a mammogram")]
    Colour(String),
    #[error("{stored} bits stored in {allocated}: the header contradicts itself")]
    BitsOverAllocated { stored: u16, allocated: u16 },
    #[error("the highest bit is {high}, which does not fit {stored} bits stored in {allocated}")]
    HighBit { high: u16, stored: u16, allocated: u16 },
    #[error("{0} bits a sample are not supported; mammograms have 8 or 16 bits allocated")]
    UnsupportedBits(u16),
    #[error("Pixel Representation {0} is neither 0 (unsigned) nor 1 (signed)")]
    Representation(u16),
    #[error("floating-point pixels are not supported")]
    FloatingPoint,
    #[error("'{0}' frames")]
    Frames(String),
}

impl PixelLayout {
    /// The layout that a header states.
    pub fn of(header: &DataSet<'_>) -> Result<Self, LayoutFault> {
        if header.value(tag::FLOAT_PIXEL_DATA).is_some() || header.value(tag::DOUBLE_FLOAT_PIXEL_DATA).is_some() {
            return Err(LayoutFault::FloatingPoint);
        }
        let required = |tag, name| header.short(tag).ok_or(LayoutFault::Missing(name));
        let (Some(rows), Some(columns)) = (header.short(tag::ROWS), header.short(tag::COLUMNS)) else {
            let missing = if header.value(tag::PIXEL_DATA).is_none() {
                LayoutFault::NoPixelData
            } else {
                LayoutFault::Missing("Rows and Columns")
            };
            return Err(missing);
        };
        if rows == 0 || columns == 0 {
            return Err(LayoutFault::NoPixels { rows, columns });
        }
        if u64::from(rows) * u64::from(columns) > MAX_PIXELS {
            return Err(LayoutFault::TooManyPixels { rows, columns });
        }
        let photometric = header.text(tag::PHOTOMETRIC_INTERPRETATION);
        let samples = header.short(tag::SAMPLES_PER_PIXEL).unwrap_or(1);
        let photometric = match photometric.as_deref() {
            Some("MONOCHROME1") if samples == 1 => Photometric::Monochrome1,
            Some("MONOCHROME2") if samples == 1 => Photometric::Monochrome2,
            None => return Err(LayoutFault::Missing("Photometric Interpretation")),
            Some(other) => {
                let known: String = other.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(16).collect();
                return Err(LayoutFault::Colour(format!("{known}, {samples} samples a pixel")));
            }
        };
        let allocated = required(tag::BITS_ALLOCATED, "Bits Allocated")?;
        let stored = header.short(tag::BITS_STORED).unwrap_or(allocated);
        if stored > allocated {
            return Err(LayoutFault::BitsOverAllocated { stored, allocated });
        }
        if !matches!(allocated, 8 | 16) || stored == 0 {
            return Err(LayoutFault::UnsupportedBits(if stored == 0 { 0 } else { allocated }));
        }
        let high = header.short(tag::HIGH_BIT).unwrap_or(stored - 1);
        if high >= allocated || high + 1 < stored {
            return Err(LayoutFault::HighBit { high, stored, allocated });
        }
        let signed = match header.short(tag::PIXEL_REPRESENTATION).unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(LayoutFault::Representation(other)),
        };
        let frames = match header.text(tag::NUMBER_OF_FRAMES) {
            None => 1,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => {
                    let shown = text.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
                    return Err(LayoutFault::Frames(shown));
                }
                Ok(frames) => frames,
            },
        };
        if header.value(tag::PIXEL_DATA).is_none() {
            return Err(LayoutFault::NoPixelData);
        }
        Ok(Self {
            rows: rows.into(),
            columns: columns.into(),
            frames,
            photometric,
            bits_allocated: allocated as u8,
            bits_stored: stored as u8,
            high_bit: high as u8,
            signed,
        })
    }

    /// Pixels per frame.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// The smallest and the largest value that Bits Stored can hold.
    #[must_use]
    pub fn value_range(&self) -> (i32, i32) {
        if self.signed {
            let half = 1 << (self.bits_stored - 1);
            (-half, half - 1)
        } else {
            (0, (1 << self.bits_stored) - 1)
        }
    }
}
