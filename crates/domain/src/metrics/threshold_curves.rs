//! ROC and precision–recall curves of a score over all thresholds.

use super::roc::RankedScores;

/// The counts of a binary decision at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    true_positives: u64,
    false_positives: u64,
}

/// The decisions that a score allows, from the highest threshold, at which no case is positive, to the lowest.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdCurves {
    counts: Vec<Counts>,
    positives: u64,
    negatives: u64,
}

impl ThresholdCurves {
    /// Counts the decisions at every distinct score, cases at or above the threshold being positive. `None` without
    /// positives or without negatives.
    #[must_use]
    pub fn of(scores: &RankedScores, is_positive: impl Fn(usize) -> bool) -> Option<Self> {
        let mut counts = Vec::new();
        let (mut true_positives, mut false_positives) = (0, 0);
        for (case, ends_tie) in scores.descending() {
            if is_positive(case) {
                true_positives += 1;
            } else {
                false_positives += 1;
            }
            if ends_tie {
                counts.push(Counts { true_positives, false_positives });
            }
        }
        (true_positives > 0 && false_positives > 0).then_some(Self {
            counts,
            positives: true_positives,
            negatives: false_positives,
        })
    }

    /// The points of the ROC curve from (0, 0) to (1, 1): false-positive rate and true-positive rate.
    pub fn roc(&self) -> impl Iterator<Item = (f64, f64)> {
        let rate = |count: &Counts| {
            let (right, wrong) = (count.true_positives as f64, count.false_positives as f64);
            (wrong / self.negatives as f64, right / self.positives as f64)
        };
        std::iter::once((0.0, 0.0)).chain(self.counts.iter().map(rate))
    }

    /// The points of the precision–recall curve, by ascending recall: recall and precision. There is none at recall 0,
    /// where precision is undefined.
    pub fn precision_recall(&self) -> impl Iterator<Item = (f64, f64)> {
        let found = self.counts.iter().filter(|count| count.true_positives > 0);
        found.map(|count| {
            let right = count.true_positives as f64;
            (right / self.positives as f64, right / (count.true_positives + count.false_positives) as f64)
        })
    }

    /// The area under the precision–recall curve as average precision: precision, summed over the steps of recall,
    /// without interpolation, which would be too optimistic (Davis & Goadrich, ICML 2006).
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        let mut last = 0.0;
        self.precision_recall()
            .map(|(recall, precision)| (recall - std::mem::replace(&mut last, recall)) * precision)
            .sum()
    }

    /// The share of positives, which is the precision of a score that knows nothing.
    #[must_use]
    pub fn prevalence(&self) -> f64 {
        self.positives as f64 / (self.positives + self.negatives) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn curves(cases: &[(f64, bool)]) -> Option<ThresholdCurves> {
        let scores: Vec<f64> = cases.iter().map(|case| case.0).collect();
        ThresholdCurves::of(&RankedScores::new(&scores), |case| cases[case].1)
    }

    #[test]
    fn points_match_those_of_scikit_learn() {
        // The example of the documentation of sklearn.metrics.average_precision_score, roc_curve and
        // precision_recall_curve: labels 0 0 1 1, scores .1 .4 .35 .8.
        let found = curves(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]).unwrap();
        let roc: Vec<_> = found.roc().collect();
        assert_eq!(roc, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        let points: Vec<_> = found.precision_recall().collect();
        assert_eq!(points, [(0.5, 1.0), (0.5, 0.5), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
        assert!((found.average_precision() - 0.833_333_333_333_333_3).abs() < 1e-12);
        assert!((found.prevalence() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn tied_scores_make_one_point_and_one_class_alone_none() {
        let found = curves(&[(0.5, true), (0.5, false), (0.5, true), (0.1, false)]).unwrap();
        assert_eq!(found.roc().collect::<Vec<_>>(), [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(curves(&[(0.5, true), (0.1, true)]), None);
        assert_eq!(curves(&[(0.5, false)]), None);
        assert_eq!(curves(&[]), None);
    }

    proptest! {
        #[test]
        fn the_trapezoids_of_the_roc_curve_add_up_to_the_area(
            cases in prop::collection::vec((0_u8..9, any::<bool>()), 2..50)
        ) {
            let cases: Vec<(f64, bool)> = cases.into_iter().map(|(score, positive)| (f64::from(score), positive)).collect();
            let scores: Vec<f64> = cases.iter().map(|case| case.0).collect();
            let area = RankedScores::new(&scores).area(|case| cases[case].1, &vec![1; cases.len()]);
            let found = curves(&cases);
            prop_assert_eq!(found.is_some(), area.is_some());
            if let (Some(found), Some(area)) = (found, area) {
                let points: Vec<_> = found.roc().collect();
                let trapezoids: f64 =
                    points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum();
                prop_assert!((trapezoids - area).abs() < 1e-12);
                prop_assert!(points.is_sorted());
                prop_assert!(found.average_precision() > 0.0 && found.average_precision() <= 1.0 + 1e-12);
            }
        }
    }
}
