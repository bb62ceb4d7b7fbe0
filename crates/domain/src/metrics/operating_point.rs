//! Thresholds for dense against non-dense, and what is decided with them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bootstrap::{Bootstrap, Interval};
use super::figures_of_merit::PreparedCases;
use super::roc::RankedScores;
use crate::subject::density::DensityClass;
use crate::subject::prediction::LabelledPrediction;
use crate::subject::probabilities::Probabilities;

/// A wanted sensitivity, above 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Sensitivity(f64);

/// A number or text that is not a sensitivity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a sensitivity, which is above 0 and at most 1, such as 0.9")]
pub struct NotASensitivity(pub String);

impl TryFrom<f64> for Sensitivity {
    type Error = NotASensitivity;

    fn try_from(value: f64) -> Result<Self, NotASensitivity> {
        if value > 0.0 && value <= 1.0 { Ok(Self(value)) } else { Err(NotASensitivity(value.to_string())) }
    }
}

impl From<Sensitivity> for f64 {
    fn from(sensitivity: Sensitivity) -> Self {
        sensitivity.0
    }
}

impl FromStr for Sensitivity {
    type Err = NotASensitivity;

    fn from_str(text: &str) -> Result<Self, NotASensitivity> {
        let value = text.parse::<f64>().map_err(|_| NotASensitivity(text.to_owned()))?;
        Self::try_from(value).map_err(|_| NotASensitivity(text.to_owned()))
    }
}

impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The reason why a sensitivity has no threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    #[error("no case is dense")]
    NoDense,
    #[error("no case is non-dense")]
    NoNonDense,
    #[error("it is reached only where every case is called dense")]
    OnlyByAll,
}

/// The score that is compared with a threshold: P(C) + P(D).
#[must_use]
pub fn dense_probability(probabilities: &Probabilities) -> f64 {
    probabilities.of(DensityClass::C) + probabilities.of(DensityClass::D)
}

/// The highest threshold at which the share of dense cases with at least this probability of dense reaches the wanted
/// sensitivity. It is the probability of one of the cases, as in scikit-learn's `roc_curve`. A threshold that calls every
/// case dense is none.
pub fn threshold(cases: &[LabelledPrediction], wanted: Sensitivity) -> Result<f64, Unreachable> {
    let scores: Vec<f64> = cases.iter().map(|case| dense_probability(&case.probabilities)).collect();
    let dense = cases.iter().filter(|case| case.label.is_dense()).count();
    if dense == 0 {
        return Err(Unreachable::NoDense);
    }
    if dense == cases.len() {
        return Err(Unreachable::NoNonDense);
    }
    let (mut found, mut called) = (0_usize, 0_usize);
    for (case, ends_tie) in RankedScores::new(&scores).descending() {
        called += 1;
        found += usize::from(cases[case].label.is_dense());
        // In shares, since the wanted one is: 9 of 10 have to reach 0.9.
        if ends_tie && found as f64 / dense as f64 >= wanted.0 {
            return if called == cases.len() { Err(Unreachable::OnlyByAll) } else { Ok(scores[case]) };
        }
    }
    Err(Unreachable::OnlyByAll)
}

/// The four figures of a decision, or their intervals; `None` if the cases that one is of do not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionFigures<T> {
    /// The share of dense cases that are called dense.
    pub sensitivity: Option<T>,
    /// The share of non-dense cases that are called non-dense.
    pub specificity: Option<T>,
    /// The share of cases called dense that are dense.
    pub ppv: Option<T>,
    /// The share of cases called non-dense that are non-dense.
    pub npv: Option<T>,
}

impl<T: Copy> DecisionFigures<T> {
    /// The figures by their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<T>); 4] {
        [("sensitivity", self.sensitivity), ("specificity", self.specificity), ("ppv", self.ppv), ("npv", self.npv)]
    }
}

/// What is decided at a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    pub n: usize,
    pub subjects: usize,
    /// Non-dense and dense: rows true, columns called.
    pub confusion: [[u64; 2]; 2],
    #[serde(flatten)]
    pub figures: DecisionFigures<f64>,
    /// 95 % intervals at this threshold, by bootstrap over subjects.
    pub intervals: DecisionFigures<Interval>,
}

impl Decisions {
    /// Decides every case: one with at least the threshold's probability of dense is called dense.
    #[must_use]
    pub fn of(cases: &[LabelledPrediction], threshold: f64, bootstrap: Bootstrap) -> Self {
        let decided: Vec<[usize; 2]> = cases
            .iter()
            .map(|case| {
                let is_called = dense_probability(&case.probabilities) >= threshold;
                [usize::from(case.label.is_dense()), usize::from(is_called)]
            })
            .collect();
        let count = |multiplicity: &[u32]| {
            let mut confusion = [[0_u64; 2]; 2];
            for ([truth, called], &times) in decided.iter().zip(multiplicity) {
                confusion[*truth][*called] += u64::from(times);
            }
            confusion
        };
        let prepared = PreparedCases::new(cases);
        let confusion = count(&vec![1; cases.len()]);
        let [sensitivity, specificity, ppv, npv] = bootstrap.intervals(prepared.subject_of(), |multiplicity| {
            figures(count(multiplicity)).named().map(|(_, figure)| figure)
        });
        Self {
            n: cases.len(),
            subjects: prepared.subjects(),
            confusion,
            figures: figures(confusion),
            intervals: DecisionFigures { sensitivity, specificity, ppv, npv },
        }
    }
}

fn figures([[true_fatty, false_dense], [false_fatty, true_dense]]: [[u64; 2]; 2]) -> DecisionFigures<f64> {
    let share = |part: u64, other: u64| (part + other > 0).then(|| part as f64 / (part + other) as f64);
    DecisionFigures {
        sensitivity: share(true_dense, false_fatty),
        specificity: share(true_fatty, false_dense),
        ppv: share(true_dense, false_dense),
        npv: share(true_fatty, false_fatty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::subject_id::SubjectId;

    fn cases(dense: &[(f64, bool)]) -> Vec<LabelledPrediction> {
        let case = |(place, &(score, is_dense)): (usize, &(f64, bool))| LabelledPrediction {
            subject: SubjectId(place.to_string()),
            label: if is_dense { DensityClass::C } else { DensityClass::A },
            probabilities: Probabilities([1.0 - score, 0.0, score, 0.0]),
        };
        dense.iter().enumerate().map(case).collect()
    }

    fn wanted(value: f64) -> Sensitivity {
        Sensitivity::try_from(value).unwrap()
    }

    const MIXED: [(f64, bool); 6] = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.4, true), (0.2, false)];

    #[test]
    fn the_highest_sufficient_threshold_is_chosen() {
        let of = |value| threshold(&cases(&MIXED), wanted(value));
        assert_eq!(of(0.3), Ok(0.9));
        assert_eq!(of(1.0 / 3.0), Ok(0.9), "a third is reached by one of three");
        assert_eq!(of(0.34), Ok(0.7));
        assert_eq!(of(1.0), Ok(0.4));
        assert_eq!(threshold(&cases(&MIXED[..5]), wanted(1.0)), Err(Unreachable::OnlyByAll));
        assert_eq!(threshold(&cases(&[(0.5, true)]), wanted(1.0)), Err(Unreachable::NoNonDense));
        assert_eq!(threshold(&cases(&[(0.5, false)]), wanted(1.0)), Err(Unreachable::NoDense));
        assert_eq!(threshold(&[], wanted(1.0)), Err(Unreachable::NoDense));
    }

    #[test]
    fn decisions_match_a_hand_computation() {
        let decisions = Decisions::of(&cases(&MIXED), 0.7, Bootstrap { resamples: 200, seed: 0 });
        assert_eq!(decisions.confusion, [[1, 2], [1, 2]]);
        let DecisionFigures { sensitivity, specificity, ppv, npv } = decisions.figures;
        assert_eq!((sensitivity, ppv), (Some(2.0 / 3.0), Some(0.5)));
        assert_eq!((specificity, npv), (Some(1.0 / 3.0), Some(0.5)));
        let interval = decisions.intervals.sensitivity.unwrap();
        assert!(interval.low < 2.0 / 3.0 && interval.high > 2.0 / 3.0, "{interval:?}");
        let none = Decisions::of(&cases(&MIXED), 2.0, Bootstrap::NONE);
        assert_eq!((none.figures.ppv, none.figures.npv), (None, Some(0.5)), "nothing is called dense");
    }

    #[test]
    fn sensitivities_are_above_0_and_at_most_1() {
        assert_eq!("0.95".parse(), Ok(wanted(0.95)));
        for bad in ["0", "-0.1", "1.01", "90", "nan", "inf", "", "90%"] {
            let error = bad.parse::<Sensitivity>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("'{bad}' is not a sensitivity")), "{error}");
        }
    }
}
