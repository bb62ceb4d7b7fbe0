//! The vocabulary of the screen Explain: its input, actions, effects and messages.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::analysis::explained_image::ExplainedImage;
use crate::analysis::explanation_files::MapPainting;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::explanation::verdict::{ControlComparison, TrainingEvidence};
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

/// The source of the models to explain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum ModelSource {
    /// The best checkpoints of these runs at the time of a request.
    Runs(#[serde(with = "run_paths")] Vec<RunDir>),
    /// A model file or a folder of model files.
    Files(PathBuf),
}

/// An image to explain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::tui) struct ExplainSample {
    pub(in crate::tui) path: PathBuf,
    pub(in crate::tui) label: Option<DensityClass>,
    pub(in crate::tui) view: Option<View>,
    /// The examination, such as `145 exam 1`; empty if unknown.
    pub(in crate::tui) examination: String,
}

/// Images to explain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::tui) struct ExplainList {
    /// A property that the images share, such as `C predicted as D`.
    pub(in crate::tui) title: String,
    pub(in crate::tui) samples: Vec<ExplainSample>,
    /// The index of the image to show first.
    pub(in crate::tui) position: usize,
    /// All images of the same examinations, to show the views side by side.
    pub(in crate::tui) views: Vec<ExplainSample>,
    /// `None` keeps the models that were used last.
    pub(in crate::tui) source: Option<ModelSource>,
    /// The models to compare them with.
    #[serde(default)]
    pub(in crate::tui) second: Option<ModelSource>,
    /// The screen to return to.
    pub(in crate::tui) from: ScreenId,
}

/// A request for one explanation map.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct MapRequest {
    pub(in crate::tui) sample: PathBuf,
    pub(in crate::tui) view: Option<View>,
    pub(in crate::tui) source: ModelSource,
    pub(in crate::tui) method: ExplanationMethod,
    pub(in crate::tui) layer: ExplainedLayer,
    /// The class to explain; `None` for the predicted one.
    pub(in crate::tui) class: Option<DensityClass>,
    /// True to explain the newest checkpoint of a run, best or not, since the run is being trained.
    pub(in crate::tui) follow: bool,
    /// The epoch of a run whose kept model is explained; `None` for the best one.
    pub(in crate::tui) epoch: Option<u32>,
}

/// The epochs whose models a run has kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct RunEpochs {
    pub(in crate::tui) run: RunDir,
    pub(in crate::tui) view: Option<View>,
    /// In order.
    pub(in crate::tui) epochs: Vec<u32>,
}

/// The scores of a map by the model of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct EpochScores {
    pub(in crate::tui) scores: ExplanationScores,
}

/// A map together with its image.
#[derive(Debug)]
pub(in crate::tui) struct MappedImage {
    pub(in crate::tui) image: Arc<ExplainedImage>,
    /// The explained class.
    pub(in crate::tui) class: DensityClass,
    pub(in crate::tui) model: PathBuf,
    /// The map beside random maps; `None` if there is nothing to compare.
    pub(in crate::tui) control: Option<ControlComparison>,
    pub(in crate::tui) training: TrainingEvidence,
    /// Doubts about the image itself.
    pub(in crate::tui) doubts: Vec<ImageDoubt>,
}

impl MappedImage {
    /// Columns and rows of the map before it was enlarged.
    pub(in crate::tui) fn grid(&self) -> (usize, usize) {
        (self.image.positions.width(), self.image.positions.height())
    }

    /// The most probable class; `None` if the network's output is not finite.
    pub(in crate::tui) fn predicted(&self) -> Option<DensityClass> {
        self.image.probabilities.as_ref().map(Probabilities::most_probable)
    }
}

/// Serialises runs as their paths.
mod run_paths {
    use std::path::PathBuf;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use mammoscope_storage::runs::run_dir::RunDir;

    pub(in crate::tui) fn serialize<S: Serializer>(runs: &[RunDir], serializer: S) -> Result<S::Ok, S::Error> {
        runs.iter().map(RunDir::path).collect::<Vec<_>>().serialize(serializer)
    }

    pub(in crate::tui) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RunDir>, D::Error> {
        Ok(Vec::<PathBuf>::deserialize(deserializer)?.into_iter().map(RunDir::new).collect())
    }
}

/// Effects for the service of the screen Explain.
#[derive(Debug)]
pub(in crate::tui) enum ExplainEffect {
    /// Compute the maps on screen, then those that will probably be shown next.
    Show { shown: Vec<MapRequest>, ahead: Vec<MapRequest> },
    /// Look for folders with models.
    LookForModels,
    /// Look for the epochs whose models these runs have kept.
    LookForEpochs(Vec<RunDir>),
    /// Complete the typed path of a model.
    Complete(String),
    /// Check that a typed path is a model or a folder of models.
    CheckModels(String),
    /// Look whether these images of the last session are still there.
    LookForImages(Vec<PathBuf>),
    /// Write the files of these images to a new folder.
    Export { images: Vec<(PathBuf, Arc<MappedImage>)>, painting: MapPainting },
}

/// Images are compared by identity.
impl PartialEq for ExplainEffect {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Show { shown, ahead }, Self::Show { shown: others, ahead: then }) => {
                shown == others && ahead == then
            }
            (Self::LookForModels, Self::LookForModels) => true,
            (Self::LookForEpochs(runs), Self::LookForEpochs(others)) => runs == others,
            (Self::Complete(typed), Self::Complete(other)) | (Self::CheckModels(typed), Self::CheckModels(other)) => {
                typed == other
            }
            (Self::LookForImages(paths), Self::LookForImages(others)) => paths == others,
            (Self::Export { images, .. }, Self::Export { images: others, .. }) => {
                let same = |((file, image), (other, of)): (&(_, Arc<_>), &(_, Arc<_>))| {
                    file == other && Arc::ptr_eq(image, of)
                };
                images.len() == others.len() && images.iter().zip(others).all(same)
            }
            _ => false,
        }
    }
}

/// Messages from the service of the screen Explain.
#[derive(Debug)]
pub(in crate::tui) enum ExplainMessage {
    Mapped {
        request: MapRequest,
        outcome: Result<Arc<MappedImage>, Failure>,
    },
    /// The scores of a map by the model of an epoch, on screen or not.
    Scored {
        request: MapRequest,
        outcome: Result<EpochScores, Failure>,
    },
    /// Folders with models.
    Models(Vec<PathBuf>),
    /// The epochs whose models the runs have kept.
    Epochs(Vec<RunEpochs>),
    /// Completions of a typed path.
    Completed {
        typed: String,
        found: Vec<String>,
    },
    /// The outcome of a check of a typed path: the path, absolute, or why there is no model.
    ModelsChecked {
        typed: String,
        outcome: Result<PathBuf, Failure>,
    },
    /// Images of the last session that are no longer there.
    Missing(Vec<PathBuf>),
    /// The folder that was written.
    Exported(Result<PathBuf, Failure>),
}

/// Actions of the screen Explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ExplainAction {
    Next,
    Previous,
    TenForward,
    TenBack,
    First,
    Last,
    Arrangement,
    MoreOpacity,
    LessOpacity,
    Outlines,
    Method,
    PreviousMethod,
    Layer,
    PreviousLayer,
    Class,
    PreviousClass,
    Cells,
    Smooth,
    Picture(PictureAction),
    Colors,
    Scale,
    Grid,
    Models,
    EarlierEpoch,
    LaterEpoch,
    /// Lays the maps of a second model beside those of the first, or leaves them out.
    Compare,
    /// Asks for the path of a model.
    TypeModels,
    FullScreen,
    Export,
    /// Copy the path of the image, or of the models under the cursor.
    Copy,
    Retry,
    Back,
    Choose,
    ToDatasets,
    ToEvaluate,
}
