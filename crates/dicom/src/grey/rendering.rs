//! Rendering: from stored values to grey, 0 (black) to 1 (white).

use super::choice::GreyTransform;
use super::modality::Modality;
use crate::file::data_set::DataSet;
use crate::file::tag;
use crate::header::pixel_layout::Photometric;
use crate::stored_pixels::StoredPixels;

/// Pixel values that are padding, inclusive (PS3.3, C.7.5.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    pub lowest: i32,
    pub highest: i32,
}

impl Padding {
    /// The padding that a header states.
    #[must_use]
    pub fn of(header: &DataSet<'_>, signed: bool) -> Option<Self> {
        let value = |tag| {
            let word = header.short(tag)?;
            Some(if signed { i32::from(word.cast_signed()) } else { i32::from(word) })
        };
        let value_or_limit = value(tag::PIXEL_PADDING_VALUE)?;
        let limit = value(tag::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value_or_limit);
        Some(Self { lowest: value_or_limit.min(limit), highest: value_or_limit.max(limit) })
    }

    fn contains(self, value: i32) -> bool {
        (self.lowest..=self.highest).contains(&value)
    }
}

/// The grey of every word that an image can have.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering {
    greys: Vec<f64>,
    /// Pixels with padding values, which are black.
    pub padded: usize,
    /// For [`GreyTransform::Range`]: the values that are black and white.
    pub range: Option<(f64, f64)>,
}

impl Rendering {
    /// Modality transformation, then `transform`, then one inversion for MONOCHROME1; padding is black whatever the
    /// rest says. Presentation LUT Shape is not applied on top: for these images it repeats the inversion.
    #[must_use]
    pub fn new(
        pixels: &StoredPixels,
        modality: &Modality,
        transform: &GreyTransform,
        padding: Option<Padding>,
        photometric: Photometric,
    ) -> Self {
        let mut counts = vec![0_usize; 1 << 16];
        for &word in &pixels.words {
            counts[usize::from(word)] += 1;
        }
        let words = || (0..=u16::MAX).filter(|&word| counts[usize::from(word)] > 0);
        let is_padding = |word| padding.is_some_and(|padding| padding.contains(pixels.value(word)));
        let outputs = || words().filter(|&word| !is_padding(word)).map(|word| modality.apply(pixels.value(word)));
        let range = matches!(transform, GreyTransform::Range).then(|| {
            outputs().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), output| (low.min(output), high.max(output)))
        });
        let mut greys = vec![0.0; 1 << 16];
        for word in words().filter(|&word| !is_padding(word)) {
            let value = modality.apply(pixels.value(word));
            let grey = match (transform, range) {
                (GreyTransform::Table { table, .. }, _) => f64::from(table.entry(value.round_ties_even() as i32)) / table.white(),
                (GreyTransform::Window { window, .. }, _) => window.grey(value),
                (GreyTransform::Range, Some((low, high))) if high > low => (value - low) / (high - low),
                (GreyTransform::Range, _) => 0.0,
            };
            let grey = grey.clamp(0.0, 1.0);
            greys[usize::from(word)] = match photometric {
                Photometric::Monochrome1 => 1.0 - grey,
                Photometric::Monochrome2 => grey,
            };
        }
        let padded = words().filter(|&word| is_padding(word)).map(|word| counts[usize::from(word)]).sum();
        Self { greys, padded, range: range.filter(|(low, high)| low <= high) }
    }

    /// The picture at 8 bits, rounded half up.
    #[must_use]
    pub fn to_8_bits(&self, pixels: &StoredPixels) -> Vec<u8> {
        let levels: Vec<u8> = self.greys.iter().map(|grey| (grey * 255.0 + 0.5).floor() as u8).collect();
        pixels.words.iter().map(|&word| levels[usize::from(word)]).collect()
    }

    /// The picture at 16 bits, rounded half up.
    #[must_use]
    pub fn to_16_bits(&self, pixels: &StoredPixels) -> Vec<u16> {
        let levels: Vec<u16> = self.greys.iter().map(|grey| (grey * 65535.0 + 0.5).floor() as u16).collect();
        pixels.words.iter().map(|&word| levels[usize::from(word)]).collect()
    }
}
