//! The checkpoint of a run to explain: its best one, or its newest one while the run is being trained.

use std::collections::HashMap;
use std::fs::metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::tui::protocol::failure::Failure;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::SavedCheckpoint;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;

/// The age from which a folder's modification time is trusted: a younger folder may change again within the same tick
/// of its file system's clock, and the events that describe its files may not be written yet.
const MIN_TRUSTED_AGE: Duration = Duration::from_secs(2);

/// Caches what is known of the checkpoints of each run until their folder changes, since finding the best of several, or
/// the newest, takes reading all events.
#[derive(Debug, Default)]
pub(super) struct NewestCheckpoints(HashMap<RunDir, (SystemTime, Known)>);

/// What is known of a run's checkpoints.
#[derive(Clone, Debug)]
struct Known {
    best: Result<PathBuf, Failure>,
    /// True if the last checkpoint is newer than the best one; `None` if that was not asked yet.
    last_is_newer: Option<bool>,
}

impl NewestCheckpoints {
    /// The best checkpoint of a run; with `follow`, its last one if that is newer.
    pub(super) fn of(&mut self, run: &RunDir, follow: bool) -> Result<PathBuf, Failure> {
        let folder = changed(&run.checkpoints());
        let cached = self.0.get(run).filter(|(then, _)| Some(*then) == folder).map(|(_, known)| known.clone());
        let mut known =
            cached.unwrap_or_else(|| Known { best: best_checkpoint(run).map_err(Failure::new), last_is_newer: None });
        let last = run.last_checkpoint();
        if follow && last.is_file() {
            let is_newer = || known.best.as_ref().map_or(true, |best| is_newer(run, &last, best));
            known.last_is_newer = known.last_is_newer.or_else(|| Some(is_newer()));
        }
        self.0.remove(run);
        if let Some(folder) = folder.filter(|folder| folder.elapsed().is_ok_and(|since| since > MIN_TRUSTED_AGE)) {
            self.0.insert(run.clone(), (folder, known.clone()));
        }
        if follow && last.is_file() && known.last_is_newer == Some(true) { Ok(last) } else { known.best }
    }
}

/// True if a checkpoint was saved after another: by the order of the events, since a clock may have been set back, or
/// else by the times of the files.
fn is_newer(run: &RunDir, checkpoint: &Path, other: &Path) -> bool {
    let (mut saved, mut other_saved) = (None, None);
    let mut count = 0;
    let read = EventTail::new(&run.events()).read(|entry| {
        count += 1;
        if let TailEntry::Event(event) = entry
            && let RunEventKind::CheckpointSaved(SavedCheckpoint { file, .. }) = event.kind
        {
            for (path, place) in [(checkpoint, &mut saved), (other, &mut other_saved)] {
                if path.file_name().is_some_and(|name| name == file.as_str()) {
                    *place = Some(count);
                }
            }
        }
    });
    match (read, saved, other_saved) {
        (Ok(()), Some(saved), Some(other)) => saved > other,
        _ => changed(checkpoint) > changed(other),
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use chrono::Utc;
    use mammoscope_domain::run::run_event::RunEvent;
    use mammoscope_domain::run::run_records::CheckpointKind;
    use mammoscope_storage::runs::event_log::EventLog;

    use super::*;

    fn set_changed(path: &Path, seconds_ago: u64) {
        File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(seconds_ago)).unwrap();
    }

    #[test]
    fn a_followed_run_gives_its_last_checkpoint_if_that_is_newer() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let mut newest = NewestCheckpoints::default();
        assert!(newest.of(&run, true).unwrap_err().text().contains("no best checkpoint"));
        let (best, last) = (run.best_checkpoint(3, 0.5), run.last_checkpoint());
        fs::write(&last, b"").unwrap();
        assert_eq!(newest.of(&run, true).as_ref(), Ok(&last), "there is no other");
        assert!(newest.of(&run, false).is_err());
        fs::write(&best, b"").unwrap();
        set_changed(&last, 60);
        assert_eq!(newest.of(&run, true).as_ref(), Ok(&best));
        set_changed(&best, 120);
        assert_eq!([true, false].map(|follow| newest.of(&run, follow).unwrap()), [last, best]);
    }

    #[test]
    fn the_order_of_the_events_counts_and_not_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let (best, last) = (run.best_checkpoint(3, 0.5), run.last_checkpoint());
        let mut events = EventLog::open(&run.events()).unwrap();
        for (path, kind) in [(&best, CheckpointKind::Best), (&last, CheckpointKind::Last)] {
            fs::write(path, b"").unwrap();
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let saved = SavedCheckpoint { epoch: 3, step: 12, kind, file, value: None };
            events.append(&RunEvent { time: Utc::now(), kind: RunEventKind::CheckpointSaved(saved) }).unwrap();
        }
        // The clock was set back between the two.
        set_changed(&last, 3600);
        assert_eq!(NewestCheckpoints::default().of(&run, true), Ok(last));
    }

    #[test]
    fn the_best_checkpoint_is_looked_up_only_after_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let (first, better) = (run.best_checkpoint(3, 0.5), run.best_checkpoint(4, 0.75));
        fs::write(&first, b"").unwrap();
        set_changed(&run.checkpoints(), 60);
        let mut newest = NewestCheckpoints::default();
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&first));
        // A change that leaves the folder's modification time as it was goes unnoticed.
        fs::write(&better, b"").unwrap();
        let known = newest.0[&run].0;
        File::open(run.checkpoints()).unwrap().set_modified(known).unwrap();
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&first), "cached");
        set_changed(&run.checkpoints(), 30);
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&better));
    }
}
