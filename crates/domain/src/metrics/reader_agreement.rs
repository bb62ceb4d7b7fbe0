//! The agreement of human readers with each other.

use serde::Serialize;

use super::agreement::{KappaWeights, cohen_kappa};
use super::confusion_matrix::ConfusionMatrix;
use crate::subject::density::DensityClass;

/// The agreement of two readers on the cases that both read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderPair {
    /// The readers' names, safe to compare but not to print.
    pub readers: [String; 2],
    /// The number of cases that both read.
    pub cases: u64,
    /// The number of those on which they agree.
    pub agreed: u64,
    /// Cohen's kappas; `None` if undefined, as with no common cases.
    pub kappa_unweighted: Option<f64>,
    pub kappa_linear: Option<f64>,
    pub kappa_quadratic: Option<f64>,
    /// Rows the first reader's class, columns the second's.
    pub confusion_matrix: ConfusionMatrix,
}

impl ReaderPair {
    /// Compares two readers, from the classes that they assigned to the cases that both read.
    #[must_use]
    pub fn of(readers: [&str; 2], common: impl IntoIterator<Item = [DensityClass; 2]>) -> Self {
        let mut matrix = ConfusionMatrix::default();
        for [one, other] in common {
            matrix.add(one, other, 1);
        }
        Self {
            readers: readers.map(str::to_owned),
            cases: matrix.total(),
            agreed: DensityClass::ALL.into_iter().map(|class| matrix.count(class, class)).sum(),
            kappa_unweighted: cohen_kappa(&matrix, KappaWeights::Unweighted),
            kappa_linear: cohen_kappa(&matrix, KappaWeights::Linear),
            kappa_quadratic: cohen_kappa(&matrix, KappaWeights::Quadratic),
            confusion_matrix: matrix,
        }
    }

    /// Compares each pair of readers, in the order of their names. `readings` has, for every case, the class of each
    /// reader; `None` where a reader did not read the case.
    #[must_use]
    pub fn all(names: &[String], readings: &[Vec<Option<DensityClass>>]) -> Vec<Self> {
        let mut pairs = Vec::new();
        for one in 0..names.len() {
            for other in one + 1..names.len() {
                let common = readings.iter().filter_map(|of_case| Some([of_case[one]?, of_case[other]?]));
                pairs.push(Self::of([&names[one], &names[other]], common));
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::DensityClass::{A, B, C, D};
    use super::*;

    #[test]
    fn pairs_are_compared_on_their_common_cases() {
        let names = ["1", "2", "3"].map(str::to_owned);
        let readings = [
            vec![Some(A), Some(A), None],
            vec![Some(B), Some(C), Some(B)],
            vec![Some(C), Some(C), None],
            vec![Some(D), Some(D), None],
            vec![None, Some(D), None],
        ];
        let pairs = ReaderPair::all(&names, &readings);
        let shown: Vec<_> = pairs.iter().map(|pair| (pair.readers.join("-"), pair.cases, pair.agreed)).collect();
        assert_eq!(shown, [("1-2".to_owned(), 4, 3), ("1-3".to_owned(), 1, 1), ("2-3".to_owned(), 1, 0)]);
        // Observed .75; by chance 1/16 (A) + 0 (B) + 2/16 (C) + 1/16 (D) = .25.
        assert!((pairs[0].kappa_unweighted.unwrap() - 2.0 / 3.0).abs() < 1e-12, "{pairs:?}");
        // One disagreement by one class; by chance the distances of A B C D against A C C D add up to 20 of 16.
        assert!((pairs[0].kappa_linear.unwrap() - (1.0 - 0.25 / (20.0 / 16.0))).abs() < 1e-12, "{pairs:?}");
        assert_eq!(pairs[1].kappa_linear, None, "both used B only");
    }
}
