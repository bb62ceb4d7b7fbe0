//! The grey values of the breast, without those of the background.

use super::anatomy::find_breast;
use super::intensity_window::{GreyStatistics, WindowPreset};
use super::raster::Raster;
use crate::decoded_image::Samples;

/// The side, in pixels, of the reduced picture in which the breast is looked for.
pub const EXAMINED_SIDE: usize = 512;

/// Percentiles of the grey values inside the breast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreastRange {
    pub percentile_1: u16,
    pub percentile_99: u16,
}

impl BreastRange {
    /// The percentiles of a grey picture of stored values, for which [`EXAMINED_SIDE`] pixels a side are enough; `None`
    /// if no breast is found.
    #[must_use]
    pub fn of(stored: &Raster<u16>) -> Option<Self> {
        let range = GreyStatistics::of(&Samples::Depth16(stored.clone()));
        let whole = WindowPreset::Range.choice().window(&range);
        let breast = find_breast(&stored.map(|value| whole.level(value)))?;
        let mut inside: Vec<u16> = stored
            .samples()
            .iter()
            .zip(breast.pixels())
            .filter_map(|(&value, &is_inside)| is_inside.then_some(value))
            .collect();
        inside.sort_unstable();
        let at = |share: f64| inside[((inside.len() - 1) as f64 * share).round() as usize];
        (!inside.is_empty()).then(|| Self { percentile_1: at(0.01), percentile_99: at(0.99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    #[test]
    fn the_background_does_not_count() {
        // A half disc of 1000 to 1299 on a background of 0, which takes two thirds of the picture.
        let grey = |x: usize, y: usize| {
            if x.pow(2) + y.abs_diff(100).pow(2) < 80_usize.pow(2) { 1000 + ((x * 7 + y * 13) % 300) as u16 } else { 0 }
        };
        let stored = Raster::new(150, 200, Channels::Grey, (0..150 * 200).map(|at| grey(at % 150, at / 150)).collect());
        let found = BreastRange::of(&stored).unwrap();
        assert!((1000..1010).contains(&found.percentile_1), "{found:?}");
        assert!((1290..1300).contains(&found.percentile_99), "{found:?}");
        assert_eq!(BreastRange::of(&stored.map(|_| 7)), None);
    }
}
