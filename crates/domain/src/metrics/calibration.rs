//! Calibration error and proper scores of predicted probabilities.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::subject::density::DensityClass;
use crate::subject::prediction::LabelledPrediction;
use crate::subject::probabilities::Probabilities;

/// The number of equal bins of the top probability.
pub const BINS: usize = 15;

/// One bin of the reliability diagram, written as `[bin, cases, accuracy, mean top probability]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// The bin, 0 to 14: it holds top probabilities in (bin/15, (bin+1)/15].
    pub bin: usize,
    /// The number of cases in the bin; never 0.
    pub cases: u64,
    /// The share of the cases that are predicted correctly.
    pub accuracy: f64,
    /// The mean top probability of the cases.
    pub confidence: f64,
}

impl Serialize for ReliabilityBin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.bin, self.cases, self.accuracy, self.confidence).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReliabilityBin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bin, cases, accuracy, confidence) = Deserialize::deserialize(deserializer)?;
        Ok(Self { bin, cases, accuracy, confidence })
    }
}

/// The reliability diagram of the predicted class: accuracy against top probability in 15 equal bins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reliability {
    cases: [u64; BINS],
    correct: [u64; BINS],
    confidence: [f64; BINS],
}

impl Reliability {
    /// The diagram of some cases.
    #[must_use]
    pub fn of(cases: &[LabelledPrediction]) -> Self {
        let mut reliability = Self::default();
        for case in cases {
            let top = case.probabilities.of(case.predicted());
            reliability.add(Self::bin(top), top, case.predicted() == case.label, 1);
        }
        reliability
    }

    /// The bin of a top probability; bins are open below and closed above.
    #[must_use]
    pub fn bin(top_probability: f64) -> usize {
        let upper_edges = (1..BINS).map(|edge| edge as f64 / BINS as f64);
        upper_edges.take_while(|edge| *edge < top_probability).count()
    }

    /// Counts a case `times` times, in the bin that [`Reliability::bin`] gives for its top probability.
    pub fn add(&mut self, bin: usize, top_probability: f64, correct: bool, times: u64) {
        self.cases[bin] += times;
        self.correct[bin] += if correct { times } else { 0 };
        self.confidence[bin] += top_probability * times as f64;
    }

    /// The bins that are not empty.
    pub fn bins(&self) -> impl Iterator<Item = ReliabilityBin> {
        (0..BINS).filter(|&bin| self.cases[bin] > 0).map(|bin| ReliabilityBin {
            bin,
            cases: self.cases[bin],
            accuracy: self.correct[bin] as f64 / self.cases[bin] as f64,
            confidence: self.confidence[bin] / self.cases[bin] as f64,
        })
    }

    /// The expected calibration error: the gap between accuracy and confidence, averaged over cases; 0 without cases.
    /// Naeini et al., AAAI 2015; Guo et al., ICML 2017.
    #[must_use]
    pub fn expected_error(&self) -> f64 {
        let total: u64 = self.cases.iter().sum();
        let gaps = self.bins().map(|bin| bin.cases as f64 * (bin.accuracy - bin.confidence).abs());
        gaps.sum::<f64>() / total.max(1) as f64
    }

    /// The maximum calibration error: the largest gap of any non-empty bin.
    #[must_use]
    pub fn maximum_error(&self) -> f64 {
        self.bins().map(|bin| (bin.accuracy - bin.confidence).abs()).fold(0.0, f64::max)
    }
}

/// The Brier score of one case over all classes: `Σ_k (p_k − y_k)²`, 0 to 2. Brier, Mon. Weather Rev. 78:1 (1950).
#[must_use]
pub fn brier(probabilities: &Probabilities, label: DensityClass) -> f64 {
    let squared_error = |class: DensityClass| {
        let truth = f64::from(u8::from(class == label));
        (probabilities.of(class) - truth).powi(2)
    };
    DensityClass::ALL.into_iter().map(squared_error).sum()
}

/// The negative log-likelihood of one case, `−ln p_label` in nats; the probability is clipped to [ε, 1 − ε] with the
/// ε of f64, as in scikit-learn's `log_loss`, so that a confident error costs 36 and not infinity.
#[must_use]
pub fn negative_log_likelihood(probabilities: &Probabilities, label: DensityClass) -> f64 {
    -probabilities.of(label).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bin_includes_its_upper_edge() {
        assert_eq!(Reliability::bin(0.2), 2, "0.2 = 3/15 closes the third bin");
        assert_eq!(Reliability::bin(0.2_f64.next_up()), 3);
        assert_eq!(Reliability::bin(1.0), 14);
        assert_eq!(Reliability::bin(0.25), 3);
    }

    #[test]
    fn calibration_errors_match_a_hand_computation() {
        // Four cases at .9, three correct: gap .15. One case at .5, wrong: gap .5.
        let mut reliability = Reliability::default();
        reliability.add(Reliability::bin(0.9), 0.9, true, 3);
        reliability.add(Reliability::bin(0.9), 0.9, false, 1);
        reliability.add(Reliability::bin(0.5), 0.5, false, 1);
        assert!((reliability.expected_error() - (4.0 * 0.15 + 0.5) / 5.0).abs() < 1e-12);
        assert!((reliability.maximum_error() - 0.5).abs() < 1e-12);
        assert_eq!(reliability.bins().count(), 2);
    }

    #[test]
    fn proper_scores_match_a_hand_computation() {
        let probabilities = Probabilities([0.7, 0.1, 0.1, 0.1]);
        assert!((brier(&probabilities, DensityClass::A) - 0.12).abs() < 1e-12);
        assert!((brier(&probabilities, DensityClass::B) - (0.49 + 0.81 + 0.02)).abs() < 1e-12);
        assert!((negative_log_likelihood(&probabilities, DensityClass::A) + 0.7_f64.ln()).abs() < 1e-12);
        let certain = Probabilities([1.0, 0.0, 0.0, 0.0]);
        assert!(negative_log_likelihood(&certain, DensityClass::D).is_finite());
    }

    proptest! {
        #[test]
        fn a_calibrated_forecast_has_no_error(hits in 1_u64..100, misses in 0_u64..100) {
            let confidence = hits as f64 / (hits + misses) as f64;
            let mut reliability = Reliability::default();
            reliability.add(Reliability::bin(confidence), confidence, true, hits);
            reliability.add(Reliability::bin(confidence), confidence, false, misses);
            prop_assert!(reliability.expected_error() < 1e-12);
        }

        #[test]
        fn the_expected_error_is_at_most_the_maximum(cases in prop::collection::vec((0.25_f64..=1.0, any::<bool>()), 1..80)) {
            let mut reliability = Reliability::default();
            for (top, correct) in cases {
                reliability.add(Reliability::bin(top), top, correct, 1);
            }
            prop_assert!(reliability.expected_error() <= reliability.maximum_error() + 1e-12);
        }
    }
}
