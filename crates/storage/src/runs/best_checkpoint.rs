//! Finds the best checkpoint of a run, an ordinary model file.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::event_tail::{EventTail, TailEntry};
use super::run_dir::RunDir;
use super::run_spec_file::read_run_spec;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::training_config::Monitor;

/// A run without a best checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum NoBestCheckpoint {
    /// The folder of checkpoints cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: io::Error },
    /// The folder contains none.
    #[error(
        "{} has no best checkpoint: one is written after the first epoch with validation images; `mammoscope status {}` \
         shows its progress", printable(.0), printable(.0)
    )]
    None(String),
}

/// Returns the best existing checkpoint, by the values in the run's events, otherwise by the rounded values in file
/// names; of equal ones the earlier, as in training.
pub fn best_checkpoint(run: &RunDir) -> Result<PathBuf, NoBestCheckpoint> {
    let folder = run.checkpoints();
    let unreadable = |error| NoBestCheckpoint::Unreadable { path: folder.clone(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        found.extend(named_epoch(&path).map(|(epoch, value)| (epoch, value, path)));
    }
    found.sort_by_key(|(epoch, ..)| *epoch);
    let monitor = read_run_spec(&run.spec()).map_or(Monitor::ValAccuracy, |spec| spec.config.monitor);
    if found.len() > 1 {
        let recorded = recorded_values(run);
        for (_, value, path) in &mut found {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            *value = recorded.get(name).copied().unwrap_or(*value);
        }
    }
    let mut found = found.into_iter();
    let first = found.next().ok_or_else(|| NoBestCheckpoint::None(run.name()))?;
    let best = found.fold(first, |best, other| if monitor.is_better(other.1, best.1) { other } else { best });
    Ok(best.2)
}

/// Returns the values of best checkpoints in the events, by file name; unreadable events are ignored.
fn recorded_values(run: &RunDir) -> HashMap<String, f64> {
    let mut values = HashMap::new();
    let read = EventTail::new(&run.events()).read(|entry| {
        if let TailEntry::Event(event) = entry
            && let RunEventKind::CheckpointSaved(checkpoint) = event.kind
            && let SavedCheckpoint { kind: CheckpointKind::Best, file, value: Some(value), .. } = checkpoint
        {
            values.insert(file, value);
        }
    });
    if read.is_ok() { values } else { HashMap::new() }
}

/// Parses epoch and value in a name such as `best-046-0.80.safetensors`.
fn named_epoch(path: &Path) -> Option<(u32, f64)> {
    let name = path.file_name()?.to_str()?;
    let (epoch, value) = name.strip_prefix("best-")?.strip_suffix(".safetensors")?.split_once('-')?;
    Some((epoch.parse().ok()?, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::runs::event_log::EventLog;
    use mammoscope_domain::run::run_event::RunEvent;

    fn saved(epoch: u32, value: f64, file: &Path) -> RunEvent {
        let file = file.file_name().unwrap().to_str().unwrap().to_owned();
        let kind = CheckpointKind::Best;
        RunEvent {
            time: Utc::now(),
            kind: RunEventKind::CheckpointSaved(SavedCheckpoint {
                epoch,
                step: epoch.into(),
                kind,
                file,
                value: Some(value),
            }),
        }
    }

    #[test]
    fn the_best_checkpoint_is_chosen_by_events_then_by_names() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        fs::write(run.last_checkpoint(), b"").unwrap();
        assert!(matches!(best_checkpoint(&run), Err(NoBestCheckpoint::None(name)) if name == "run"));
        let values = [(9, 0.801), (10, 0.804), (1000, 0.75), (1001, 0.8)];
        for (epoch, value) in values {
            fs::write(run.best_checkpoint(epoch, value), b"").unwrap();
        }
        fs::write(run.checkpoints().join(".best-2000-0.95.safetensors.7.part"), b"").unwrap();
        assert_eq!(best_checkpoint(&run).unwrap(), run.best_checkpoint(9, 0.801), "the earliest of 0.80");
        let mut events = EventLog::open(&run.events()).unwrap();
        for (epoch, value) in values {
            events.append(&saved(epoch, value, &run.best_checkpoint(epoch, value))).unwrap();
        }
        events.append(&saved(2, 0.9, &run.best_checkpoint(2, 0.9))).unwrap();
        assert_eq!(best_checkpoint(&run).unwrap(), run.best_checkpoint(10, 0.804), "of those that are there");
        let gone = best_checkpoint(&RunDir::new(folder.path().join("gone"))).unwrap_err();
        assert!(matches!(gone, NoBestCheckpoint::Unreadable { .. }));
    }
}
