//! The model that was explained last, kept for the next job on it: walking through images must not load it each time.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::checkpoint_model::read_model_or_checkpoint;
use tch::{Device, Kind};

use crate::learning::explanation::explainer::Explainer;
use crate::learning::explanation::random_weights::randomised;

/// A model on a device, and what is to be known of its input.
#[derive(Debug)]
pub(super) struct LoadedModel {
    pub(super) explainer: Explainer,
    pub(super) size: usize,
    pub(super) route: InputRoute,
}

/// Which model is wanted, and how.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WantedModel {
    pub(super) path: PathBuf,
    pub(super) device: Device,
    pub(super) kind: Kind,
    /// Steps of the cascade of random weights, and their seed; without any step the seed does not matter.
    pub(super) randomised: Option<(usize, u64)>,
}

/// The model that was explained last.
#[derive(Debug, Default)]
pub(super) struct ExplainerCache(Option<(WantedModel, FileState, LoadedModel)>);

impl ExplainerCache {
    /// The wanted model: the one at hand where it is that and its file did not change.
    pub(super) fn load(&mut self, wanted: WantedModel) -> anyhow::Result<&LoadedModel> {
        let state = FileState::of(&wanted.path)?;
        let kept = self.0.take().filter(|(kept, file, _)| *kept == wanted && *file == state);
        let kept = if let Some(kept) = kept {
            kept
        } else {
            let loaded = read(&wanted)?;
            (wanted, state, loaded)
        };
        Ok(&self.0.insert(kept).2)
    }
}

fn read(wanted: &WantedModel) -> anyhow::Result<LoadedModel> {
    let path = &wanted.path;
    let mut model = read_model_or_checkpoint(path).with_context(|| format!("model {}", printable_path(path)))?;
    if let Some((steps, seed)) = wanted.randomised {
        model = randomised(model, steps, seed);
    }
    let explainer = Explainer::new(&model, wanted.device, wanted.kind)?;
    Ok(LoadedModel { explainer, size: model.metadata.size, route: model.metadata.input_route })
}

/// By what a file is seen to have changed: checkpoints are replaced by files of other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileState {
    device: u64,
    number: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl FileState {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let state = |file: Metadata| Self {
            device: file.dev(),
            number: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        };
        std::fs::metadata(path).map(state).with_context(|| format!("model {}", printable_path(path)))
    }
}
