//! How well probabilities are calibrated, before and after a temperature.

use serde::{Deserialize, Serialize};

use super::bootstrap::{Bootstrap, Interval};
use super::calibration::ReliabilityBin;
use super::figures_of_merit::{CountedCases, PreparedCases};
use super::temperature::Temperature;
use crate::subject::prediction::LabelledPrediction;

/// The figures that a temperature changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFigures {
    /// The mean negative log-likelihood in nats.
    pub log_loss: f64,
    /// The mean Brier score over all classes, 0 to 2.
    pub brier_multiclass: f64,
    /// The expected calibration error, 15 bins.
    pub ece15: f64,
    /// The non-empty bins of the reliability diagram.
    pub ece15_bins: Vec<ReliabilityBin>,
}

/// The 95 % intervals of differences of [`CalibrationFigures`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationIntervals {
    pub log_loss: Option<Interval>,
    pub brier_multiclass: Option<Interval>,
    pub ece15: Option<Interval>,
}

/// The same cases without and with a temperature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeforeAndAfter {
    pub n: usize,
    pub subjects: usize,
    pub before: CalibrationFigures,
    pub after: CalibrationFigures,
    /// The intervals of after minus before, paired over subjects.
    pub difference_intervals: CalibrationIntervals,
}

impl BeforeAndAfter {
    /// Computes both; `None` if there are no cases.
    #[must_use]
    pub fn of(cases: &[LabelledPrediction], temperature: Temperature, bootstrap: Bootstrap) -> Option<Self> {
        let (before, after) = (PreparedCases::new(cases), PreparedCases::new(&temperature.apply_to(cases)));
        let [log_loss, brier_multiclass, ece15] = bootstrap.intervals(before.subject_of(), |multiplicity| {
            let (before, after) = (scores(&before.count(multiplicity)), scores(&after.count(multiplicity)));
            std::array::from_fn(|score| Some(after[score]? - before[score]?))
        });
        Some(Self {
            n: cases.len(),
            subjects: before.subjects(),
            before: CalibrationFigures::of(&before.count_once())?,
            after: CalibrationFigures::of(&after.count_once())?,
            difference_intervals: CalibrationIntervals { log_loss, brier_multiclass, ece15 },
        })
    }
}

impl CalibrationFigures {
    fn of(counted: &CountedCases) -> Option<Self> {
        let [log_loss, brier_multiclass, ece15] = scores(counted);
        Some(Self {
            log_loss: log_loss?,
            brier_multiclass: brier_multiclass?,
            ece15: ece15?,
            ece15_bins: counted.reliability.bins().collect(),
        })
    }

    /// The figures by their names in `evaluation.json`.
    #[must_use]
    pub fn named(&self) -> [(&'static str, f64); 3] {
        [("log_loss", self.log_loss), ("brier_multiclass", self.brier_multiclass), ("ece15", self.ece15)]
    }
}

impl CalibrationIntervals {
    /// In the order of [`CalibrationFigures::named`].
    #[must_use]
    pub fn to_array(&self) -> [Option<Interval>; 3] {
        [self.log_loss, self.brier_multiclass, self.ece15]
    }
}

fn scores(counted: &CountedCases) -> [Option<f64>; 3] {
    [counted.figures.log_loss, counted.figures.brier_multiclass, counted.figures.ece15]
}
