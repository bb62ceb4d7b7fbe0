//! All figures of merit of one set of predictions, with intervals.

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::calibration::ReliabilityBin;
use super::classification_report::{ClassFigures, PerClass};
use super::confusion_matrix::ConfusionMatrix;
use super::figures_of_merit::{CountedCases, FiguresOfMerit, PreparedCases};
use crate::subject::density::DensityClass;
use crate::subject::prediction::LabelledPrediction;

const FIGURES: usize = FiguresOfMerit::<f64>::COUNT;
const CLASS_FIGURES: usize = 3 * DensityClass::COUNT;

/// All figures of merit of one set of labelled predictions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// The number of cases (images, breasts or examinations); at least one.
    pub n: usize,
    /// The scalar figures.
    #[serde(flatten)]
    pub figures: FiguresOfMerit<Option<f64>>,
    /// Rows true, columns predicted.
    pub confusion_matrix: ConfusionMatrix,
    /// Non-dense and dense: rows true, columns predicted.
    pub dense_confusion: [[u64; 2]; 2],
    /// Precision, recall, F1 and support of each class.
    pub per_class: PerClass<ClassFigures>,
    /// The non-empty bins of the reliability diagram.
    pub ece15_bins: Vec<ReliabilityBin>,
    /// The most probable class of each case, 0 for A to 3 for D, in the order of the cases.
    pub predictions: Vec<usize>,
    /// The 95 % intervals, by the names of the figures.
    pub intervals: Intervals,
}

/// The 95 % intervals of the figures; `None` if a figure is undefined or has no bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Intervals {
    /// Of the scalar figures.
    #[serde(flatten)]
    pub figures: FiguresOfMerit<Option<Interval>>,
    pub per_class: PerClass<ClassIntervals>,
}

/// The 95 % intervals of one class's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassIntervals {
    pub precision: Option<Interval>,
    pub recall: Option<Interval>,
    pub f1: Option<Interval>,
}

impl Evaluation {
    /// Computes all figures; `None` if there are no cases.
    #[must_use]
    pub fn of(cases: &[LabelledPrediction], bootstrap: Bootstrap) -> Option<Self> {
        if cases.is_empty() {
            return None;
        }
        let prepared = PreparedCases::new(cases);
        let CountedCases { matrix, report, reliability, figures } = prepared.count_once();
        let drawn: [Option<Interval>; FIGURES + CLASS_FIGURES] =
            bootstrap.intervals(prepared.subject_of(), |multiplicity| statistics(&prepared.count(multiplicity)));
        Some(Self {
            n: cases.len(),
            figures,
            confusion_matrix: matrix,
            dense_confusion: matrix.dense(),
            per_class: report.per_class,
            ece15_bins: reliability.bins().collect(),
            predictions: cases.iter().map(|case| case.predicted().index()).collect(),
            intervals: Intervals::of_statistics(&drawn),
        })
    }
}

/// All numbers of a resample: the scalar figures, then each class's precision, recall and F1, which are undefined for a
/// class that was not drawn.
fn statistics(counted: &CountedCases) -> [Option<f64>; FIGURES + CLASS_FIGURES] {
    let figures = counted.figures.to_array();
    std::array::from_fn(|place| {
        let Some(place) = place.checked_sub(FIGURES) else { return figures[place] };
        let class = counted.report.per_class.0[place / 3];
        (class.support > 0).then_some([class.precision, class.recall, class.f1][place % 3])
    })
}

impl Intervals {
    /// Names the intervals of the numbers of [`statistics`], which are in its order.
    fn of_statistics(drawn: &[Option<Interval>; FIGURES + CLASS_FIGURES]) -> Self {
        let class = |class: usize| {
            let first = FIGURES + 3 * class;
            ClassIntervals { precision: drawn[first], recall: drawn[first + 1], f1: drawn[first + 2] }
        };
        Self {
            figures: FiguresOfMerit::from_array(std::array::from_fn(|place| drawn[place])),
            per_class: PerClass(std::array::from_fn(class)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subject::probabilities::Probabilities;
    use crate::subject::subject_id::SubjectId;

    const QUICK: Bootstrap = Bootstrap { resamples: 60, seed: 3 };

    fn case(subject: usize, label: DensityClass, probabilities: [f64; 4]) -> LabelledPrediction {
        LabelledPrediction {
            subject: SubjectId(subject.to_string()),
            label,
            probabilities: Probabilities(probabilities),
        }
    }

    fn any_cases() -> impl Strategy<Value = Vec<LabelledPrediction>> {
        let any_case = (0_usize..12, 0_usize..4, prop::array::uniform4(0.01_f64..1.0));
        prop::collection::vec(any_case, 1..40).prop_map(|cases| {
            let normalised = |raw: [f64; 4]| raw.map(|value| value / raw.iter().sum::<f64>());
            cases.into_iter().map(|(id, label, raw)| case(id, DensityClass::ALL[label], normalised(raw))).collect()
        })
    }

    #[test]
    fn an_empty_set_has_no_evaluation() {
        assert!(Evaluation::of(&[], QUICK).is_none());
    }

    #[test]
    fn one_case_has_only_the_figures_that_are_defined_for_it() {
        let evaluation = Evaluation::of(&[case(1, DensityClass::B, [0.1, 0.8, 0.1, 0.0])], QUICK).unwrap();
        assert_eq!(evaluation.figures.accuracy, Some(1.0));
        assert_eq!(evaluation.figures.kappa_linear, None);
        assert_eq!(evaluation.figures.auc_macro_ovr, None);
        assert_eq!(evaluation.intervals.figures.auc_dense_sum, None);
        assert_eq!(evaluation.predictions, [1]);
        let json = serde_json::to_value(&evaluation).unwrap();
        assert!(json["kappa_linear"].is_null());
        assert!(json["intervals"]["accuracy"].is_null(), "one subject has no interval");
    }

    #[test]
    fn resamples_without_a_rare_class_are_left_out() {
        let mut cases: Vec<_> = (0..9).map(|id| case(id, DensityClass::B, [0.1, 0.8, 0.1, 0.0])).collect();
        cases.push(case(9, DensityClass::C, [0.1, 0.1, 0.8, 0.0]));
        cases.push(case(10, DensityClass::B, [0.8, 0.1, 0.1, 0.0]));
        let evaluation = Evaluation::of(&cases, Bootstrap { resamples: 400, seed: 0 }).unwrap();
        let recall = evaluation.intervals.figures.macro_recall.unwrap();
        // One subject of eleven is missed by a share of (10/11)^11 = .35 of the resamples.
        assert!((100..180).contains(&recall.undefined_resamples), "{recall:?}");
        assert_eq!(evaluation.intervals.per_class.of(DensityClass::B).recall.unwrap().undefined_resamples, 0);
        assert_eq!(evaluation.intervals.per_class.of(DensityClass::C).recall, None, "1 in every resample that has it");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn figures_stay_in_range_and_do_not_depend_on_the_order(cases in any_cases()) {
            let evaluation = Evaluation::of(&cases, QUICK).unwrap();
            let mut backwards = cases.clone();
            backwards.reverse();
            let reversed = Evaluation::of(&backwards, QUICK).unwrap();
            prop_assert_eq!(evaluation.confusion_matrix, reversed.confusion_matrix);
            prop_assert_eq!(evaluation.confusion_matrix.total(), cases.len() as u64);
            for (there, back) in evaluation.figures.to_array().into_iter().zip(reversed.figures.to_array()) {
                match (there, back) {
                    (Some(there), Some(back)) => prop_assert!((there - back).abs() < 1e-9),
                    (there, back) => prop_assert_eq!(there, back),
                }
            }
            let figures = evaluation.figures;
            for share in [figures.accuracy, figures.macro_f1, figures.ece15, figures.dense_accuracy, figures.adjacent_accuracy] {
                prop_assert!(share.is_some_and(|share| (0.0..=1.0 + 1e-12).contains(&share)));
            }
            prop_assert!(figures.accuracy <= figures.adjacent_accuracy);
            for interval in evaluation.intervals.figures.to_array().into_iter().flatten() {
                prop_assert!(interval.low <= interval.high);
            }
        }
    }
}
