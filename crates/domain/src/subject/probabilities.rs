//! The four class probabilities of one image, side or subject.

use serde::{Deserialize, Serialize};

use super::density::DensityClass;

/// The probabilities of the classes A to D.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probabilities(pub [f64; DensityClass::COUNT]);

/// The reason four numbers are not probabilities.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ImproperProbabilities {
    #[error("p_{class} is {value}, not a finite number")]
    NotFinite { class: DensityClass, value: f64 },
    #[error("p_{class} is {value}, outside 0 to 1")]
    OutOfRange { class: DensityClass, value: f64 },
    #[error("the probabilities sum to {sum:.6}, not to 1")]
    SumNotOne { sum: f64 },
}

/// The logits of an image are NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network's output is not finite")]
pub struct NonfiniteOutput;

impl Probabilities {
    /// The largest accepted deviation of the sum from one, as for f32 softmax outputs written with few digits.
    pub const SUM_TOLERANCE: f64 = 1e-3;

    /// Checks that all four numbers are finite and in [0, 1], and that they sum to one within [`Self::SUM_TOLERANCE`].
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

    /// The softmax of four logits, computed in f64; an error if a logit is not finite.
    pub fn from_logits(logits: [f32; DensityClass::COUNT]) -> Result<Self, NonfiniteOutput> {
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(NonfiniteOutput);
        }
        let logits = logits.map(f64::from);
        let largest = logits.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let exponentials = logits.map(|logit| (logit - largest).exp());
        let sum: f64 = exponentials.iter().sum();
        Ok(Self(exponentials.map(|exponential| exponential / sum)))
    }

    /// The mean of several predictions of the same image, as of an ensemble; `None` of none.
    #[must_use]
    pub fn mean(all: &[Self]) -> Option<Self> {
        let sum = |class: usize| all.iter().map(|one| one.0[class]).sum::<f64>();
        (!all.is_empty()).then(|| Self(std::array::from_fn(|class| sum(class) / all.len() as f64)))
    }

    #[must_use]
    pub fn of(&self, class: DensityClass) -> f64 {
        self.0[class.index()]
    }

    /// The most probable class; the first on a tie, as in NumPy's `argmax`.
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
    fn improper_probabilities_are_refused() {
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
    fn the_mean_is_that_of_each_class() {
        let (one, other) = (Probabilities([0.5, 0.5, 0.0, 0.0]), Probabilities([0.0, 0.25, 0.25, 0.5]));
        assert_eq!(Probabilities::mean(&[one, other]), Some(Probabilities([0.25, 0.375, 0.125, 0.25])));
        assert_eq!(Probabilities::mean(&[one]), Some(one));
        assert_eq!(Probabilities::mean(&[]), None);
    }

    #[test]
    fn ties_go_to_the_first_class() {
        assert_eq!(Probabilities([0.25; 4]).most_probable(), DensityClass::A);
        assert_eq!(Probabilities([0.1, 0.4, 0.4, 0.1]).most_probable(), DensityClass::B);
    }

    proptest! {
        #[test]
        fn a_softmax_is_proper_and_keeps_the_largest_logit(logits in prop::array::uniform4(-80.0_f32..80.0)) {
            let probabilities = Probabilities::from_logits(logits).expect("finite logits");
            prop_assert!(Probabilities::checked(probabilities.0).is_ok());
            let best = probabilities.most_probable();
            prop_assert!(logits.iter().all(|&logit| logit <= logits[best.index()] + 1e-4));
        }
    }
}
