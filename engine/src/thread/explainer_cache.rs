//! Keeps the most recently explained model loaded, so that stepping through images does not reload it for each one.

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

/// A model on a device and the properties of its input.
#[derive(Debug)]
pub(super) struct LoadedModel {
    pub(super) explainer: Explainer,
    pub(super) size: usize,
    pub(super) route: InputRoute,
}

/// The key of a loaded model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ModelKey {
    pub(super) path: PathBuf,
    pub(super) device: Device,
    pub(super) kind: Kind,
    /// Steps of the cascading randomisation and their seed; `None` if no weights are randomised.
    pub(super) randomised: Option<(usize, u64)>,
}

/// The most recently explained model.
#[derive(Debug, Default)]
pub(super) struct ExplainerCache(Option<Entry>);

#[derive(Debug)]
struct Entry {
    key: ModelKey,
    file: FileIdentity,
    model: LoadedModel,
}

impl ExplainerCache {
    /// Loads a model, unless it is the cached one and its file has not changed.
    pub(super) fn load(&mut self, key: ModelKey) -> anyhow::Result<&LoadedModel> {
        let file = FileIdentity::of(&key.path)?;
        let cached = self.0.take().filter(|entry| entry.key == key && entry.file == file);
        let entry = if let Some(entry) = cached {
            entry
        } else {
            let model = read(&key)?;
            Entry { key, file, model }
        };
        Ok(&self.0.insert(entry).model)
    }
}

fn read(key: &ModelKey) -> anyhow::Result<LoadedModel> {
    let path = &key.path;
    let mut model = read_model_or_checkpoint(path).with_context(|| format!("model {}", printable_path(path)))?;
    if let Some((steps, seed)) = key.randomised {
        model = randomised(model, steps, seed);
    }
    let explainer = Explainer::new(&model, key.device, key.kind)?;
    Ok(LoadedModel { explainer, size: model.metadata.size, route: model.metadata.input_route })
}

/// Detects that a file has changed; a checkpoint is replaced by a file with another inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let identity = |file: Metadata| Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
        };
        std::fs::metadata(path).map(identity).with_context(|| format!("model {}", printable_path(path)))
    }
}
