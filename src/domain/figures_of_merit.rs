//! The figures of merit of one set of predictions.

use std::collections::HashMap;

use serde::Serialize;

use super::agreement::{KappaWeights, cohen_kappa};
use super::calibration::{Reliability, brier, negative_log_likelihood};
use super::classification_report::ClassificationReport;
use super::confusion_matrix::ConfusionMatrix;
use super::density::DensityClass;
use super::prediction::LabelledPrediction;
use super::probabilities::Probabilities;
use super::roc::RankedScores;

const CLASSES: usize = DensityClass::COUNT;

/// The figures that are one number each. With `T = Option<f64>` these are the values, `None` where a figure is
/// undefined; with `T = Option<Interval>` their intervals, by the same names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FiguresOfMerit<T> {
    /// Share of correct predictions.
    pub accuracy: T,
    /// Unweighted mean of the classes' recalls.
    pub macro_recall: T,
    /// Unweighted mean of the classes' precisions.
    pub macro_precision: T,
    /// Unweighted mean of the classes' F1.
    pub macro_f1: T,
    /// Mean of the classes' F1, weighted by support.
    pub weighted_f1: T,
    /// Cohen's kappa.
    pub kappa_unweighted: T,
    /// Cohen's kappa, weighted by distance.
    pub kappa_linear: T,
    /// Cohen's kappa, weighted by squared distance.
    pub kappa_quadratic: T,
    /// Mean of the classes' one-against-rest areas under the ROC curve; undefined where a class is absent.
    pub auc_macro_ovr: T,
    /// One-against-rest areas of A to D.
    pub auc_per_class_ovr: [T; CLASSES],
    /// Area of dense (C, D) against non-dense by P(C) + P(D).
    pub auc_dense_sum: T,
    /// Expected calibration error, 15 bins.
    pub ece15: T,
    /// Maximum calibration error, 15 bins.
    pub mce15: T,
    /// Mean negative log-likelihood in nats.
    pub log_loss: T,
    /// Mean Brier score over all classes, 0 to 2.
    pub brier_multiclass: T,
    /// Accuracy of dense against non-dense, by the most probable class.
    pub dense_accuracy: T,
    /// Accuracy of dense against non-dense, dense being P(C) + P(D) > P(A) + P(B).
    pub dense_accuracy_by_sum: T,
    /// Share of predictions at most one class away from the truth.
    pub adjacent_accuracy: T,
}

impl<T: Copy> FiguresOfMerit<T> {
    /// How many numbers these are.
    pub const COUNT: usize = 21;

    /// All numbers, in the order of the fields.
    #[must_use]
    pub fn to_array(&self) -> [T; 21] {
        let [auc_a, auc_b, auc_c, auc_d] = self.auc_per_class_ovr;
        [
            self.accuracy,
            self.macro_recall,
            self.macro_precision,
            self.macro_f1,
            self.weighted_f1,
            self.kappa_unweighted,
            self.kappa_linear,
            self.kappa_quadratic,
            self.auc_macro_ovr,
            auc_a,
            auc_b,
            auc_c,
            auc_d,
            self.auc_dense_sum,
            self.ece15,
            self.mce15,
            self.log_loss,
            self.brier_multiclass,
            self.dense_accuracy,
            self.dense_accuracy_by_sum,
            self.adjacent_accuracy,
        ]
    }

    /// The reverse of [`FiguresOfMerit::to_array`].
    #[must_use]
    pub fn from_array(numbers: [T; 21]) -> Self {
        let [
            accuracy,
            macro_recall,
            macro_precision,
            macro_f1,
            weighted_f1,
            kappa_unweighted,
            kappa_linear,
            kappa_quadratic,
            auc_macro_ovr,
            auc_a,
            auc_b,
            auc_c,
            auc_d,
            auc_dense_sum,
            ece15,
            mce15,
            log_loss,
            brier_multiclass,
            dense_accuracy,
            dense_accuracy_by_sum,
            adjacent_accuracy,
        ] = numbers;
        let auc_per_class_ovr = [auc_a, auc_b, auc_c, auc_d];
        Self {
            accuracy,
            macro_recall,
            macro_precision,
            macro_f1,
            weighted_f1,
            kappa_unweighted,
            kappa_linear,
            kappa_quadratic,
            auc_macro_ovr,
            auc_per_class_ovr,
            auc_dense_sum,
            ece15,
            mce15,
            log_loss,
            brier_multiclass,
            dense_accuracy,
            dense_accuracy_by_sum,
            adjacent_accuracy,
        }
    }
}

/// What of a case does not change between resamples.
struct PreparedCase {
    label: DensityClass,
    predicted: DensityClass,
    top_probability: f64,
    bin: usize,
    dense_by_sum: bool,
    log_loss: f64,
    brier: f64,
}

/// Cases made ready to be counted again and again with other multiplicities: scores are sorted, bins found and losses
/// taken once, so that a resample costs one pass.
pub struct PreparedCases {
    cases: Vec<PreparedCase>,
    subject_of: Vec<u32>,
    subjects: usize,
    class_ranks: [RankedScores; CLASSES],
    dense_rank: RankedScores,
    present: [bool; CLASSES],
}

/// What a count of the cases gives.
pub struct CountedCases {
    /// The confusion matrix.
    pub matrix: ConfusionMatrix,
    /// Precision, recall and F1 of each class.
    pub report: ClassificationReport,
    /// The reliability diagram.
    pub reliability: Reliability,
    /// The figures.
    pub figures: FiguresOfMerit<Option<f64>>,
}

impl PreparedCases {
    /// Makes cases ready.
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

    /// How many subjects there are.
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
        // A class that the set has but the resample has not would enter the means as a 0 that says nothing.
        let all_drawn = self.has_all_classes_of_the_set(&matrix);
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

    fn has_all_classes_of_the_set(&self, matrix: &ConfusionMatrix) -> bool {
        matrix.total() > 0
            && DensityClass::ALL.iter().all(|&class| !self.present[class.index()] || matrix.support(class) > 0)
    }
}

fn macro_mean(areas: [Option<f64>; CLASSES]) -> Option<f64> {
    let sum: Option<f64> = areas.into_iter().sum();
    Some(sum? / CLASSES as f64)
}

/// Proper scores and ranks against the rest are taken of probabilities that sum to one exactly, as scikit-learn does;
/// the sums of f32 softmax outputs are off by some 1e-7.
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

    #[test]
    fn an_array_and_back() {
        let numbers: [usize; FiguresOfMerit::<usize>::COUNT] = std::array::from_fn(|place| place);
        assert_eq!(FiguresOfMerit::from_array(numbers).to_array(), numbers);
        let names = serde_json::to_value(FiguresOfMerit::from_array(numbers)).unwrap();
        assert_eq!(names["accuracy"], 0);
        assert_eq!(names["auc_per_class_ovr"], serde_json::json!([9, 10, 11, 12]));
        assert_eq!(names["adjacent_accuracy"], 20);
    }
}
