//! Precision, recall and F1 of each class, and their means.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::confusion_matrix::ConfusionMatrix;
use crate::subject::density::DensityClass;

/// One value per class, written as an object with the keys A to D.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerClass<T>(pub [T; DensityClass::COUNT]);

impl<T> PerClass<T> {
    #[must_use]
    pub fn of(&self, class: DensityClass) -> &T {
        &self.0[class.index()]
    }
}

impl<T: Serialize> Serialize for PerClass<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(DensityClass::COUNT))?;
        for (class, value) in DensityClass::ALL.iter().zip(&self.0) {
            map.serialize_entry(class, value)?;
        }
        map.end()
    }
}

/// The figures of one class against the rest.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ClassFigures {
    /// The share of true cases among those predicted as the class; 0 if none is predicted.
    pub precision: f64,
    /// The share of the class's cases that are predicted as it; 0 if there are none.
    pub recall: f64,
    /// The harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN); 0 where that is 0/0.
    pub f1: f64,
    /// The number of cases of the class.
    pub support: u64,
}

/// Precision, recall and F1 of the four classes, as scikit-learn's `classification_report` with `labels=[A, B, C, D]`
/// and `zero_division=0` computes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassificationReport {
    pub per_class: PerClass<ClassFigures>,
}

impl ClassificationReport {
    #[must_use]
    pub fn of(matrix: &ConfusionMatrix) -> Self {
        let figures = DensityClass::ALL.map(|class| {
            let hits = matrix.count(class, class);
            let (support, predicted) = (matrix.support(class), matrix.predictions_of(class));
            ClassFigures {
                precision: share(hits, predicted),
                recall: share(hits, support),
                f1: share(2 * hits, support + predicted),
                support,
            }
        });
        Self { per_class: PerClass(figures) }
    }

    /// The unweighted mean of the four precisions.
    #[must_use]
    pub fn macro_precision(&self) -> f64 {
        self.mean(|class| class.precision)
    }

    /// The unweighted mean of the four recalls (balanced accuracy).
    #[must_use]
    pub fn macro_recall(&self) -> f64 {
        self.mean(|class| class.recall)
    }

    /// The unweighted mean of the four F1 scores.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        self.mean(|class| class.f1)
    }

    /// The mean of the four F1 scores, weighted by support; 0 for an empty matrix.
    #[must_use]
    pub fn weighted_f1(&self) -> f64 {
        let total: u64 = self.per_class.0.iter().map(|class| class.support).sum();
        let sum: f64 = self.per_class.0.iter().map(|class| class.f1 * class.support as f64).sum();
        if total == 0 { 0.0 } else { sum / total as f64 }
    }

    fn mean(&self, figure: impl Fn(&ClassFigures) -> f64) -> f64 {
        self.per_class.0.iter().map(figure).sum::<f64>() / DensityClass::COUNT as f64
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::confusion_matrix::tests::any_matrix;
    use super::*;

    #[test]
    fn class_figures_match_a_hand_computation() {
        // Two classes in use: A 3 of 4 found, B 1 of 2 found, C and D neither present nor predicted.
        let report = ClassificationReport::of(&ConfusionMatrix::new([[3, 1, 0, 0], [1, 1, 0, 0], [0; 4], [0; 4]]));
        let a = report.per_class.of(DensityClass::A);
        assert_eq!((a.precision, a.recall, a.f1, a.support), (0.75, 0.75, 0.75, 4));
        let c = report.per_class.of(DensityClass::C);
        assert_eq!((c.precision, c.recall, c.f1, c.support), (0.0, 0.0, 0.0, 0));
        assert!((report.macro_recall() - (0.75 + 0.5) / 4.0).abs() < 1e-15);
        assert!((report.weighted_f1() - (4.0 * 0.75 + 2.0 * 0.5) / 6.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn f1_is_the_harmonic_mean_and_weighted_recall_is_the_accuracy(matrix in any_matrix()) {
            let report = ClassificationReport::of(&matrix);
            let mut weighted_recall = 0.0;
            for class in report.per_class.0 {
                if class.precision + class.recall > 0.0 {
                    let harmonic = 2.0 * class.precision * class.recall / (class.precision + class.recall);
                    prop_assert!((class.f1 - harmonic).abs() < 1e-12);
                } else {
                    prop_assert!(class.f1.abs() < 1e-15);
                }
                weighted_recall += class.recall * class.support as f64 / matrix.total() as f64;
            }
            prop_assert!((weighted_recall - matrix.accuracy()).abs() < 1e-12);
        }
    }
}
