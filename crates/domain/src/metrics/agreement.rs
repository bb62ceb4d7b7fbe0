//! Cohen's kappa, and the published agreement of human readers.

use super::confusion_matrix::{ConfusionMatrix, MatrixCell};
use crate::subject::density::DensityClass;

/// The weight of a disagreement as a function of its distance in classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KappaWeights {
    /// Every disagreement counts the same (Cohen 1960).
    Unweighted,
    /// Proportional to the distance (Cohen 1968).
    Linear,
    /// Proportional to the squared distance (Cohen 1968).
    Quadratic,
}

impl KappaWeights {
    fn disagreement(self, truth: usize, predicted: usize) -> f64 {
        let distance = truth.abs_diff(predicted) as f64;
        match self {
            Self::Unweighted => f64::from(u8::from(truth != predicted)),
            Self::Linear => distance,
            Self::Quadratic => distance * distance,
        }
    }
}

/// Cohen's kappa: one minus the ratio of the observed disagreement to that expected by chance from the margins; 1 for
/// perfect agreement, 0 for chance. `None` if there are no cases or both raters use one and the same class only: the
/// statistic is 0/0 there.
///
/// Cohen, Educ. Psychol. Meas. 20:37 (1960) and Psychol. Bull. 70:213 (1968); scikit-learn's `cohen_kappa_score`.
#[must_use]
pub fn cohen_kappa(matrix: &ConfusionMatrix, weights: KappaWeights) -> Option<f64> {
    let total = matrix.total() as f64;
    let rows = DensityClass::ALL.map(|class| matrix.support(class) as f64);
    let columns = DensityClass::ALL.map(|class| matrix.predictions_of(class) as f64);
    let (mut observed, mut expected) = (0.0, 0.0);
    for MatrixCell { truth, predicted, count } in matrix.cells() {
        let weight = weights.disagreement(truth, predicted);
        observed += weight * count as f64;
        expected += weight * rows[truth] * columns[predicted] / total;
    }
    (expected > 0.0).then(|| 1.0 - observed / expected)
}

/// A published agreement on the four BI-RADS density classes, for comparison with a network's kappa.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct PublishedAgreement {
    /// The two parties, as in `two radiologists`.
    pub between: &'static str,
    /// The kind of kappa.
    pub statistic: &'static str,
    /// The (mean) kappa.
    pub kappa: f64,
    /// The lowest and the highest kappa of any pair or reader, if published.
    pub range: Option<[f64; 2]>,
    pub source: &'static str,
}

const GARD_2015: &str = "Gard et al., Breast J 21:481 (2015), 19 radiologists, 341 examinations";
const LEHMAN_2019: &str = "Lehman et al., Radiology 290:52 (2019)";

/// Two different radiologists.
pub const INTER_READER: PublishedAgreement = PublishedAgreement {
    between: "two radiologists",
    statistic: "kappa",
    kappa: 0.46,
    range: Some([0.02, 0.72]),
    source: GARD_2015,
};

/// One radiologist reading the same examinations again half a year later.
pub const INTRA_READER: PublishedAgreement = PublishedAgreement {
    between: "one radiologist, twice",
    statistic: "kappa",
    kappa: 0.69,
    range: Some([0.50, 0.81]),
    source: GARD_2015,
};

/// A network and the radiologist who read the examination.
pub const NETWORK_AND_READER: PublishedAgreement = PublishedAgreement {
    between: "a network and one radiologist",
    statistic: "linear kappa",
    kappa: 0.67,
    range: None,
    source: LEHMAN_2019,
};

/// A network and the consensus of five radiologists.
pub const NETWORK_AND_CONSENSUS: PublishedAgreement = PublishedAgreement {
    between: "a network and five radiologists' consensus",
    statistic: "linear kappa",
    kappa: 0.78,
    range: None,
    source: LEHMAN_2019,
};

/// All published values, readers first.
pub const PUBLISHED_AGREEMENT: [PublishedAgreement; 4] =
    [INTER_READER, INTRA_READER, NETWORK_AND_READER, NETWORK_AND_CONSENSUS];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::confusion_matrix::tests::any_matrix;
    use super::*;

    const ALL: [KappaWeights; 3] = [KappaWeights::Unweighted, KappaWeights::Linear, KappaWeights::Quadratic];

    #[test]
    fn kappa_matches_the_textbook_example() {
        // Two raters, two categories: 20 and 15 agreements, 5 and 10 disagreements; observed .7, expected .5.
        let matrix = ConfusionMatrix::new([[20, 5, 0, 0], [10, 15, 0, 0], [0; 4], [0; 4]]);
        for weights in ALL {
            assert!((cohen_kappa(&matrix, weights).unwrap() - 0.4).abs() < 1e-12, "two classes: all weights agree");
        }
    }

    #[test]
    fn weighted_kappa_punishes_distant_errors_more() {
        let near = ConfusionMatrix::new([[5, 5, 0, 0], [0, 10, 0, 0], [0, 0, 10, 0], [0, 0, 0, 10]]);
        let far = ConfusionMatrix::new([[5, 0, 0, 5], [0, 10, 0, 0], [0, 0, 10, 0], [0, 0, 0, 10]]);
        for weights in [KappaWeights::Linear, KappaWeights::Quadratic] {
            assert!(cohen_kappa(&near, weights) > cohen_kappa(&far, weights));
        }
    }

    #[test]
    fn kappa_is_undefined_for_a_single_class() {
        for matrix in [ConfusionMatrix::default(), ConfusionMatrix::new([[7, 0, 0, 0], [0; 4], [0; 4], [0; 4]])] {
            assert!(ALL.iter().all(|&weights| cohen_kappa(&matrix, weights).is_none()));
        }
    }

    proptest! {
        #[test]
        fn perfect_agreement_is_one(counts in prop::array::uniform4(0_u64..50)) {
            let mut matrix = ConfusionMatrix::default();
            for (class, count) in DensityClass::ALL.into_iter().zip(counts) {
                matrix.add(class, class, count);
            }
            let classes_in_use = counts.iter().filter(|&&count| count > 0).count();
            for weights in ALL {
                prop_assert_eq!(cohen_kappa(&matrix, weights), (classes_in_use > 1).then_some(1.0));
            }
        }

        #[test]
        fn kappa_is_symmetric_in_raters_and_in_class_order(matrix in any_matrix()) {
            let mut transposed = ConfusionMatrix::default();
            let mut reversed = ConfusionMatrix::default();
            for truth in DensityClass::ALL {
                for predicted in DensityClass::ALL {
                    let count = matrix.count(truth, predicted);
                    transposed.add(predicted, truth, count);
                    reversed.add(DensityClass::ALL[3 - truth.index()], DensityClass::ALL[3 - predicted.index()], count);
                }
            }
            for weights in ALL {
                let kappa = cohen_kappa(&matrix, weights).unwrap_or(9.0);
                prop_assert!(kappa <= 1.0 || cohen_kappa(&matrix, weights).is_none());
                prop_assert!((kappa - cohen_kappa(&transposed, weights).unwrap_or(9.0)).abs() < 1e-9);
                prop_assert!((kappa - cohen_kappa(&reversed, weights).unwrap_or(9.0)).abs() < 1e-9);
            }
        }
    }
}
