//! Temperature scaling: one number that makes the probabilities of a network as confident as they are correct.

use serde::{Deserialize, Serialize};

use crate::subject::density::DensityClass;
use crate::subject::prediction::LabelledPrediction;
use crate::subject::probabilities::Probabilities;

/// The steepest scaling that is looked for, as 1/T.
const STEEPEST: f64 = 1024.0;
/// The bisections of 1/T; the interval is below the spacing of f64 long before.
const BISECTIONS: usize = 200;

/// The temperature T of a calibration: probabilities become `softmax(ln p / T)`, which for a single network are its logits
/// divided by T. Above 1 it lowers the confidence, below 1 it raises it; the order of the classes stays. Guo et al., On
/// Calibration of Modern Neural Networks (ICML 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

/// A number that is not a temperature.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0} is not a temperature, which is a positive number")]
pub struct NotATemperature(pub f64);

impl TryFrom<f64> for Temperature {
    type Error = NotATemperature;

    fn try_from(value: f64) -> Result<Self, NotATemperature> {
        if value.is_finite() && value > 0.0 { Ok(Self(value)) } else { Err(NotATemperature(value)) }
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

/// The reason why no temperature fits some cases best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTemperature {
    #[error("every case is predicted correctly, so the likelihood only grows with the confidence")]
    AllCorrect,
    #[error("the true classes are no more probable than others, so the likelihood only grows with the doubt")]
    NoBetterThanChance,
}

impl Temperature {
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// The temperature with the smallest mean negative log-likelihood. As a function of 1/T it is convex, so that its
    /// derivative has one zero at most, which is found by bisection.
    pub fn fit(cases: &[LabelledPrediction]) -> Result<Self, NoTemperature> {
        let logits: Vec<([f64; DensityClass::COUNT], usize)> =
            cases.iter().map(|case| (logarithms(&case.probabilities), case.label.index())).collect();
        let slope = |inverse: f64| -> f64 {
            let of_case = |(logits, label): &([f64; DensityClass::COUNT], usize)| {
                let scaled = softmax(logits.map(|logit| logit * inverse));
                let mean: f64 = scaled.iter().zip(logits).map(|(probability, logit)| probability * logit).sum();
                mean - logits[*label]
            };
            logits.iter().map(of_case).sum()
        };
        if slope(0.0) >= 0.0 {
            return Err(NoTemperature::NoBetterThanChance);
        }
        let mut high = 1.0;
        while slope(high) <= 0.0 {
            high *= 2.0;
            if high > STEEPEST {
                return Err(NoTemperature::AllCorrect);
            }
        }
        let mut low = 0.0;
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if slope(middle) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        Self::try_from(1.0 / f64::midpoint(low, high)).map_err(|_| NoTemperature::NoBetterThanChance)
    }

    /// The calibrated probabilities.
    #[must_use]
    pub fn apply(self, probabilities: &Probabilities) -> Probabilities {
        Probabilities(softmax(logarithms(probabilities).map(|logit| logit / self.0)))
    }

    /// The cases with calibrated probabilities.
    #[must_use]
    pub fn apply_to(self, cases: &[LabelledPrediction]) -> Vec<LabelledPrediction> {
        let calibrated = |case: &LabelledPrediction| LabelledPrediction {
            probabilities: self.apply(&case.probabilities),
            ..case.clone()
        };
        cases.iter().map(calibrated).collect()
    }
}

/// Logits of probabilities. 0 has no logarithm, so it counts as the smallest normal number; the ε of the log loss would change
/// what a confident network says of its least probable classes.
fn logarithms(probabilities: &Probabilities) -> [f64; DensityClass::COUNT] {
    probabilities.0.map(|probability| probability.max(f64::MIN_POSITIVE).ln())
}

fn softmax(logits: [f64; DensityClass::COUNT]) -> [f64; DensityClass::COUNT] {
    let largest = logits.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let exponentials = logits.map(|logit| (logit - largest).exp());
    let sum: f64 = exponentials.iter().sum();
    exponentials.map(|exponential| exponential / sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::calibration::negative_log_likelihood;
    use crate::subject::subject_id::SubjectId;

    fn case(label: DensityClass, probabilities: [f64; 4]) -> LabelledPrediction {
        let (subject, probabilities) = (SubjectId("1".to_owned()), Probabilities(probabilities));
        LabelledPrediction { subject, label, probabilities }
    }

    #[test]
    fn two_classes_have_the_temperature_of_a_hand_computation() {
        // Odds of 9 : 1, correct in 3 of 4 cases: softmax(ln 9 / T) = 3/4, so T = ln 9 / ln 3 = 2. The other classes are
        // impossible.
        let confident = [0.9, 0.1, 0.0, 0.0];
        let mut cases = vec![case(DensityClass::A, confident); 3];
        cases.push(case(DensityClass::B, confident));
        let temperature = Temperature::fit(&cases).unwrap();
        assert!((temperature.value() - 2.0).abs() < 1e-6, "{temperature:?}");
        let scaled = temperature.apply(&Probabilities(confident));
        assert!((scaled.0[0] - 0.75).abs() < 1e-6, "{scaled:?}");
    }

    #[test]
    fn cases_without_a_best_temperature_are_refused() {
        let correct = [case(DensityClass::A, [0.6, 0.2, 0.1, 0.1]), case(DensityClass::D, [0.1, 0.1, 0.2, 0.6])];
        assert_eq!(Temperature::fit(&correct), Err(NoTemperature::AllCorrect));
        let wrong = [case(DensityClass::B, [0.7, 0.1, 0.1, 0.1])];
        assert_eq!(Temperature::fit(&wrong), Err(NoTemperature::NoBetterThanChance));
        assert_eq!(Temperature::fit(&[case(DensityClass::B, [0.25; 4])]), Err(NoTemperature::NoBetterThanChance));
        assert_eq!(Temperature::fit(&[]), Err(NoTemperature::NoBetterThanChance));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Temperature::try_from(bad).is_err());
        }
        assert!(serde_json::from_str::<Temperature>("-2.0").is_err());
    }

    proptest! {
        #[test]
        fn scaling_keeps_the_order_and_never_raises_the_loss_that_is_fitted(
            raw in prop::collection::vec((prop::array::uniform4(0.01_f64..1.0), 0_usize..4), 2..30)
        ) {
            let cases: Vec<_> = raw.into_iter().map(|(values, label)| {
                let sum: f64 = values.iter().sum();
                case(DensityClass::ALL[label], values.map(|value| value / sum))
            }).collect();
            if let Ok(temperature) = Temperature::fit(&cases) {
                let loss = |cases: &[LabelledPrediction]| -> f64 {
                    cases.iter().map(|case| negative_log_likelihood(&case.probabilities, case.label)).sum()
                };
                let scaled = temperature.apply_to(&cases);
                prop_assert!(loss(&scaled) <= loss(&cases) + 1e-9);
                for (case, scaled) in cases.iter().zip(&scaled) {
                    prop_assert_eq!(case.predicted(), scaled.predicted());
                    prop_assert!((scaled.probabilities.0.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                }
            }
        }
    }
}
