//! `labels.json`: the name, the tags and the note of a run, beside what the trainer writes and independent of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::run_labels::{LABELS_SCHEMA, LabelError, RunLabels};
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest `labels.json` that is read; real ones are much smaller.
const MAX_BYTES: u64 = 1 << 16;

/// The contents of the file.
#[derive(Serialize, Deserialize)]
struct LabelsDocument {
    schema: u32,
    #[serde(flatten)]
    labels: RunLabels,
}

/// A `labels.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsFileError {
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    /// It does not hold labels.
    #[error("{}: {reason}", printable_path(path))]
    Invalid { path: PathBuf, reason: String },
    #[error("{}: {error}", printable_path(path))]
    Label { path: PathBuf, error: LabelError },
    #[error("{} is read-only: {error}", printable_path(path))]
    ReadOnly { path: PathBuf, error: io::Error },
    #[error("write {}: {error}", printable_path(path))]
    Write { path: PathBuf, error: io::Error },
}

/// Reads the labels of a run; a run without the file has none.
pub fn read_labels(run: &RunDir) -> Result<RunLabels, LabelsFileError> {
    let path = run.labels();
    let bytes = match read_regular_file(&path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(RunLabels::default()),
        Err(error) => return Err(LabelsFileError::Read { path, error }),
        Ok(bytes) => bytes,
    };
    let invalid = |reason: String| LabelsFileError::Invalid { path: path.clone(), reason };
    let document: LabelsDocument =
        serde_json::from_slice(&bytes).map_err(|error| invalid(printable(&error.to_string())))?;
    if document.schema != LABELS_SCHEMA {
        return Err(invalid(format!("schema {} is not {LABELS_SCHEMA}: a newer version wrote it", document.schema)));
    }
    // Through the same checks as typed labels: the file may have been edited by hand.
    let mut labels = RunLabels::default();
    let read = document.labels;
    let label = |error| LabelsFileError::Label { path: path.clone(), error };
    labels.rename(read.name.as_deref().unwrap_or_default()).map_err(label)?;
    labels.set_note(&read.note).map_err(label)?;
    for tag in &read.tags {
        labels.add_tag(tag).map_err(label)?;
    }
    Ok(labels)
}

/// Replaces the labels of a run atomically; without any, the file is removed.
pub fn write_labels(run: &RunDir, labels: &RunLabels) -> Result<(), LabelsFileError> {
    let path = run.labels();
    let written = if labels.is_empty() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    } else {
        let document = LabelsDocument { schema: LABELS_SCHEMA, labels: labels.clone() };
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::other);
        text.and_then(|text| write_atomically(&path, (text + "\n").as_bytes()))
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            LabelsFileError::ReadOnly { path: run_folder(run), error }
        }
        _ => LabelsFileError::Write { path, error },
    })
}

/// Changes the labels of a run; returns the labels after the change.
pub fn change_labels(
    run: &RunDir,
    change: impl FnOnce(&mut RunLabels) -> Result<(), LabelError>,
) -> Result<RunLabels, LabelsFileError> {
    let before = read_labels(run)?;
    let mut labels = before.clone();
    change(&mut labels).map_err(|error| LabelsFileError::Label { path: run_folder(run), error })?;
    if labels != before {
        write_labels(run, &labels)?;
    }
    Ok(labels)
}

fn run_folder(run: &RunDir) -> PathBuf {
    Path::new(&run.name()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_survive_and_vanish_with_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        assert!(read_labels(&run).unwrap().is_empty());
        let labels = change_labels(&run, |labels| {
            labels.rename("Größter Lauf")?;
            labels.add_tag("paper")
        });
        assert_eq!(read_labels(&run).unwrap(), labels.unwrap());
        change_labels(&run, |labels| labels.add_tag("no tag")).unwrap_err();
        assert_eq!(read_labels(&run).unwrap().tags_text(), "paper", "a refused change leaves the file");
        change_labels(&run, |labels| {
            labels.tags.clear();
            labels.rename("")
        })
        .unwrap();
        assert!(!run.labels().exists());
    }

    #[test]
    fn damaged_and_newer_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        for (text, reason) in [
            ("{", "EOF while parsing"),
            (r#"{"schema": 2}"#, "schema 2 is not 1"),
            (r#"{"schema": 1, "name": "a\u0007"}"#, "the name contains control characters"),
        ] {
            fs::write(run.labels(), text).unwrap();
            let error = read_labels(&run).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(change_labels(&run, |labels| labels.rename("x")).is_err(), "and not overwritten");
            assert_eq!(fs::read_to_string(run.labels()).unwrap(), text);
        }
    }
}
