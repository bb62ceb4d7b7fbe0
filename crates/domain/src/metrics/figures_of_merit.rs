//! The figures of merit of one set of predictions.

use std::collections::HashMap;

use serde::Serialize;

use super::agreement::{KappaWeights, cohen_kappa};
use super::calibration::{Reliability, brier, negative_log_likelihood};
use super::classification_report::ClassificationReport;
use super::confusion_matrix::ConfusionMatrix;
use super::roc::RankedScores;
use crate::subject::density::DensityClass;
use crate::subject::prediction::LabelledPrediction;
use crate::subject::probabilities::Probabilities;

const CLASSES: usize = DensityClass::COUNT;

/// Declares [`FiguresOfMerit`] and its conversion to and from an array from one list of names, so that no two figures
/// can be mixed up: those before the areas of the classes, and those after.
macro_rules! figures_of_merit {
    (
        before { $($(#[$before_doc:meta])* $before:ident,)* }
        after { $($(#[$after_doc:meta])* $after:ident,)* }
    ) => {
        /// The scalar figures of merit: with `T = Option<f64>` their values, `None` if a figure is undefined; with
        /// `T = Option<Interval>` their intervals, by the same names.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
        pub struct FiguresOfMerit<T> {
            $($(#[$before_doc])* pub $before: T,)*
            /// One-against-rest areas under the ROC curve of A to D.
            pub auc_per_class_ovr: [T; CLASSES],
            $($(#[$after_doc])* pub $after: T,)*
        }

        impl<T: Copy> FiguresOfMerit<T> {
            /// All numbers, in the order of the fields.
            #[must_use]
            pub fn to_array(&self) -> [T; 21] {
                let [a, b, c, d] = self.auc_per_class_ovr;
                [$(self.$before,)* a, b, c, d, $(self.$after,)*]
            }

            /// The inverse of [`FiguresOfMerit::to_array`].
            #[must_use]
            pub fn from_array(numbers: [T; 21]) -> Self {
                let [$($before,)* a, b, c, d, $($after,)*] = numbers;
                Self { $($before,)* auc_per_class_ovr: [a, b, c, d], $($after,)* }
            }
        }
    };
}

figures_of_merit! {
    before {
        /// The share of correct predictions.
        accuracy,
        /// The unweighted mean of the classes' recalls.
        macro_recall,
        /// The unweighted mean of the classes' precisions.
        macro_precision,
        /// The unweighted mean of the classes' F1 scores.
        macro_f1,
        /// The mean of the classes' F1 scores, weighted by support.
        weighted_f1,
        /// Cohen's kappa.
        kappa_unweighted,
        /// Cohen's kappa, weighted by distance.
        kappa_linear,
        /// Cohen's kappa, weighted by squared distance.
        kappa_quadratic,
        /// The mean of the classes' one-against-rest areas under the ROC curve; undefined if a class is absent.
        auc_macro_ovr,
    }
    after {
        /// The area under the ROC curve of dense (C, D) against non-dense by P(C) + P(D).
        auc_dense_sum,
        /// The expected calibration error, 15 bins.
        ece15,
        /// The maximum calibration error, 15 bins.
        mce15,
        /// The mean negative log-likelihood in nats.
        log_loss,
        /// The mean Brier score over all classes, 0 to 2.
        brier_multiclass,
        /// The accuracy of dense against non-dense, by the most probable class.
        dense_accuracy,
        /// The accuracy of dense against non-dense, dense meaning P(C) + P(D) > P(A) + P(B).
        dense_accuracy_by_sum,
        /// The share of predictions at most one class away from the truth.
        adjacent_accuracy,
    }
}

impl<T> FiguresOfMerit<T> {
    /// The length of the array.
    pub const COUNT: usize = 21;
}

/// The quantities of a case that do not change between resamples.
struct PreparedCase {
    label: DensityClass,
    predicted: DensityClass,
    top_probability: f64,
    bin: usize,
    dense_by_sum: bool,
    log_loss: f64,
    brier: f64,
}

/// Cases prepared to be counted repeatedly with varying multiplicities: scores are sorted, bins found and losses
/// computed once, so that a resample costs one pass.
pub struct PreparedCases {
    cases: Vec<PreparedCase>,
    subject_of: Vec<u32>,
    subjects: usize,
    class_ranks: [RankedScores; CLASSES],
    dense_rank: RankedScores,
    present: [bool; CLASSES],
}

/// The results of counting the cases.
pub struct CountedCases {
    pub matrix: ConfusionMatrix,
    pub report: ClassificationReport,
    pub reliability: Reliability,
    pub figures: FiguresOfMerit<Option<f64>>,
}

impl PreparedCases {
    #[must_use]
    pub fn new(cases: &[LabelledPrediction]) -> Self {
        let mut numbers = HashMap::new();
        let subject_of = cases
            .iter()
            .map(|case| {
                let next = numbers.len() as u32;
                *numbers.entry(&case.subject).or_insert(next)
            })
            .collect();
        let scores = |score: &dyn Fn(&LabelledPrediction) -> f64| {
            RankedScores::new(&cases.iter().map(score).collect::<Vec<_>>())
        };
        Self {
            cases: cases.iter().map(prepare).collect(),
            subject_of,
            subjects: numbers.len(),
            class_ranks: DensityClass::ALL.map(|class| scores(&|case| summing_to_one(&case.probabilities).of(class))),
            dense_rank: scores(&|case| case.probabilities.of(DensityClass::C) + case.probabilities.of(DensityClass::D)),
            present: DensityClass::ALL.map(|class| cases.iter().any(|case| case.label == class)),
        }
    }

    /// The number of each case's subject, from 0 without gaps.
    #[must_use]
    pub fn subject_of(&self) -> &[u32] {
        &self.subject_of
    }

    /// The number of subjects.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.subjects
    }

    /// Counts every case once.
    #[must_use]
    pub fn count_once(&self) -> CountedCases {
        self.count(&vec![1; self.cases.len()])
    }

    /// Counts case `i` `multiplicity[i]` times.
    #[must_use]
    pub fn count(&self, multiplicity: &[u32]) -> CountedCases {
        let mut matrix = ConfusionMatrix::default();
        let mut reliability = Reliability::default();
        let (mut dense_hits, mut log_loss, mut brier) = (0, 0.0, 0.0);
        for (case, &times) in self.cases.iter().zip(multiplicity).filter(|(_, times)| **times > 0) {
            let weight = u64::from(times);
            matrix.add(case.label, case.predicted, weight);
            reliability.add(case.bin, case.top_probability, case.label == case.predicted, weight);
            dense_hits += if case.dense_by_sum == case.label.is_dense() { weight } else { 0 };
            log_loss += case.log_loss * f64::from(times);
            brier += case.brier * f64::from(times);
        }
        let total = matrix.total() as f64;
        let mean = |sum: f64| (total > 0.0).then(|| sum / total);
        let report = ClassificationReport::of(&matrix);
        let auc = std::array::from_fn(|class| {
            self.class_ranks[class].area(|case| self.cases[case].label.index() == class, multiplicity)
        });
        let [[true_fatty, _], [_, true_dense]] = matrix.dense();
        // A class of the set that the resample lacks would enter the means as a meaningless 0.
        let all_drawn = self.covers_all_classes(&matrix);
        let figures = FiguresOfMerit {
            accuracy: mean(matrix.correct() as f64),
            macro_recall: all_drawn.then(|| report.macro_recall()),
            macro_precision: all_drawn.then(|| report.macro_precision()),
            macro_f1: all_drawn.then(|| report.macro_f1()),
            weighted_f1: (total > 0.0).then(|| report.weighted_f1()),
            kappa_unweighted: cohen_kappa(&matrix, KappaWeights::Unweighted),
            kappa_linear: cohen_kappa(&matrix, KappaWeights::Linear),
            kappa_quadratic: cohen_kappa(&matrix, KappaWeights::Quadratic),
            auc_macro_ovr: macro_mean(auc),
            auc_per_class_ovr: auc,
            auc_dense_sum: self.dense_rank.area(|case| self.cases[case].label.is_dense(), multiplicity),
            ece15: (total > 0.0).then(|| reliability.expected_error()),
            mce15: (total > 0.0).then(|| reliability.maximum_error()),
            log_loss: mean(log_loss),
            brier_multiclass: mean(brier),
            dense_accuracy: mean((true_fatty + true_dense) as f64),
            dense_accuracy_by_sum: mean(dense_hits as f64),
            adjacent_accuracy: mean(matrix.within(1) as f64),
        };
        CountedCases { matrix, report, reliability, figures }
    }

    /// True if the matrix has cases of every class that the set has.
    fn covers_all_classes(&self, matrix: &ConfusionMatrix) -> bool {
        matrix.total() > 0
            && DensityClass::ALL.iter().all(|&class| !self.present[class.index()] || matrix.support(class) > 0)
    }
}

fn macro_mean(areas: [Option<f64>; CLASSES]) -> Option<f64> {
    let sum: Option<f64> = areas.into_iter().sum();
    Some(sum? / CLASSES as f64)
}

/// Rescales probabilities to sum to one exactly, as scikit-learn does for proper scores and one-against-rest ranks; the
/// sums of f32 softmax outputs are off by about 1e-7.
fn summing_to_one(probabilities: &Probabilities) -> Probabilities {
    let sum: f64 = probabilities.0.iter().sum();
    Probabilities(probabilities.0.map(|probability| probability / sum))
}

fn prepare(case: &LabelledPrediction) -> PreparedCase {
    let LabelledPrediction { label, probabilities, .. } = case;
    let proper = summing_to_one(probabilities);
    let predicted = case.predicted();
    let top_probability = probabilities.of(predicted);
    let [a, b, c, d] = probabilities.0;
    PreparedCase {
        label: *label,
        predicted,
        top_probability,
        bin: Reliability::bin(top_probability),
        dense_by_sum: c + d > a + b,
        log_loss: negative_log_likelihood(&proper, *label),
        brier: brier(&proper, *label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // JSON keeps the order of the fields, which has to be that of the array.
    #[test]
    fn the_array_has_the_order_of_the_fields() {
        let figures = FiguresOfMerit::from_array(std::array::from_fn(|index| index as u32));
        let json = serde_json::to_string(&figures).unwrap();
        let numbers: Vec<u32> = json
            .split(|character: char| !character.is_ascii_digit() && character != '_' && !character.is_ascii_lowercase())
            .filter_map(|word| word.parse().ok())
            .collect();
        assert_eq!(numbers, (0..21).collect::<Vec<u32>>(), "{json}");
    }

    #[test]
    fn arrays_are_converted_back() {
        let numbers: [usize; FiguresOfMerit::<usize>::COUNT] = std::array::from_fn(|index| index);
        assert_eq!(FiguresOfMerit::from_array(numbers).to_array(), numbers);
        let names = serde_json::to_value(FiguresOfMerit::from_array(numbers)).unwrap();
        assert_eq!(names["accuracy"], 0);
        assert_eq!(names["auc_per_class_ovr"], serde_json::json!([9, 10, 11, 12]));
        assert_eq!(names["adjacent_accuracy"], 20);
    }
}
