//! The area under the ROC curve.

/// Scores that differ by no more than this share of the larger one are tied: the mean of probabilities depends in its
/// last bits on the order of summation. It is relative, since small scores differ by little.
const ROUNDING: f64 = 1e-12;

/// Scores of cases, sorted once, so that the area takes one pass for any choice of positives and any multiplicities, as
/// in the resamples of a bootstrap.
#[derive(Clone, Debug)]
pub struct RankedScores {
    /// Indices of the cases by ascending score.
    order: Vec<u32>,
    /// For each position in `order`: true if the next one has another score.
    ends_tie: Vec<bool>,
}

impl RankedScores {
    /// Sorts scores, which must not be NaN. Scores that differ by rounding alone are tied.
    #[must_use]
    pub fn new(scores: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]));
        let score = |position: usize| scores[order[position] as usize];
        // Compared with the first score of the tie, so that many small steps do not make one long tie.
        let mut first = 0;
        let mut ends_tie = Vec::with_capacity(order.len());
        for next in 1..=order.len() {
            let ends = next == order.len() || !is_tied(score(first), score(next));
            ends_tie.push(ends);
            if ends {
                first = next;
            }
        }
        Self { order, ends_tie }
    }

    /// The cases by descending score, each with `true` if the next one has another score.
    pub(crate) fn descending(&self) -> impl Iterator<Item = (usize, bool)> {
        // Ties end where, in ascending order, the case before ends one.
        let ends = self.ends_tie.iter().rev().skip(1).copied().chain(std::iter::once(true));
        self.order.iter().rev().map(|case| *case as usize).zip(ends)
    }

    /// The area under the ROC curve: the probability that a positive case scores higher than a negative one, ties
    /// counting half (Hanley & McNeil, Radiology 143:29 (1982); the Mann–Whitney statistic with midranks). Case `i`
    /// counts `multiplicity[i]` times. `None` without positives or without negatives.
    #[must_use]
    pub fn area(&self, is_positive: impl Fn(usize) -> bool, multiplicity: &[u32]) -> Option<f64> {
        let (mut positives, mut negatives) = (0_u64, 0_u64);
        let (mut tied_positives, mut tied_negatives) = (0_u64, 0_u64);
        // Twice the number of correctly ordered (positive, negative) pairs, so that a tie counts one.
        let mut doubled_wins = 0_u128;
        for (&case, &ends_tie) in self.order.iter().zip(&self.ends_tie) {
            let case = case as usize;
            let times = u64::from(multiplicity[case]);
            if is_positive(case) {
                tied_positives += times;
            } else {
                tied_negatives += times;
            }
            if ends_tie {
                doubled_wins += u128::from(tied_positives) * u128::from(2 * negatives + tied_negatives);
                positives += std::mem::take(&mut tied_positives);
                negatives += std::mem::take(&mut tied_negatives);
            }
        }
        let pairs = positives as f64 * negatives as f64;
        (pairs > 0.0).then(|| doubled_wins as f64 / (2.0 * pairs))
    }
}

fn is_tied(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * a.abs().max(b.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn area_by_definition(cases: &[(f64, bool, u32)]) -> Option<f64> {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for &(positive, _, n) in cases.iter().filter(|case| case.1) {
            for &(negative, _, m) in cases.iter().filter(|case| !case.1) {
                let weight = f64::from(n) * f64::from(m);
                pairs += weight;
                wins +=
                    weight * if positive > negative { 1.0 } else { f64::from(u8::from(positive >= negative)) / 2.0 };
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }

    fn area(cases: &[(f64, bool, u32)]) -> Option<f64> {
        let scores: Vec<f64> = cases.iter().map(|case| case.0).collect();
        let times: Vec<u32> = cases.iter().map(|case| case.2).collect();
        RankedScores::new(&scores).area(|case| cases[case].1, &times)
    }

    #[test]
    fn areas_match_a_hand_computation() {
        assert_eq!(area(&[(0.1, false, 1), (0.4, true, 1), (0.35, false, 1), (0.8, true, 1)]), Some(1.0));
        assert_eq!(area(&[(0.1, false, 1), (0.35, true, 1), (0.4, false, 1), (0.8, true, 1)]), Some(0.75));
        assert_eq!(area(&[(0.5, false, 1), (0.5, true, 1)]), Some(0.5));
        assert_eq!(area(&[(0.5, true, 1), (0.7, true, 1)]), None, "no negatives");
        assert_eq!(area(&[(0.5, true, 0), (0.7, false, 1)]), None, "the only positive was not drawn");
        assert_eq!(area(&[]), None);
    }

    #[test]
    fn scores_that_differ_by_rounding_are_tied() {
        let (one_order, another) = ((0.1 + 0.2 + 0.3) / 3.0, (0.3 + 0.2 + 0.1) / 3.0);
        assert!(one_order > another, "the last bit differs");
        assert_eq!(area(&[(one_order, true, 1), (another, false, 1)]), Some(0.5));
        assert_eq!(area(&[(2e-14, true, 1), (1e-14, false, 1)]), Some(1.0), "small scores are ranked too");
        assert_eq!(area(&[(0.0, true, 1), (-0.0, false, 1)]), Some(0.5));
        // Steps of 0.8 of the tolerance: the third is not tied with the first.
        let steps: Vec<_> = (0..3_i32).map(|step| (1.0 + 0.8e-12 * f64::from(step), step == 2, 1)).collect();
        assert_eq!(area(&steps), Some(1.0));
    }

    proptest! {
        #[test]
        fn the_area_equals_the_definition_over_all_pairs(
            cases in prop::collection::vec((0_u8..12, any::<bool>(), 0_u32..4), 0..60)
        ) {
            let cases: Vec<_> = cases.into_iter().map(|(score, positive, n)| (f64::from(score) / 11.0, positive, n)).collect();
            match (area(&cases), area_by_definition(&cases)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }

        #[test]
        fn the_area_depends_on_order_alone_and_is_mirrored_when_reversed(
            cases in prop::collection::vec((-3.0_f64..3.0, any::<bool>(), 1_u32..3), 1..40)
        ) {
            let stretched: Vec<_> = cases.iter().map(|&(score, positive, n)| (score.exp(), positive, n)).collect();
            let mirrored: Vec<_> = cases.iter().map(|&(score, positive, n)| (-score, positive, n)).collect();
            prop_assert_eq!(area(&cases), area(&stretched));
            if let (Some(there), Some(back)) = (area(&cases), area(&mirrored)) {
                prop_assert!((there + back - 1.0).abs() < 1e-12);
            }
        }
    }
}
