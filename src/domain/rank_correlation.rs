//! Whether two sets of values are in the same order.

/// Spearman's rank correlation, −1 to 1: Pearson's correlation of the ranks, equal values with the mean of theirs. `None`
/// for less than two pairs, where all values of a side are equal, or where one is not a number. Spearman 1904.
///
/// # Panics
/// When the two are not of one length.
#[must_use]
pub fn spearman(first: &[f32], second: &[f32]) -> Option<f64> {
    assert_eq!(first.len(), second.len(), "pairs of values");
    let (first, second) = (ranks(first)?, ranks(second)?);
    // Ranks from 1 to n always have this mean, ties or not.
    let mean = (first.len() + 1) as f64 / 2.0;
    let (mut product, mut spread) = (0.0, [0.0; 2]);
    for (a, b) in first.iter().zip(&second) {
        let (a, b) = (a - mean, b - mean);
        product += a * b;
        spread[0] += a * a;
        spread[1] += b * b;
    }
    // One root of the product: it is exact where both spreads are the same.
    let scale = (spread[0] * spread[1]).sqrt();
    (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
}

/// The rank of each value from 1, equal ones with their mean; `None` if one is not a number.
fn ranks(values: &[f32]) -> Option<Vec<f64>> {
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    // A number for its value, which rises with it, and its place below: to sort these is several times as fast as to sort
    // places by what lies there.
    let mut order: Vec<u64> =
        values.iter().zip(0_u64..).map(|(&value, at)| u64::from(rising(value)) << 32 | at).collect();
    order.sort_unstable();
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| a >> 32 == b >> 32) {
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        for &number in equal {
            ranks[(number & u64::from(u32::MAX)) as usize] = rank;
        }
        before += equal.len();
    }
    Some(ranks)
}

/// Bits that are in the order of the numbers; zero and minus zero have the same.
fn rising(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(spearman(&[1.0, 2.0, 30.0], &[-5.0, 0.0, 0.1]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        // Ranks 1 2.5 2.5 4 against 1 2 3 4: 4.5 / √(4.5 · 5).
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((tied - 4.5 / 22.5_f64.sqrt()).abs() < 1e-12, "{tied}");
        assert_eq!(ranks(&[0.0, -0.0, -1.0]), Some(vec![2.5, 2.5, 1.0]));
    }

    #[test]
    fn undefined() {
        assert_eq!(spearman(&[], &[]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[1.0, f32::NAN], &[1.0, 2.0]), None);
    }

    proptest! {
        #[test]
        fn bits_rise_with_values(first in -1e30_f32..1e30, second in prop::num::f32::ANY) {
            prop_assume!(!second.is_nan());
            prop_assert_eq!(rising(first).cmp(&rising(second)), first.partial_cmp(&second).unwrap());
        }

        #[test]
        fn between_minus_one_and_one(pairs in prop::collection::vec((-3_i8..3, -3_i8..3), 2..60)) {
            let (first, second): (Vec<_>, Vec<_>) = pairs.iter().map(|&(a, b)| (f32::from(a), f32::from(b))).unzip();
            if let Some(correlation) = spearman(&first, &second) {
                prop_assert!((-1.0..=1.0).contains(&correlation));
                prop_assert_eq!(spearman(&second, &first), Some(correlation));
                // Only the order counts, and a reversed one changes the sign.
                let cubed: Vec<f32> = first.iter().map(|value| value.powi(3)).collect();
                prop_assert_eq!(spearman(&cubed, &second), Some(correlation));
                let reversed: Vec<f32> = first.iter().map(|value| -value).collect();
                prop_assert!((spearman(&reversed, &second).unwrap() + correlation).abs() < 1e-12);
            }
        }
    }
}
