//! The checkpoint by which a run's images are explained: its best, or its newest while it is followed.

use std::collections::HashMap;
use std::fs::metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;

/// A folder that changed a shorter while ago may change again within the same tick of its file system's clock, and what
/// the events say of its files may still be on its way.
const SETTLED: Duration = Duration::from_secs(2);

/// Knows which checkpoint is the best as long as the folder of checkpoints does not change: where several are kept, all
/// events are read to tell.
#[derive(Debug, Default)]
pub(super) struct NewestCheckpoints(HashMap<RunDir, (SystemTime, Result<PathBuf, String>)>);

impl NewestCheckpoints {
    /// The run's best checkpoint or, where it is followed, its last one if that is newer.
    pub(super) fn of(&mut self, run: &RunDir, follow: bool) -> Result<PathBuf, String> {
        let best = self.best(run);
        let last = run.last_checkpoint();
        let is_newer = |best: &PathBuf| changed(&last) > changed(best);
        if follow && last.is_file() && best.as_ref().map_or(true, is_newer) { Ok(last) } else { best }
    }

    fn best(&mut self, run: &RunDir) -> Result<PathBuf, String> {
        let folder = changed(&run.checkpoints());
        if let (Some(now), Some((then, best))) = (folder, self.0.get(run))
            && now == *then
        {
            return best.clone();
        }
        let best = best_checkpoint(run).map_err(|error| error.to_string());
        self.0.remove(run);
        if let Some(folder) = folder.filter(|folder| folder.elapsed().is_ok_and(|since| since > SETTLED)) {
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
    fn the_last_one_is_taken_where_a_run_is_followed_and_it_is_newer() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let mut newest = NewestCheckpoints::default();
        assert!(newest.of(&run, true).unwrap_err().contains("no best checkpoint"));
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
    fn the_best_is_looked_for_again_when_the_folder_changes_only() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let (first, better) = (run.best_checkpoint(3, 0.5), run.best_checkpoint(4, 0.75));
        fs::write(&first, b"").unwrap();
        set_changed(&run.checkpoints(), 60);
        let mut newest = NewestCheckpoints::default();
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&first));
        // Behind its back, with the folder's time as it was.
        fs::write(&better, b"").unwrap();
        let known = newest.0[&run].0;
        File::open(run.checkpoints()).unwrap().set_modified(known).unwrap();
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&first), "known");
        set_changed(&run.checkpoints(), 30);
        assert_eq!(newest.of(&run, false).as_ref(), Ok(&better));
    }
}
