//! `status.json` on disk: replaced atomically, so that readers see either the old or the new status.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::process_evidence::{boot_id, host_name};
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus, STATUS_SCHEMA};
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest `status.json` that is read; real ones are much smaller.
const MAX_BYTES: u64 = 1 << 20;

/// A `status.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunStatusError {
    /// The file does not exist.
    #[error("{} does not exist", printable_path(.0))]
    Missing(PathBuf),
    /// The file cannot be opened or read.
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    /// It is not a status.
    #[error("{}: {reason}", printable_path(path))]
    Invalid { path: PathBuf, reason: String },
}

/// Returns the status of a run that belongs to this process and has not made a step.
#[must_use]
pub fn status_of_this_process(spec: &RunSpec, state: RunPhase, time: DateTime<Utc>) -> RunStatus {
    RunStatus {
        schema: STATUS_SCHEMA,
        state,
        reason: None,
        pid: Some(std::process::id()),
        host: Some(host_name()),
        boot_id: boot_id(),
        group: spec.group.clone(),
        view: spec.view,
        step: 0,
        steps_per_epoch: 0,
        epoch: 0,
        epochs: spec.config.epochs,
        best: None,
        images_per_s: None,
        eta_s: None,
        heartbeat: time,
        updated: time,
    }
}

/// Replaces the status of a run atomically.
pub fn write_status(path: &Path, status: &RunStatus) -> io::Result<()> {
    write_atomically(path, text_of(status)?.as_bytes())
}

/// Overwrites the status of a run in place. This works on a full disk, where no new file can be created: the block of a
/// file of a few hundred bytes has room for a longer text. A crash at that moment would leave a half-written file.
pub fn overwrite_status(path: &Path, status: &RunStatus) -> io::Result<()> {
    let mut text = text_of(status)?;
    let mut file = OpenOptions::new().write(true).open(path)?;
    // Spaces in place of a longer text's end: a reader sees one of the two texts, and both are whole.
    let before = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    text.extend(std::iter::repeat_n(' ', before.saturating_sub(text.len())));
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn text_of(status: &RunStatus) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(status)? + "\n")
}

/// Reads the status of a run.
pub fn read_status(path: &Path) -> Result<RunStatus, RunStatusError> {
    let bytes = read_regular_file(path, MAX_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RunStatusError::Missing(path.to_owned()),
        _ => RunStatusError::Read { path: path.to_owned(), error },
    })?;
    let invalid = |reason: String| RunStatusError::Invalid { path: path.to_owned(), reason };
    let status: RunStatus = serde_json::from_slice(&bytes).map_err(|error| invalid(printable(&error.to_string())))?;
    if status.schema != STATUS_SCHEMA {
        return Err(invalid(format!("has schema {}; this program reads schema {STATUS_SCHEMA}", status.schema)));
    }
    Ok(status)
}

/// The time of the last writing of a status, by the clock of its file system.
#[must_use]
pub fn status_written(path: &Path) -> Option<DateTime<Utc>> {
    std::fs::metadata(path).and_then(|facts| facts.modified()).ok().map(DateTime::from)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use mammoscope_domain::run::run_status::{BestEpoch, RunPhase};
    use mammoscope_domain::subject::view::View;

    #[test]
    fn statuses_are_read_back_and_invalid_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        assert!(matches!(read_status(&path), Err(RunStatusError::Missing(_))));
        let status = RunStatus {
            schema: STATUS_SCHEMA,
            state: RunPhase::Running,
            reason: None,
            pid: Some(7),
            host: Some("node3".to_owned()),
            boot_id: None,
            group: "g".to_owned(),
            view: View::CcR,
            step: 5121,
            steps_per_epoch: 227,
            epoch: 23,
            epochs: 100,
            best: Some(BestEpoch { metric: "val_accuracy".to_owned(), value: 0.1 + 0.2, epoch: 22 }),
            images_per_s: Some(1.0 / 3.0),
            eta_s: None,
            heartbeat: Utc::now(),
            updated: Utc::now(),
        };
        write_status(&path, &status).unwrap();
        assert_eq!(read_status(&path).unwrap(), status);
        write_status(&path, &RunStatus { schema: 9, ..status }).unwrap();
        assert!(read_status(&path).unwrap_err().to_string().contains("schema 9"));
        std::fs::write(&path, b"{\"schema\":").unwrap();
        assert!(read_status(&path).unwrap_err().to_string().contains("status.json: EOF"));
    }
}
