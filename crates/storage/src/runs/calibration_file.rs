//! `calibration.json`: temperatures and operating points of a run, beside the predictions that they were fitted to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::best_checkpoint::{NoBestCheckpoint, best_checkpoint};
use super::manifest_file::{ManifestFileError, read_manifest};
use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::models::model_file::{hexadecimal, sha256_hex};
use crate::regular_file::read_regular_file;
use mammoscope_domain::metrics::calibration_document::{CALIBRATION_SCHEMA, CalibrationDocument, FittedRun};
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest file that is read; real ones have some ten thousand bytes.
const LIMIT: u64 = 1 << 24;

/// A calibration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationFileError {
    #[error("{} has no calibration; `mammoscope evaluate {} --calibrate` fits one", printable(.0), printable(.0))]
    Missing(String),
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    /// It does not hold a calibration.
    #[error("{}: {reason}", printable_path(path))]
    Invalid { path: PathBuf, reason: String },
    /// The run is no longer what the calibration was fitted to.
    #[error(
        "the calibration of {} was fitted to {what}; `mammoscope evaluate {} --calibrate` fits it again",
        printable(run),
        printable(run)
    )]
    Stale { run: String, what: &'static str },
    #[error(transparent)]
    Model(#[from] NoBestCheckpoint),
    #[error(transparent)]
    Manifest(#[from] ManifestFileError),
}

/// A run as it is now, with the checksums by which a stale calibration is found.
pub fn fitted_run(run: &RunDir, manifest: &DatasetManifest, model: &Path) -> io::Result<FittedRun> {
    Ok(FittedRun {
        run: run.name(),
        view: manifest.view,
        model_sha256: sha256_hex(&fs::read(model)?),
        validation_sha256: validation_sha256(manifest),
    })
}

/// The SHA-256 of everything that is known of the validation images.
fn validation_sha256(manifest: &DatasetManifest) -> String {
    let mut hasher = Sha256::new();
    let mut add = |field: &str| {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    };
    for (_, sample) in manifest.of_split(Split::Validation) {
        add(&sample.file.to_string_lossy());
        add(&sample.subject.0);
        add(sample.exam.as_ref().map_or("", |exam| &exam.0));
        add(sample.label.letter());
        add(sample.pixels.as_ref().map_or("", |pixels| &pixels.sha256));
    }
    hexadecimal(&hasher.finalize())
}

/// Replaces the calibration of a run atomically.
pub fn write_calibration(run: &RunDir, calibration: &CalibrationDocument) -> io::Result<()> {
    let text = serde_json::to_string_pretty(calibration).map_err(io::Error::other)? + "\n";
    write_atomically(&run.calibration(), text.as_bytes())
}

/// Reads the calibration of a run, which has to be of its present best checkpoint and validation images.
pub fn read_calibration(run: &RunDir) -> Result<CalibrationDocument, CalibrationFileError> {
    let path = run.calibration();
    let bytes = match read_regular_file(&path, LIMIT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CalibrationFileError::Missing(run.name()));
        }
        Err(error) => return Err(CalibrationFileError::Read { path, error }),
        Ok(bytes) => bytes,
    };
    let invalid = |reason: String| CalibrationFileError::Invalid { path: path.clone(), reason };
    let document: CalibrationDocument =
        serde_json::from_slice(&bytes).map_err(|error| invalid(printable(&error.to_string())))?;
    if document.schema != CALIBRATION_SCHEMA {
        return Err(invalid(format!(
            "schema {} is not {CALIBRATION_SCHEMA}: a newer version wrote it",
            document.schema
        )));
    }
    let manifest = read_manifest(&run.manifest())?;
    let model = best_checkpoint(run)?;
    let now = fitted_run(run, &manifest, &model).map_err(|error| CalibrationFileError::Read { path: model, error })?;
    let stale = |what| CalibrationFileError::Stale { run: run.name(), what };
    let of_view = document.fitted_on.iter().find(|fitted| fitted.view == now.view);
    match of_view {
        None => Err(stale("runs of other views")),
        Some(fitted) if fitted.model_sha256 != now.model_sha256 => Err(stale("another checkpoint")),
        Some(fitted) if fitted.validation_sha256 != now.validation_sha256 => Err(stale("other validation images")),
        Some(_) => Ok(document),
    }
}
