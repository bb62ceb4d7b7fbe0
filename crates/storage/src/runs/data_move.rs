//! The move of a run's images to another folder, recorded in all files that name it.

use std::io;
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::event_log::EventLog;
use super::manifest_file::{ManifestFileError, write_manifest};
use super::run_dir::RunDir;
use super::run_lock::RunLock;
use super::run_spec_file::{RunSpecError, write_run_spec};
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::DataMove;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::printable::printable_path;

/// A move that could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum DataMoveError {
    #[error(transparent)]
    Manifest(#[from] ManifestFileError),
    #[error("write to {}: {error}", printable_path(path))]
    Events { path: PathBuf, error: io::Error },
    #[error("write run.toml: {0}")]
    Spec(#[from] RunSpecError),
}

/// Records that the images of a run are now in `root`, an absolute path. The caller holds the run's lock, and has verified
/// the images.
///
/// `dataset.json` is written first, in one step, because readers and trainers find the images by it alone. What follows
/// only reports the move; a process that ends in between leaves a difference that [`is_recorded`] finds.
pub fn record_data_move(
    run: &RunDir,
    _lock: &RunLock,
    spec: &RunSpec,
    manifest: &DatasetManifest,
    root: &Path,
) -> Result<(), DataMoveError> {
    if manifest.root != root {
        write_manifest(&run.manifest(), &DatasetManifest { root: root.to_owned(), ..manifest.clone() })?;
    }
    let path = run.events();
    let kind = RunEventKind::DataMoved(DataMove { from: spec.data.clone(), to: root.to_owned() });
    EventLog::open(&path)
        .and_then(|mut log| {
            log.append(&RunEvent { time: Utc::now(), kind })?;
            log.sync()
        })
        .map_err(|error| DataMoveError::Events { path, error })?;
    Ok(write_run_spec(&run.spec(), &RunSpec { data: root.to_owned(), ..spec.clone() })?)
}

/// True if `run.toml` and `dataset.json` name the same folder.
#[must_use]
pub fn is_recorded(spec: &RunSpec, manifest: &DatasetManifest) -> bool {
    spec.data == manifest.root
}
