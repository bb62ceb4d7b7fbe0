//! The checkpoint of a run to explain: its best one, or its newest one while the run is being trained.

use std::collections::HashMap;
use std::fs::metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::tui::protocol::failure::Failure;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;

/// The age from which a folder's modification time is trusted: a younger folder may change again within the same tick
/// of its file system's clock, and the events that describe its files may not be written yet.
const MIN_TRUSTED_AGE: Duration = Duration::from_secs(2);

/// Caches the best checkpoint of each run until its folder of checkpoints changes, since finding the best of several
/// takes reading all events.
#[derive(Debug, Default)]
pub(super) struct NewestCheckpoints(HashMap<RunDir, (SystemTime, Result<PathBuf, Failure>)>);

impl NewestCheckpoints {
    /// The best checkpoint of a run; with `follow`, its last one if that is newer.
    pub(super) fn of(&mut self, run: &RunDir, follow: bool) -> Result<PathBuf, Failure> {
        let best = self.best(run);
        let last = run.last_checkpoint();
        let is_newer = |best: &PathBuf| changed(&last) > changed(best);
        if follow && last.is_file() && best.as_ref().map_or(true, is_newer) { Ok(last) } else { best }
    }

    fn best(&mut self, run: &RunDir) -> Result<PathBuf, Failure> {
        let folder = changed(&run.checkpoints());
        if let (Some(now), Some((then, best))) = (folder, self.0.get(run))
            && now == *then
        {
            return best.clone();
        }
        let best = best_checkpoint(run).map_err(Failure::new);
        self.0.remove(run);
        if let Some(folder) = folder.filter(|folder| folder.elapsed().is_ok_and(|since| since > MIN_TRUSTED_AGE)) {
            self.0.insert(run.clone(), (folder, best.clone()));
        }
        best
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    metadata(path).and_then(|metadata| metadata.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

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
