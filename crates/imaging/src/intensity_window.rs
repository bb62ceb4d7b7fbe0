//! Windowing: the grey values that are drawn black and white.

use serde::{Deserialize, Serialize};

use super::breast_range::BreastRange;
use super::raster::Channels;
use crate::decoded_image::Samples;

/// Bars of a histogram.
pub const BARS: usize = 64;
/// The shift of the window per step, as a share of its width.
const LEVEL_STEP: f64 = 0.05;
/// The factor on the window's width per step.
const WIDTH_STEP: f64 = 1.25;

/// The distribution of an image's grey values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyStatistics {
    /// The smallest value in the image.
    pub low: u16,
    /// The largest value in the image.
    pub high: u16,
    pub percentile_1: u16,
    pub percentile_99: u16,
    /// The values inside the breast; `None` if they were not looked for, or if there is no breast.
    pub breast: Option<BreastRange>,
    /// The largest value of the depth.
    pub full: u16,
    /// Number of pixels in each of [`BARS`] equal intervals from 0 to `full`.
    pub histogram: Vec<u32>,
}

impl GreyStatistics {
    /// Counts the values of an image. A coloured pixel counts by its mean.
    #[must_use]
    pub fn of(samples: &Samples) -> Self {
        let (mut counts, full) = match samples {
            Samples::Depth8(_) => (vec![0_u32; 1 << 8], u16::from(u8::MAX)),
            Samples::Depth16(_) => (vec![0_u32; 1 << 16], u16::MAX),
        };
        match samples {
            Samples::Depth8(raster) if raster.channels() == Channels::Grey => {
                raster.samples().iter().for_each(|&value| counts[usize::from(value)] += 1);
            }
            Samples::Depth8(raster) => {
                raster.samples().chunks_exact(3).for_each(|pixel| counts[mean(pixel)] += 1);
            }
            Samples::Depth16(raster) if raster.channels() == Channels::Grey => {
                raster.samples().iter().for_each(|&value| counts[usize::from(value)] += 1);
            }
            Samples::Depth16(raster) => {
                raster.samples().chunks_exact(3).for_each(|pixel| counts[mean(pixel)] += 1);
            }
        }
        Self::of_counts(&counts, full)
    }

    fn of_counts(counts: &[u32], full: u16) -> Self {
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let percentile = |part: f64| {
            let wanted = (total as f64 * part).ceil().max(1.0) as u64;
            let mut seen = 0;
            let reached = |&count: &u32| {
                seen += u64::from(count);
                seen >= wanted
            };
            counts.iter().position(reached).unwrap_or(0) as u16
        };
        let histogram = counts.chunks(counts.len() / BARS).map(|part| part.iter().sum()).collect();
        Self {
            low: counts.iter().position(|&count| count > 0).unwrap_or(0) as u16,
            high: counts.iter().rposition(|&count| count > 0).unwrap_or(0) as u16,
            percentile_1: percentile(0.01),
            percentile_99: percentile(0.99),
            breast: None,
            full,
            histogram,
        }
    }
}

fn mean<S: Copy + Into<u32>>(pixel: &[S]) -> usize {
    (pixel.iter().map(|&value| value.into()).sum::<u32>() / 3) as usize
}

/// The values that a window is derived from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowPreset {
    /// [`Self::Stored`] for 8 bits; [`Self::Range`] for 16 bits, which seldom use their full range.
    #[default]
    Usual,
    /// From the smallest to the largest value of the image.
    Range,
    /// From the first to the 99th percentile.
    Percentiles,
    /// From the first to the 99th percentile of the breast's pixels.
    Breast,
    /// The full range of the depth.
    Stored,
    /// A centre and a width, as in DICOM (PS3.3 C.11.2.1.2).
    Typed { centre: i32, width: u32 },
}

impl WindowPreset {
    /// The preset without adjustments.
    #[must_use]
    pub const fn choice(self) -> WindowChoice {
        WindowChoice { preset: self, level: 0, contrast: 0 }
    }
}

/// A window preset with the user's adjustments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowChoice {
    pub preset: WindowPreset,
    /// Steps towards a brighter picture; each moves the window down.
    pub level: i8,
    /// Steps towards more contrast; each makes the window narrower.
    pub contrast: i8,
}

impl WindowChoice {
    /// The next preset, without adjustments.
    #[must_use]
    pub fn next(self) -> Self {
        let preset = match self.preset {
            WindowPreset::Usual | WindowPreset::Range => WindowPreset::Percentiles,
            WindowPreset::Percentiles => WindowPreset::Breast,
            WindowPreset::Breast => WindowPreset::Stored,
            WindowPreset::Stored | WindowPreset::Typed { .. } => WindowPreset::Range,
        };
        preset.choice()
    }

    /// Makes the picture brighter by `steps`, or darker if they are negative.
    #[must_use]
    pub fn brighter(self, steps: i8) -> Self {
        Self { level: self.level.saturating_add(steps).clamp(-40, 40), ..self }
    }

    /// Increases the contrast by `steps`, or reduces it if they are negative.
    #[must_use]
    pub fn steeper(self, steps: i8) -> Self {
        Self { contrast: self.contrast.saturating_add(steps).clamp(-12, 24), ..self }
    }

    /// The window for an image with these statistics.
    #[must_use]
    pub fn window(self, of: &GreyStatistics) -> IntensityWindow {
        let (low, high) = match (self.preset, of.breast) {
            (WindowPreset::Usual, _) if of.full == u16::from(u8::MAX) => (0, of.full),
            (WindowPreset::Usual | WindowPreset::Range, _) => (of.low, of.high),
            (WindowPreset::Breast, Some(breast)) => (breast.percentile_1, breast.percentile_99),
            (WindowPreset::Percentiles | WindowPreset::Breast, _) => (of.percentile_1, of.percentile_99),
            (WindowPreset::Stored, _) => (0, of.full),
            (WindowPreset::Typed { centre, width }, _) => {
                let typed = IntensityWindow::of_centre(centre, width);
                return typed.adjusted(self);
            }
        };
        IntensityWindow { low: low.into(), high: high.into() }.adjusted(self)
    }

    /// The name in the interface: `as stored`, `whole range`, `1–99 %`.
    #[must_use]
    pub fn name(self, of: &GreyStatistics) -> &'static str {
        if self.level != 0 || self.contrast != 0 {
            return "set by hand";
        }
        match self.preset {
            WindowPreset::Usual if of.full == u16::from(u8::MAX) => "as stored",
            WindowPreset::Usual | WindowPreset::Range => "whole range",
            WindowPreset::Percentiles => "1–99 %",
            WindowPreset::Breast if of.breast.is_none() => "no breast found, 1–99 %",
            WindowPreset::Breast => "1–99 % of the breast",
            WindowPreset::Stored => "as stored",
            WindowPreset::Typed { .. } => "typed",
        }
    }
}

/// The values that are drawn black and white. Both may be outside the range of the depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntensityWindow {
    /// The largest value that is drawn black.
    pub low: i32,
    /// The smallest value that is drawn white.
    pub high: i32,
}

impl IntensityWindow {
    /// The window of a centre and a width, as DICOM defines them.
    #[must_use]
    pub fn of_centre(centre: i32, width: u32) -> Self {
        let width = width.clamp(1, 1 << 20) as i32;
        let low = centre.clamp(-(1 << 20), 1 << 20) - width / 2;
        Self { low, high: low + width - 1 }
    }

    /// The centre and the width that [`Self::of_centre`] makes this window of.
    #[must_use]
    pub fn centre_and_width(self) -> (i32, u32) {
        let width = (self.high - self.low + 1).max(1);
        (self.low + width / 2, width as u32)
    }

    /// The window moved and narrowed by the user's adjustments.
    fn adjusted(self, by: WindowChoice) -> Self {
        if by.level == 0 && by.contrast == 0 {
            return self;
        }
        let span = f64::from(self.high) - f64::from(self.low);
        let shift = -f64::from(by.level) * LEVEL_STEP * span;
        let half = span / 2.0 * WIDTH_STEP.powi(-i32::from(by.contrast));
        let middle = f64::midpoint(f64::from(self.low), f64::from(self.high)) + shift;
        Self { low: (middle - half).round() as i32, high: (middle + half).round() as i32 }
    }

    /// The grey level, 0 to 255, in which a value is drawn.
    #[must_use]
    pub fn level(self, value: u16) -> u8 {
        // At least 1: a flat image has an empty window.
        let span = i64::from(self.high - self.low).max(1);
        let above = (i64::from(value) - i64::from(self.low)).clamp(0, span);
        ((above * 255 + span / 2) / span) as u8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::raster::Raster;

    fn statistics(values: &[u16]) -> GreyStatistics {
        GreyStatistics::of(&Samples::Depth16(Raster::new(values.len(), 1, Channels::Grey, values.to_vec())))
    }

    #[test]
    fn values_are_counted() {
        let values: Vec<u16> = (0..200).map(|value| 1000 + value * 10).collect();
        let found = statistics(&values);
        assert_eq!((found.low, found.high), (1000, 2990));
        assert_eq!((found.percentile_1, found.percentile_99), (1010, 2970));
        assert_eq!(found.histogram.iter().sum::<u32>(), 200);
        let colours = Samples::Depth8(Raster::new(1, 1, Channels::Rgb, vec![10, 20, 30]));
        assert_eq!(GreyStatistics::of(&colours).low, 20);
    }

    #[test]
    fn the_usual_window_is_as_stored_for_8_bits_and_the_range_for_16() {
        let choice = WindowChoice::default();
        let sixteen = statistics(&[1000, 3000, 5000]);
        let window = choice.window(&sixteen);
        assert_eq!([1000, 3000, 5000].map(|value| window.level(value)), [0, 128, 255]);
        let eight = GreyStatistics::of(&Samples::Depth8(Raster::new(2, 1, Channels::Grey, vec![20, 204])));
        let window = choice.window(&eight);
        assert!((0..=255).all(|value| window.level(value) == value as u8), "not rescaled");
        assert_eq!((choice.name(&eight), choice.name(&sixteen)), ("as stored", "whole range"));
    }

    #[test]
    fn every_preset_in_the_cycle_changes_the_picture() {
        let values: Vec<u8> = (20..=204).collect();
        let eight = GreyStatistics::of(&Samples::Depth8(Raster::new(values.len(), 1, Channels::Grey, values)));
        let mut choice = WindowChoice::default();
        let windows: Vec<_> = (0..5)
            .map(|_| {
                choice = choice.next();
                (choice.name(&eight), choice.window(&eight))
            })
            .collect();
        assert_eq!(windows[0], ("1–99 %", IntensityWindow { low: 21, high: 203 }));
        assert_eq!(windows[1], ("no breast found, 1–99 %", windows[0].1));
        assert_eq!(windows[2], ("as stored", IntensityWindow { low: 0, high: 255 }));
        assert_eq!(windows[3], ("whole range", IntensityWindow { low: 20, high: 204 }));
        assert_eq!(windows[4], windows[0]);
    }

    #[test]
    fn adjustments_change_brightness_and_contrast() {
        let found = statistics(&[0, 1000]);
        let neutral = WindowChoice::default();
        assert!(neutral.brighter(1).window(&found).level(500) > neutral.window(&found).level(500));
        assert!(neutral.brighter(-1).window(&found).level(500) < neutral.window(&found).level(500));
        let spread = |choice: WindowChoice| {
            let window = choice.window(&found);
            window.level(600) - window.level(400)
        };
        assert!(spread(neutral.steeper(1)) > spread(neutral));
        assert_eq!(neutral.brighter(1).name(&found), "set by hand");
    }

    #[test]
    fn centre_and_width_are_those_of_dicom() {
        let whole = IntensityWindow { low: 0, high: 255 };
        assert_eq!((whole.centre_and_width(), IntensityWindow::of_centre(128, 256)), ((128, 256), whole));
        let typed = WindowPreset::Typed { centre: 2048, width: 4096 }.choice();
        assert_eq!(typed.window(&statistics(&[7, 9])), IntensityWindow { low: 0, high: 4095 });
        assert_eq!(typed.name(&statistics(&[7, 9])), "typed");
        for window in [IntensityWindow { low: -3, high: -3 }, IntensityWindow { low: 5, high: 7 }] {
            let (centre, width) = window.centre_and_width();
            assert_eq!(IntensityWindow::of_centre(centre, width), window);
        }
    }

    #[test]
    fn the_breast_is_windowed_without_the_background() {
        let breast = BreastRange { percentile_1: 900, percentile_99: 2100 };
        let found = GreyStatistics { breast: Some(breast), ..statistics(&[0, 0, 0, 4000]) };
        let choice = WindowPreset::Breast.choice();
        assert_eq!(choice.window(&found), IntensityWindow { low: 900, high: 2100 });
        assert_eq!(choice.name(&found), "1–99 % of the breast");
    }

    proptest! {
        #[test]
        fn windows_are_monotonic(
            low in 0_u16.., high in 0_u16.., level in -40_i8..40, contrast in -12_i8..24, one in 0_u16.., other in 0_u16..,
        ) {
            let found = statistics(&[low, high]);
            let window = WindowChoice { preset: WindowPreset::Range, level, contrast }.window(&found);
            prop_assert!(window.level(one.min(other)) <= window.level(one.max(other)));
        }
    }
}
