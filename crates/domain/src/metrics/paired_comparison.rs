//! Comparison of two networks on the same cases.

use std::collections::HashMap;

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::calibration::Reliability;
use super::confusion_matrix::ConfusionMatrix;
use super::evaluation_set::EvaluationSet;
use super::figures_of_merit::{FiguresOfMerit, PreparedCases};
use super::flips::PairedCase;
use crate::subject::examination::{CaseLines, ExaminationId};
use crate::subject::prediction::LabelledPrediction;

const FIGURES: usize = FiguresOfMerit::<f64>::COUNT;

/// The figures of two sets of predictions on the cases in common, and their differences. Both are computed on the same
/// resamples of subjects: the difficulty of a case cancels out, so the interval of a difference is narrower than the
/// two intervals suggest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedComparison {
    /// The number of cases in common; at least one.
    pub n: usize,
    /// The number of cases that only the first set has, which are left out.
    pub only_here: usize,
    /// The number of cases that only the second set has, which are left out.
    pub only_there: usize,
    /// The first set's figures on the common cases.
    pub here: FiguresOfMerit<Option<f64>>,
    /// The second set's figures on the common cases.
    pub there: FiguresOfMerit<Option<f64>>,
    /// The first's minus the second's.
    pub difference: FiguresOfMerit<Option<f64>>,
    /// The 95 % intervals of the differences; `None` if all resamples agree on one difference.
    pub intervals: FiguresOfMerit<Option<Interval>>,
    /// The first set's confusion matrix on the common cases.
    #[serde(skip)]
    pub matrix_here: ConfusionMatrix,
    /// The second set's confusion matrix on the common cases.
    #[serde(skip)]
    pub matrix_there: ConfusionMatrix,
    /// The reliability of both on the common cases.
    #[serde(skip)]
    pub reliability: [Reliability; 2],
    /// The common cases.
    #[serde(skip)]
    pub pairs: Vec<PairedCase>,
}

/// Cases that the two sets label differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the labels of the two sides differ in {} cases:{}", .0.len(), CaseLines(.0))]
pub struct DifferentLabels(pub Vec<String>);

impl PairedComparison {
    /// Compares two sets of the same name, pairing cases by examination; `None` if they have no case in common.
    pub fn of(
        here: &EvaluationSet,
        there: &EvaluationSet,
        bootstrap: Bootstrap,
    ) -> Result<Option<Self>, DifferentLabels> {
        let by_id: HashMap<&ExaminationId, usize> = there.examinations.iter().zip(0..).collect();
        let (mut ours, mut theirs, mut pairs, mut different) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, (id, case)) in here.examinations.iter().zip(&here.cases).enumerate() {
            let Some(&other_place) = by_id.get(id) else { continue };
            let other: &LabelledPrediction = &there.cases[other_place];
            if case.label != other.label {
                different.push(format!("{id}: {} and {}", case.label, other.label));
            }
            pairs.push(PairedCase {
                places: [place, other_place],
                truth: case.label,
                here: case.predicted(),
                there: other.predicted(),
            });
            ours.push(case.clone());
            theirs.push(other.clone());
        }
        if !different.is_empty() {
            return Err(DifferentLabels(different));
        }
        if ours.is_empty() {
            return Ok(None);
        }
        let (ours, theirs) = (PreparedCases::new(&ours), PreparedCases::new(&theirs));
        let (counted_here, counted_there) = (ours.count_once(), theirs.count_once());
        let intervals = bootstrap.intervals(ours.subject_of(), |multiplicity| {
            minus(&ours.count(multiplicity).figures, &theirs.count(multiplicity).figures)
        });
        let n = ours.subject_of().len();
        Ok(Some(Self {
            n,
            only_here: here.cases.len() - n,
            only_there: there.cases.len() - n,
            here: counted_here.figures,
            there: counted_there.figures,
            difference: FiguresOfMerit::from_array(minus(&counted_here.figures, &counted_there.figures)),
            intervals: FiguresOfMerit::from_array(intervals),
            matrix_here: counted_here.matrix,
            matrix_there: counted_there.matrix,
            reliability: [counted_here.reliability, counted_there.reliability],
            pairs,
        }))
    }
}

fn minus(here: &FiguresOfMerit<Option<f64>>, there: &FiguresOfMerit<Option<f64>>) -> [Option<f64>; FIGURES] {
    let (here, there) = (here.to_array(), there.to_array());
    std::array::from_fn(|figure| Some(here[figure]? - there[figure]?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::density::DensityClass;
    use crate::subject::fusion::Fusion;
    use crate::subject::prediction::PredictionRow;
    use crate::subject::probabilities::Probabilities;
    use crate::subject::subject_id::SubjectId;
    use crate::subject::view::View;

    const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 400, seed: 2 };

    /// Predictions of one view for the given subjects, each correct or not.
    fn set(subjects: impl IntoIterator<Item = (usize, bool)>) -> EvaluationSet {
        let row = |(subject, correct): (usize, bool)| {
            let label = DensityClass::ALL[subject % 4];
            let predicted = if correct { label } else { DensityClass::ALL[(subject + 1) % 4] };
            let probabilities =
                Probabilities(DensityClass::ALL.map(|class| if class == predicted { 0.7 } else { 0.1 }));
            PredictionRow {
                file: subject.to_string(),
                subject: SubjectId(subject.to_string()),
                exam: None,
                view: Some(View::CcR),
                label: Some(label),
                predicted,
                probabilities,
            }
        };
        let rows: Vec<_> = subjects.into_iter().map(row).collect();
        EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap().remove(0)
    }

    #[test]
    fn the_order_of_cases_does_not_matter() {
        let there = set((0..40).map(|subject| (subject, subject % 3 > 0)));
        let here = set((0..40).rev().map(|subject| (subject, subject % 3 > 0)));
        let comparison = PairedComparison::of(&here, &there, BOOTSTRAP).unwrap().unwrap();
        assert_eq!(comparison.n, 40);
        for difference in comparison.difference.to_array().into_iter().flatten() {
            assert!(difference.abs() < 1e-12);
        }
        assert_eq!(comparison.intervals.accuracy, None, "every resample agrees on 0");
        for pair in &comparison.pairs {
            let [ours, theirs] = pair.places;
            assert_eq!(here.examinations[ours], there.examinations[theirs]);
            assert_eq!((pair.here, pair.there), (here.cases[ours].predicted(), there.cases[theirs].predicted()));
        }
    }

    #[test]
    fn only_common_cases_count_and_pairing_narrows_the_interval() {
        // Both err on every third subject; of the others the first errs on none, the second on one in ten.
        let here = set((0..60).map(|subject| (subject, subject % 3 > 0)));
        let there = set((10..80).map(|subject| (subject, subject % 3 > 0 && subject % 10 > 0)));
        let comparison = PairedComparison::of(&here, &there, BOOTSTRAP).unwrap().unwrap();
        assert_eq!((comparison.n, comparison.only_here, comparison.only_there), (50, 10, 20));
        // Of 10, 20, 30, 40 and 50 only the second errs on 10, 20, 40 and 50.
        assert!((comparison.difference.accuracy.unwrap() - 4.0 / 50.0).abs() < 1e-12);
        let interval = comparison.intervals.accuracy.unwrap();
        // Unpaired, the standard error would be about √(2 · .67 · .33 / 50) = .09, and the width .37.
        assert!(interval.low >= 0.0 && interval.high < 0.2, "{interval:?}");
    }

    #[test]
    fn different_labels_are_listed_and_disjoint_sets_are_not_compared() {
        let here = set([(1, true), (2, true)]);
        let mut there = here.clone();
        there.cases[1].label = DensityClass::D;
        let error = PairedComparison::of(&here, &there, BOOTSTRAP).unwrap_err();
        assert_eq!(error.0, ["subject 2: C and D"]);
        assert_eq!(PairedComparison::of(&here, &set([(3, true)]), BOOTSTRAP), Ok(None));
    }
}
