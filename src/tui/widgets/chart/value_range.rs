//! The range of the vertical axis. A few values far from the others do not flatten them: the range covers the bulk of
//! each curve, and what exceeds it is cut.

use std::ops::Range;

use super::Layer;
use mammoscope_domain::run::metric_series::Extent;

/// The number of values that stand for a curve.
const SAMPLES: usize = 256;
/// Peaks are cut only if this many times as much of the height is gained for the rest.
const MIN_GAIN: f64 = 1.8;
/// The share of a dense curve that its range covers on either side.
const COVERED: f64 = 0.98;
/// The distance of the range of a curve with few points from its quartiles, in interquartile ranges.
const FAR_OUT: f64 = 2.0;

/// The range of values of all curves, and of their bulk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ValueRange {
    pub(super) whole: (f64, f64),
    pub(super) bulk: (f64, f64),
}

impl ValueRange {
    /// The range of the layers between two places of the horizontal axis; `None` if they have no values there.
    pub(super) fn of(layers: &[Layer<'_>], x: (f64, f64)) -> Option<Self> {
        let ranges = layers.iter().filter_map(|layer| Self::of_layer(layer, x));
        ranges.reduce(|one, other| Self { whole: joined(one.whole, other.whole), bulk: joined(one.bulk, other.bulk) })
    }

    fn of_layer(layer: &Layer<'_>, x: (f64, f64)) -> Option<Self> {
        let range = visible(layer.places, x);
        let Extent { min, max } = layer.series.extent(range.clone())?;
        let whole = (f64::from(min), f64::from(max));
        let (mut lows, mut highs) = (Vec::new(), Vec::new());
        let block = range.len().div_ceil(SAMPLES).max(1);
        for start in range.clone().step_by(block) {
            if let Some(extent) = layer.series.extent(start..(start + block).min(range.end)) {
                lows.push(f64::from(extent.min));
                highs.push(f64::from(extent.max));
            }
        }
        lows.sort_unstable_by(f64::total_cmp);
        highs.sort_unstable_by(f64::total_cmp);
        let bulk = if layer.pointed {
            let reach = FAR_OUT * (quantile(&highs, 0.75) - quantile(&lows, 0.25));
            (quantile(&lows, 0.25) - reach, quantile(&highs, 0.75) + reach)
        } else {
            (quantile(&lows, 1.0 - COVERED), quantile(&highs, COVERED))
        };
        let range = Self { whole, bulk: (bulk.0.max(whole.0), bulk.1.min(whole.1)) };
        Some(Self { whole, bulk: range.without_peaks() })
    }

    /// The range to show: the bulk if the rest would flatten it. An end of the whole range stays unless the bulk gains
    /// from cutting it.
    pub(super) fn without_peaks(self) -> (f64, f64) {
        let Self { whole, bulk } = self;
        let height = bulk.1 - bulk.0;
        if height <= 0.0 || whole.1 - whole.0 < MIN_GAIN * height {
            return whole;
        }
        let keeps = |excess: f64| excess < height * (MIN_GAIN - 1.0) / 4.0;
        let low = if keeps(bulk.0 - whole.0) { whole.0 } else { bulk.0 };
        let high = if keeps(whole.1 - bulk.1) { whole.1 } else { bulk.1 };
        (low, high)
    }
}

/// The indices of the points between two places. Between two points, only the line that connects them may be visible.
pub(super) fn visible(places: &[f64], x: (f64, f64)) -> Range<usize> {
    let start = places.partition_point(|place| *place < x.0);
    let end = places.partition_point(|place| *place <= x.1);
    if start < end { start..end } else { start.saturating_sub(1)..(end + 1).min(places.len()) }
}

fn joined(one: (f64, f64), other: (f64, f64)) -> (f64, f64) {
    (one.0.min(other.0), one.1.max(other.1))
}

/// A quantile of sorted values, one of the values themselves.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[at]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;
    use mammoscope_domain::run::metric_series::MetricSeries;

    fn range_of(curves: &[(&[f32], bool)]) -> ValueRange {
        let series: Vec<(Vec<f64>, MetricSeries)> = curves
            .iter()
            .map(|(values, _)| {
                let mut series = MetricSeries::default();
                values.iter().for_each(|value| series.push(*value));
                ((0..values.len()).map(|at| at as f64 / values.len() as f64).collect(), series)
            })
            .collect();
        let layers: Vec<Layer<'_>> = series
            .iter()
            .zip(curves)
            .map(|((places, series), (_, pointed))| Layer {
                places,
                series,
                style: Style::new(),
                pointed: *pointed,
                letter: None,
            })
            .collect();
        ValueRange::of(&layers, (0.0, 1.0)).unwrap()
    }

    /// A training loss that falls from 2.3 to 0.3.
    fn falling() -> Vec<f32> {
        (0..500).map(|step| 0.3 + 2.0 * (-(step as f32) / 60.0).exp()).collect()
    }

    #[test]
    fn an_early_spike_of_the_validation_loss_does_not_flatten_the_rest() {
        let spiky = [1.6_f32, 7.5, 5.0, 1.2, 1.0, 0.9, 0.8, 0.75, 0.7, 0.7, 0.68, 0.7, 0.66, 0.65, 0.64, 0.64];
        let range = range_of(&[(&falling(), false), (&spiky, true)]);
        assert!((range.whole.1 - 7.5).abs() < 1e-6);
        let shown = range.without_peaks();
        assert!(shown.1 > 2.0 && shown.1 < 2.4, "the training loss is shown from its start: {shown:?}");
        assert!((shown.0 - 0.3).abs() < 1e-3, "and to its end: {shown:?}");
    }

    #[test]
    fn a_falling_curve_is_shown_as_a_whole() {
        let val: Vec<f32> = (0..20).map(|epoch| 0.5 + 1.5 / (1.0 + epoch as f32)).collect();
        let range = range_of(&[(&falling(), false), (&val, true)]);
        assert_eq!(range.without_peaks(), range.whole);
    }

    #[test]
    fn constant_curves_have_a_range() {
        let range = range_of(&[(&[0.01; 300], false)]);
        assert_eq!(range.without_peaks(), (f64::from(0.01_f32), f64::from(0.01_f32)));
    }

    proptest! {
        #[test]
        fn the_range_shown_is_within_the_whole_and_covers_most_of_every_dense_curve(
            values in prop::collection::vec(prop_oneof![20 => -2.0_f32..8.0, 1 => -1e4_f32..1e4], 1..600),
        ) {
            let range = range_of(&[(&values, false)]);
            let (low, high) = range.without_peaks();
            prop_assert!(range.whole.0 <= low && low <= high && high <= range.whole.1);
            let within = values.iter().filter(|value| (low..=high).contains(&f64::from(**value))).count();
            prop_assert!(within as f64 >= values.len() as f64 * 0.8);
        }
    }
}
