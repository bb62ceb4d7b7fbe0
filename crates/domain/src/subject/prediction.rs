//! Predictions of images, and the truth they are evaluated against.

use serde::{Deserialize, Serialize};

use super::density::DensityClass;
use super::probabilities::Probabilities;
use super::subject_id::{ExamId, SubjectId};
use super::view::View;

/// One row of a table of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionRow {
    /// The image file, as the data set names it.
    pub file: String,
    pub subject: SubjectId,
    pub exam: Option<ExamId>,
    pub view: Option<View>,
    /// The true class, if known.
    pub label: Option<DensityClass>,
    /// The most probable class; the first on a tie.
    pub predicted: DensityClass,
    pub probabilities: Probabilities,
}

/// A prediction with its true class: the input of the figures of merit. It stands for one image, or for the fused
/// images of one breast or one examination.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledPrediction {
    /// Intervals are bootstrapped over subjects, since the images of one subject are not independent.
    pub subject: SubjectId,
    /// The true class.
    pub label: DensityClass,
    pub probabilities: Probabilities,
}

impl LabelledPrediction {
    /// The most probable class; the first on a tie.
    #[must_use]
    pub fn predicted(&self) -> DensityClass {
        self.probabilities.most_probable()
    }
}
