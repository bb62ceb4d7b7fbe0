//! A metric over the steps of a run, with fast minima and maxima of any range.

use std::ops::Range;

/// The number of entries that one entry of the next level covers.
const FAN: usize = 16;

/// The minimum and maximum of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    pub min: f32,
    pub max: f32,
}

impl Extent {
    /// The extent of no values.
    const NONE: Self = Self { min: f32::INFINITY, max: f32::NEG_INFINITY };

    fn of(values: &[f32]) -> Self {
        values.iter().filter(|value| value.is_finite()).fold(Self::NONE, |extent, value| extent.with(*value))
    }

    fn with(self, value: f32) -> Self {
        Self { min: self.min.min(value), max: self.max.max(value) }
    }

    /// The extent of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// A sequence of values, with a pyramid of their extents that grows with it: level `k` holds the extents of whole blocks
/// of `16^(k + 1)` values. Values that are not finite are gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSeries {
    values: Vec<f32>,
    levels: Vec<Vec<Extent>>,
    gaps: Vec<Range<usize>>,
}

impl MetricSeries {
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The maximal ranges of values that are not finite, in order.
    #[must_use]
    pub fn gaps(&self) -> &[Range<usize>] {
        &self.gaps
    }

    pub fn push(&mut self, value: f32) {
        let at = self.values.len();
        if !value.is_finite() {
            match self.gaps.last_mut().filter(|gap| gap.end == at) {
                Some(gap) => gap.end += 1,
                None => self.gaps.push(at..at + 1),
            }
        }
        self.values.push(value);
        let mut blocks = self.values.len();
        let mut level = 0;
        while blocks.is_multiple_of(FAN) {
            blocks /= FAN;
            let extent = match level {
                0 => Extent::of(&self.values[(blocks - 1) * FAN..]),
                _ => self.levels[level - 1][(blocks - 1) * FAN..].iter().copied().fold(Extent::NONE, Extent::and),
            };
            match self.levels.get_mut(level) {
                Some(extents) => extents.push(extent),
                None => self.levels.push(vec![extent]),
            }
            level += 1;
        }
    }

    /// Keeps the first `length` values only.
    pub fn truncate(&mut self, length: usize) {
        self.values.truncate(length);
        let mut blocks = self.values.len();
        for level in &mut self.levels {
            blocks /= FAN;
            level.truncate(blocks);
        }
        self.levels.retain(|level| !level.is_empty());
        self.gaps.retain(|gap| gap.start < length);
        if let Some(gap) = self.gaps.last_mut() {
            gap.end = gap.end.min(length);
        }
    }

    /// The extent of a range; `None` if none of its values is finite.
    #[must_use]
    pub fn extent(&self, range: Range<usize>) -> Option<Extent> {
        let Range { mut start, end } = range;
        let mut end = end.min(self.values.len());
        if start >= end {
            return None;
        }
        let mut extent = Extent::NONE;
        // From the bottom up: the ragged ends of each level directly, the whole blocks in between on the next level.
        for level in 0..=self.levels.len() {
            let of = |range: Range<usize>| match level {
                0 => Extent::of(&self.values[range]),
                _ => self.levels[level - 1][range].iter().copied().fold(Extent::NONE, Extent::and),
            };
            let (first, last) = (start.next_multiple_of(FAN), end / FAN * FAN);
            if level == self.levels.len() || first >= last {
                extent = extent.and(of(start..end));
                break;
            }
            extent = extent.and(of(start..first)).and(of(last..end));
            (start, end) = (first / FAN, last / FAN);
        }
        (extent.min <= extent.max).then_some(extent)
    }

    /// The maximal ranges of finite values within a range, in order.
    pub fn finite_ranges(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
        let end = range.end.min(self.values.len());
        let mut start = range.start;
        let mut gaps = self.gaps[self.gaps.partition_point(|gap| gap.end <= range.start)..].iter();
        let mut over = false;
        std::iter::from_fn(move || {
            while !over {
                let gap = gaps.next().filter(|gap| gap.start < end);
                over = gap.is_none();
                let finite = start..gap.map_or(end, |gap| gap.start);
                start = gap.map_or(end, |gap| gap.end);
                if finite.start < finite.end {
                    return Some(finite);
                }
            }
            None
        })
    }
}

/// An exponential moving average, corrected for the bias towards its start as in TensorBoard. Values that are not finite
/// do not change it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovingAverage {
    keep: f64,
    sum: f64,
    weight: f64,
}

impl MovingAverage {
    /// An average that keeps a share of the old value, from 0 to less than 1.
    #[must_use]
    pub fn new(keep: f64) -> Self {
        Self { keep, sum: 0.0, weight: 0.0 }
    }

    /// Adds a value and returns the average, or the value itself if it is not finite.
    pub fn next(&mut self, value: f32) -> f32 {
        if !value.is_finite() {
            return value;
        }
        self.sum = self.keep * self.sum + (1.0 - self.keep) * f64::from(value);
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        (self.sum / self.weight) as f32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(values: &[f32]) -> MetricSeries {
        let mut series = MetricSeries::default();
        for value in values {
            series.push(*value);
        }
        series
    }

    fn any_value() -> impl Strategy<Value = f32> {
        prop_oneof![8 => -100.0_f32..100.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)]
    }

    proptest! {
        #[test]
        fn any_range_has_the_extent_of_its_values(
            values in prop::collection::vec(any_value(), 0..900),
            (cut, more) in (0_usize..900, prop::collection::vec(any_value(), 0..300)),
            (start, length) in (0_usize..900, 0_usize..900),
        ) {
            let mut grown = series(&values);
            grown.truncate(cut);
            for value in &more {
                grown.push(*value);
            }
            let plain: Vec<f32> = values.iter().take(cut).chain(&more).copied().collect();
            prop_assert_eq!(format!("{:?}", &grown), format!("{:?}", series(&plain)), "cut and grown again equals built at once");
            let range = start.min(plain.len())..(start + length).min(plain.len());
            let finite: Vec<f32> = plain[range.clone()].iter().copied().filter(|value| value.is_finite()).collect();
            let expected = finite.iter().copied().reduce(f32::min).zip(finite.iter().copied().reduce(f32::max));
            let found = grown.extent(range.clone()).map(|extent| (extent.min, extent.max));
            prop_assert_eq!(found, expected);
            let ranges: Vec<usize> = grown.finite_ranges(range.clone()).flatten().collect();
            let expected: Vec<usize> = range.filter(|at| plain[*at].is_finite()).collect();
            prop_assert_eq!(ranges, expected);
        }
    }

    #[test]
    fn the_average_of_a_constant_is_the_constant() {
        let mut average = MovingAverage::new(0.99);
        assert!((average.next(0.5) - 0.5).abs() < 1e-6);
        assert!(average.next(f32::NAN).is_nan());
        assert!((average.next(0.5) - 0.5).abs() < 1e-6);
        let mut average = MovingAverage::new(0.5);
        average.next(0.0);
        // (0 · ½ + 1) / (½ + 1)
        assert!((average.next(1.0) - 2.0 / 3.0).abs() < 1e-6);
    }
}
