//! Spearman's rank correlation.

/// Spearman's rank correlation, −1 to 1: Pearson's correlation of the ranks, ties taking the mean of theirs. `None`
/// with fewer than two pairs, if all values of one side are equal, or if any is NaN. Spearman 1904.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn spearman(first: &[f32], second: &[f32]) -> Option<f64> {
    assert_eq!(first.len(), second.len(), "pairs of values");
    let (first, second) = (ranks(first)?, ranks(second)?);
    let mut sums = RankSums::of(first.len());
    first.into_iter().zip(second).for_each(|(first, second)| sums.add(first, second));
    sums.correlation()
}

/// [`spearman`] of values and grey levels, without sorting the levels: there are many pixels but few levels.
///
/// # Panics
/// If the lengths differ.
#[must_use]
pub fn spearman_with_levels(values: &[f32], levels: &[u8]) -> Option<f64> {
    assert_eq!(values.len(), levels.len(), "pairs of values");
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut counts = [0_usize; 256];
    for &level in levels {
        counts[usize::from(level)] += 1;
    }
    let mut before = 0;
    let level_ranks = counts.map(|count| {
        before += count;
        mean_rank(before - count, count)
    });
    // The sort key of the value above, the level below: the sorted pairs need no lookup by index.
    let mut pairs: Vec<u64> =
        values.iter().zip(levels).map(|(&value, &level)| u64::from(sort_key(value)) << 8 | u64::from(level)).collect();
    radsort::sort_by_key(&mut pairs, |pair| (pair >> 8) as u32);
    let (mut sums, mut before) = (RankSums::of(values.len()), 0);
    for equal in pairs.chunk_by(|a, b| a >> 8 == b >> 8) {
        let rank = mean_rank(before, equal.len());
        for pair in equal {
            sums.add(rank, level_ranks[(pair & 0xff) as usize]);
        }
        before += equal.len();
    }
    sums.correlation()
}

/// The sums that Pearson's correlation of ranks is computed from.
struct RankSums {
    mean: f64,
    product: f64,
    spread: [f64; 2],
}

impl RankSums {
    /// Empty sums for `count` pairs. Ranks from 1 to n have the same mean with or without ties.
    fn of(count: usize) -> Self {
        Self { mean: (count + 1) as f64 / 2.0, product: 0.0, spread: [0.0; 2] }
    }

    fn add(&mut self, first: f64, second: f64) {
        let (a, b) = (first - self.mean, second - self.mean);
        self.product += a * b;
        self.spread[0] += a * a;
        self.spread[1] += b * b;
    }

    fn correlation(&self) -> Option<f64> {
        // A single root of the product is exact if both spreads are equal.
        let scale = (self.spread[0] * self.spread[1]).sqrt();
        (scale > 0.0).then(|| (self.product / scale).clamp(-1.0, 1.0))
    }
}

/// The rank of `equal` tied values with `before` values below them.
fn mean_rank(before: usize, equal: usize) -> f64 {
    before as f64 + (equal + 1) as f64 / 2.0
}

/// The rank of each value from 1, ties taking the mean of theirs; `None` if any is NaN.
fn ranks(values: &[f32]) -> Option<Vec<f64>> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    // The sort key of the value above, its index below: sorting these is several times as fast as sorting indices by
    // the values they point to.
    let mut order: Vec<u64> =
        values.iter().zip(0_u64..).map(|(&value, at)| u64::from(sort_key(value)) << 32 | at).collect();
    radsort::sort_by_key(&mut order, |number| (number >> 32) as u32);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| a >> 32 == b >> 32) {
        let rank = mean_rank(before, equal.len());
        for &number in equal {
            ranks[(number & u64::from(u32::MAX)) as usize] = rank;
        }
        before += equal.len();
    }
    Some(ranks)
}

/// An integer key in the order of the numbers; zero and minus zero share one.
fn sort_key(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn correlations_match_a_hand_computation() {
        assert_eq!(spearman(&[1.0, 2.0, 30.0], &[-5.0, 0.0, 0.1]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Ranks 1 2.5 2.5 4 against 1 2 3 4: 4.5 / √(4.5 · 5).
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((tied - 4.5 / 22.5_f64.sqrt()).abs() < 1e-12, "{tied}");
        assert_eq!(ranks(&[0.0, -0.0, -1.0]), Some(vec![2.5, 2.5, 1.0]));
    }

    #[test]
    fn degenerate_pairs_have_no_correlation() {
        assert_eq!(spearman(&[], &[]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, f32::NAN], &[1.0, 2.0]), None);
        assert_eq!(spearman_with_levels(&[1.0, f32::NAN], &[1, 2]), None);
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_the_values(first in -1e30_f32..1e30, second in prop::num::f32::ANY) {
            prop_assume!(!second.is_nan());
            prop_assert_eq!(sort_key(first).cmp(&sort_key(second)), first.partial_cmp(&second).unwrap());
        }

        #[test]
        fn levels_correlate_like_values(pairs in prop::collection::vec((-3_i8..3, 0_u8..9), 0..60)) {
            let (values, levels): (Vec<_>, Vec<_>) = pairs.iter().map(|&(a, b)| (f32::from(a) / 7.0, b * 30)).unzip();
            let as_values: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
            let (found, expected) = (spearman_with_levels(&values, &levels), spearman(&values, &as_values));
            prop_assert_eq!(found.is_some(), expected.is_some());
            // The order of summation differs.
            prop_assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12);
        }

        #[test]
        fn correlations_are_in_range_and_depend_on_order_alone(pairs in prop::collection::vec((-3_i8..3, -3_i8..3), 2..60)) {
            let (first, second): (Vec<_>, Vec<_>) = pairs.iter().map(|&(a, b)| (f32::from(a), f32::from(b))).unzip();
            if let Some(correlation) = spearman(&first, &second) {
                prop_assert!((-1.0..=1.0).contains(&correlation));
                prop_assert_eq!(spearman(&second, &first), Some(correlation));
                // Only the order counts, and reversing it changes the sign.
                let cubed: Vec<f32> = first.iter().map(|value| value.powi(3)).collect();
                prop_assert_eq!(spearman(&cubed, &second), Some(correlation));
                let reversed: Vec<f32> = first.iter().map(|value| -value).collect();
                prop_assert!((spearman(&reversed, &second).unwrap() + correlation).abs() < 1e-12);
            }
        }
    }
}
