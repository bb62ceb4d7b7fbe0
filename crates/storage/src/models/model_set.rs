//! The models that `--model` names: one file, or a folder with one model a view.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::model_file::{Model, ModelError, ModelMetadata};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;

/// A model file that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    pub path: PathBuf,
    pub metadata: ModelMetadata,
    /// The reason why it cannot be used although it is a model: its weights are not finite.
    pub fault: Option<String>,
}

/// One or more models, at most one per view.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSet {
    entries: Vec<ModelEntry>,
    /// True if a single file was given, which is used for every view.
    named: bool,
}

/// A model path without usable models.
#[derive(Debug, thiserror::Error)]
pub enum ModelSetError {
    /// The file or folder cannot be read.
    #[error("{}: {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: io::Error },
    /// A file is not a model.
    #[error("{}: {error}", printable_path(path))]
    Model { path: PathBuf, error: ModelError },
    /// The weights of a model are not finite.
    #[error("{}: {reason}", printable_path(path))]
    Faulty { path: PathBuf, reason: String },
    /// A folder contains no model.
    #[error("{}: no model here (models are .safetensors files; `mammoscope import` converts Keras files)", printable_path(.0))]
    Empty(PathBuf),
    /// Two models are for the same view.
    #[error("{} and {} are both for {}; keep one, or name the file", printable_path(first), printable_path(second), view.map_or("any view", View::name))]
    Ambiguous {
        first: PathBuf,
        second: PathBuf,
        /// The view of both.
        view: Option<View>,
    },
}

impl ModelSet {
    /// Reads and checks a model file, or every `.safetensors` file of a folder. Models whose weights are not finite are
    /// included, with their [fault](ModelEntry::fault).
    pub fn open(path: &Path) -> Result<Self, ModelSetError> {
        let unreadable = |error| ModelSetError::Unreadable { path: path.to_owned(), error };
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Ok(Self { entries: vec![read_entry(path)?], named: true });
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension() == Some(OsStr::new("safetensors")) && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        let entries = files.iter().map(|file| read_entry(file)).collect::<Result<Vec<_>, _>>()?;
        check_views(&entries)?;
        if entries.is_empty() { Err(ModelSetError::Empty(path.to_owned())) } else { Ok(Self { entries, named: false }) }
    }

    /// Reads and checks model files of distinct views, such as the best of each run of a group. A single model serves
    /// every view. Fails if two are for the same view.
    pub fn of_files(paths: &[PathBuf]) -> Result<Self, ModelSetError> {
        let entries = paths.iter().map(|path| read_entry(path)).collect::<Result<Vec<_>, _>>()?;
        check_views(&entries)?;
        Ok(Self { named: entries.len() == 1, entries })
    }

    /// Like [`ModelSet::of_files`], for models that have been read.
    #[must_use]
    pub fn of_entries(entries: Vec<ModelEntry>) -> Self {
        Self { named: entries.len() == 1, entries }
    }

    /// Returns the models, or an error if one has a fault.
    pub fn without_faults(self) -> Result<Self, ModelSetError> {
        match self.entries.iter().find_map(|entry| entry.fault.clone().map(|reason| (entry.path.clone(), reason))) {
            Some((path, reason)) => Err(ModelSetError::Faulty { path, reason }),
            None => Ok(self),
        }
    }

    /// All models, in the order of their files.
    #[must_use]
    pub fn entries(&self) -> &[ModelEntry] {
        &self.entries
    }

    /// Returns the model for images of a view (`None`: the view is unknown): the view's own, otherwise one for any
    /// view. A file that was given by itself serves every view, even if its [`ModelMetadata::view`] is another.
    #[must_use]
    pub fn for_view(&self, view: Option<View>) -> Option<&ModelEntry> {
        let with = |wanted: Option<View>| self.entries.iter().find(|entry| entry.metadata.view == wanted);
        view.and_then(|view| with(Some(view)))
            .or_else(|| with(None))
            .or_else(|| self.entries.first().filter(|_| self.named))
    }
}

/// Refuses two models of the same view, of which one would be used by chance.
fn check_views(entries: &[ModelEntry]) -> Result<(), ModelSetError> {
    for (position, second) in entries.iter().enumerate() {
        let view = second.metadata.view;
        if let Some(first) = entries[..position].iter().find(|entry| entry.metadata.view == view) {
            let (first, second) = (first.path.clone(), second.path.clone());
            return Err(ModelSetError::Ambiguous { first, second, view });
        }
    }
    Ok(())
}

fn read_entry(path: &Path) -> Result<ModelEntry, ModelSetError> {
    let path = path.to_owned();
    match Model::read(&path) {
        Ok(model) => Ok(ModelEntry { path, metadata: model.metadata, fault: None }),
        Err(error @ ModelError::Values { .. }) => match ModelMetadata::read(&path) {
            Ok(metadata) => Ok(ModelEntry { path, metadata, fault: Some(error.to_string()) }),
            Err(error) => Err(ModelSetError::Model { path, error }),
        },
        Err(error) => Err(ModelSetError::Model { path, error }),
    }
}
