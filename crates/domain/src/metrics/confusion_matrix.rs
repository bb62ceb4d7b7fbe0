//! The confusion matrix of the four density classes.

use serde::Serialize;

use crate::subject::density::DensityClass;

const CLASSES: usize = DensityClass::COUNT;

/// Counts of (true class, predicted class): rows true, columns predicted, both in the order A to D.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfusionMatrix([[u64; CLASSES]; CLASSES]);

impl ConfusionMatrix {
    /// A matrix of counts; rows are true classes.
    #[must_use]
    pub const fn new(counts: [[u64; CLASSES]; CLASSES]) -> Self {
        Self(counts)
    }

    /// Counts a case `times` times.
    pub fn add(&mut self, truth: DensityClass, predicted: DensityClass, times: u64) {
        self.0[truth.index()][predicted.index()] += times;
    }

    /// The number of cases of class `truth` that are predicted as `predicted`.
    #[must_use]
    pub fn count(&self, truth: DensityClass, predicted: DensityClass) -> u64 {
        self.0[truth.index()][predicted.index()]
    }

    /// The number of cases.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// The number of cases of a class, its support: the sum of its row.
    #[must_use]
    pub fn support(&self, truth: DensityClass) -> u64 {
        self.0[truth.index()].iter().sum()
    }

    /// The number of times a class is predicted: the sum of its column.
    #[must_use]
    pub fn predictions_of(&self, predicted: DensityClass) -> u64 {
        self.0.iter().map(|row| row[predicted.index()]).sum()
    }

    /// The number of correct predictions.
    #[must_use]
    pub fn correct(&self) -> u64 {
        self.within(0)
    }

    /// The number of cases that are predicted at most `distance` classes away from the truth.
    #[must_use]
    pub fn within(&self, distance: usize) -> u64 {
        self.cells().filter(|cell| cell.truth.abs_diff(cell.predicted) <= distance).map(|cell| cell.count).sum()
    }

    /// The share of correct predictions; NaN for an empty matrix.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total() as f64
    }

    /// The share of predictions at most one class away from the truth; NaN for an empty matrix.
    #[must_use]
    pub fn adjacent_accuracy(&self) -> f64 {
        self.within(1) as f64 / self.total() as f64
    }

    /// The two-by-two matrix of non-dense (A, B) and dense (C, D): rows true, columns predicted, non-dense first.
    #[must_use]
    pub fn dense(&self) -> [[u64; 2]; 2] {
        let mut merged = [[0; 2]; 2];
        for MatrixCell { truth, predicted, count } in self.cells() {
            let is_dense = |index: usize| usize::from(DensityClass::ALL[index].is_dense());
            merged[is_dense(truth)][is_dense(predicted)] += count;
        }
        merged
    }

    /// All cells, row by row.
    pub(crate) fn cells(&self) -> impl Iterator<Item = MatrixCell> {
        let cell = |truth: usize, predicted: usize| MatrixCell { truth, predicted, count: self.0[truth][predicted] };
        (0..CLASSES).flat_map(move |truth| (0..CLASSES).map(move |predicted| cell(truth, predicted)))
    }
}

/// A cell of a [`ConfusionMatrix`]: the positions of its classes, 0 to 3, and its count.
pub(crate) struct MatrixCell {
    pub(crate) truth: usize,
    pub(crate) predicted: usize,
    pub(crate) count: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any non-empty matrix of small counts.
    pub(crate) fn any_matrix() -> impl Strategy<Value = ConfusionMatrix> {
        prop::array::uniform4(prop::array::uniform4(0_u64..40))
            .prop_map(ConfusionMatrix::new)
            .prop_filter("not empty", |matrix| matrix.total() > 0)
    }

    #[test]
    fn counts_and_shares_match_a_hand_computation() {
        let mut matrix = ConfusionMatrix::default();
        matrix.add(DensityClass::A, DensityClass::B, 1);
        matrix.add(DensityClass::B, DensityClass::B, 2);
        matrix.add(DensityClass::C, DensityClass::A, 1);
        assert_eq!(matrix.total(), 4);
        assert_eq!((matrix.support(DensityClass::B), matrix.predictions_of(DensityClass::B)), (2, 3));
        assert_eq!((matrix.correct(), matrix.within(1), matrix.within(2)), (2, 3, 4));
        assert_eq!(matrix.dense(), [[3, 0], [1, 0]]);
        assert!((matrix.accuracy() - 0.5).abs() < 1e-15 && (matrix.adjacent_accuracy() - 0.75).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn every_margin_adds_up_to_the_total(matrix in any_matrix()) {
            let total = matrix.total();
            prop_assert_eq!(DensityClass::ALL.map(|class| matrix.support(class)).iter().sum::<u64>(), total);
            prop_assert_eq!(DensityClass::ALL.map(|class| matrix.predictions_of(class)).iter().sum::<u64>(), total);
            prop_assert_eq!(matrix.dense().iter().flatten().sum::<u64>(), total);
            prop_assert_eq!(matrix.within(3), total);
            prop_assert!(matrix.correct() <= matrix.within(1));
        }
    }
}
