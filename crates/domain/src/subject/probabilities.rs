//! The four class probabilities of one image, side or subject.

use serde::{Deserialize, Serialize};

use super::density::DensityClass;

/// Probabilities of the classes A to D.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probabilities(pub [f64; DensityClass::COUNT]);

/// Why four numbers are not probabilities.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ImproperProbabilities {
    /// A number is NaN or infinite.
    #[error("p_{class} is {value}, which is no number to count with")]
    NotFinite {
        /// The class.
        class: DensityClass,
        /// The offending number.
        value: f64,
    },
    /// A number lies outside [0, 1].
    #[error("p_{class} is {value}, outside 0 to 1")]
    OutOfRange {
        /// The class.
        class: DensityClass,
        /// The offending number.
        value: f64,
    },
    /// The four do not add up to one.
    #[error("the probabilities sum to {sum:.6}, not to 1")]
    SumNotOne {
        /// Their sum.
        sum: f64,
    },
}

impl Probabilities {
    /// How far from one the sum of proper probabilities may be: four f32 values of a softmax, written with few digits.
    pub const SUM_TOLERANCE: f64 = 1e-3;

    /// Checks that the four numbers are finite, within [0, 1] and sum to one within [`Self::SUM_TOLERANCE`].
    pub fn checked(values: [f64; DensityClass::COUNT]) -> Result<Self, ImproperProbabilities> {
        for (class, value) in DensityClass::ALL.into_iter().zip(values) {
            if !value.is_finite() {
                return Err(ImproperProbabilities::NotFinite { class, value });
            }
            if !(0.0..=1.0).contains(&value) {
                return Err(ImproperProbabilities::OutOfRange { class, value });
            }
        }
        let sum: f64 = values.iter().sum();
        if (sum - 1.0).abs() > Self::SUM_TOLERANCE {
            return Err(ImproperProbabilities::SumNotOne { sum });
        }
        Ok(Self(values))
    }

    /// The softmax of four logits, computed in double precision; `None` when a logit is not finite.
    #[must_use]
    pub fn from_logits(logits: [f32; DensityClass::COUNT]) -> Option<Self> {
        if !logits.iter().all(|logit| logit.is_finite()) {
            return None;
        }
        let logits = logits.map(f64::from);
        let largest = logits.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let exponentials = logits.map(|logit| (logit - largest).exp());
        let sum: f64 = exponentials.iter().sum();
        Some(Self(exponentials.map(|exponential| exponential / sum)))
    }

    /// Probability of a class.
    #[must_use]
    pub fn of(&self, class: DensityClass) -> f64 {
        self.0[class.index()]
    }

    /// The most probable class; the first on a tie, as NumPy's `argmax` has it.
    #[must_use]
    pub fn most_probable(&self) -> DensityClass {
        DensityClass::ALL
            .into_iter()
            .reduce(|best, class| if self.of(class) > self.of(best) { class } else { best })
            .expect("there are four classes")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn improper_numbers_are_named() {
        assert!(matches!(
            Probabilities::checked([f64::NAN, 0.0, 0.0, 1.0]),
            Err(ImproperProbabilities::NotFinite { class: DensityClass::A, .. })
        ));
        assert!(matches!(
            Probabilities::checked([0.0, -0.1, 0.1, 1.0]),
            Err(ImproperProbabilities::OutOfRange { class: DensityClass::B, .. })
        ));
        assert!(matches!(Probabilities::checked([0.5, 0.5, 0.5, 0.0]), Err(ImproperProbabilities::SumNotOne { .. })));
    }

    #[test]
    fn ties_go_to_the_first_class() {
        assert_eq!(Probabilities([0.25; 4]).most_probable(), DensityClass::A);
        assert_eq!(Probabilities([0.1, 0.4, 0.4, 0.1]).most_probable(), DensityClass::B);
    }

    proptest! {
        #[test]
        fn a_softmax_is_proper_and_keeps_the_order(logits in prop::array::uniform4(-80.0_f32..80.0)) {
            let probabilities = Probabilities::from_logits(logits).expect("finite logits");
            prop_assert!(Probabilities::checked(probabilities.0).is_ok());
            let best = probabilities.most_probable();
            prop_assert!(logits.iter().all(|&logit| logit <= logits[best.index()] + 1e-4));
        }
    }
}
