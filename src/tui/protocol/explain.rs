//! What the screen Explain is given, what it asks for, and what it gets.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::analysis::explained_image::ExplainedImage;
use crate::analysis::explanation_files::MapPainting;
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

/// Where models come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum ModelSource {
    /// The best checkpoints of these runs, as they are now.
    Runs(#[serde(with = "run_paths")] Vec<RunDir>),
    /// A model file, or a folder of them.
    Files(PathBuf),
}

/// An image to explain.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ExplainSample {
    pub(in crate::tui) path: PathBuf,
    pub(in crate::tui) label: Option<DensityClass>,
    pub(in crate::tui) view: Option<View>,
    /// The examination, `145 exam 1`; empty where it is not known.
    pub(in crate::tui) examination: String,
}

/// Images to explain.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ExplainList {
    /// What they have in common: `C predicted as D`.
    pub(in crate::tui) title: String,
    pub(in crate::tui) samples: Vec<ExplainSample>,
    /// The one to begin with.
    pub(in crate::tui) position: usize,
    /// Images of the same examinations, for all views beside each other.
    pub(in crate::tui) views: Vec<ExplainSample>,
    /// The models; `None` keeps those that were used last.
    pub(in crate::tui) source: Option<ModelSource>,
    /// Where they came from.
    pub(in crate::tui) from: ScreenId,
}

/// A map that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct MapRequest {
    pub(in crate::tui) sample: PathBuf,
    pub(in crate::tui) view: Option<View>,
    pub(in crate::tui) source: ModelSource,
    pub(in crate::tui) method: ExplanationMethod,
    pub(in crate::tui) layer: ExplainedLayer,
    /// The class that it speaks for; `None` is the predicted one.
    pub(in crate::tui) class: Option<DensityClass>,
    /// Whether the newest checkpoint of a run is wanted, best or not: it is being trained.
    pub(in crate::tui) follow: bool,
}

/// A map, brought to its image.
#[derive(Debug)]
pub(in crate::tui) struct MappedImage {
    pub(in crate::tui) image: Arc<ExplainedImage>,
    /// The class that it speaks for.
    pub(in crate::tui) class: DensityClass,
    /// Columns and rows of the map before it was enlarged.
    pub(in crate::tui) grid: (usize, usize),
    /// The model file.
    pub(in crate::tui) model: PathBuf,
}

impl MappedImage {
    /// The most probable class; `None` where the network's answer is not finite.
    pub(in crate::tui) fn predicted(&self) -> Option<DensityClass> {
        self.image.probabilities.as_ref().map(Probabilities::most_probable)
    }
}

/// Runs by their paths.
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

/// What is wanted of the world.
#[derive(Debug)]
pub(in crate::tui) enum ExplainEffect {
    /// Compute these maps, then those that will probably be looked at next.
    Show { shown: Vec<MapRequest>, ahead: Vec<MapRequest> },
    /// Look for folders with models.
    LookForModels,
    /// Write the files of these images into one folder.
    Export { images: Vec<(PathBuf, Arc<MappedImage>)>, painting: MapPainting },
}

/// Images are the same where they are the same in memory.
impl PartialEq for ExplainEffect {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Show { shown, ahead }, Self::Show { shown: others, ahead: then }) => {
                shown == others && ahead == then
            }
            (Self::LookForModels, Self::LookForModels) => true,
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

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum ExplainMessage {
    /// A map, or why there is none.
    Mapped { request: MapRequest, outcome: Result<Arc<MappedImage>, String> },
    /// Folders with models.
    Models(Vec<PathBuf>),
    /// The folder that was written, or why it was not.
    Exported(Result<PathBuf, String>),
}

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ExplainAction {
    Next,
    Previous,
    TenOn,
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
    Window,
    Colors,
    Scale,
    Grid,
    Models,
    FullScreen,
    Export,
    Retry,
    Back,
    Up,
    Down,
    Choose,
    ToDatasets,
    ToEvaluate,
}
