//! What a network said of one image, and what is known of that image.

use super::density::DensityClass;
use super::probabilities::Probabilities;
use super::subject::{ExamId, SubjectId};
use super::view::View;

/// One line of a table of predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRow {
    /// The image file, as the data set names it.
    pub file: String,
    /// The subject.
    pub subject: SubjectId,
    /// The examination, where the file name tells it.
    pub exam: Option<ExamId>,
    /// The view, where it is known.
    pub view: Option<View>,
    /// The true class, where it is known.
    pub label: Option<DensityClass>,
    /// The most probable class; the first on a tie.
    pub predicted: DensityClass,
    /// The network's output.
    pub probabilities: Probabilities,
}

/// A prediction whose truth is known: what figures of merit are computed from. It stands for one image, or for what
/// the images of one breast or one examination were fused to.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledPrediction {
    /// The subject: intervals are bootstrapped over subjects, since the images of one are not independent.
    pub subject: SubjectId,
    /// The true class.
    pub label: DensityClass,
    /// The probabilities of the classes.
    pub probabilities: Probabilities,
}

impl LabelledPrediction {
    /// The most probable class; the first on a tie.
    #[must_use]
    pub fn predicted(&self) -> DensityClass {
        self.probabilities.most_probable()
    }
}
