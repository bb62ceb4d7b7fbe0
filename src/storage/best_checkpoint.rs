//! The best checkpoint of a run: an ordinary model file among its checkpoints.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::run_dir::RunDir;
use super::run_status_file::read_status;
use crate::domain::printable::{printable, printable_path};

/// Why a run has no best checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum NoBestCheckpoint {
    /// The folder of checkpoints cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is none in it.
    #[error(
        "{} has no best checkpoint: one is written after the first epoch with validation images; `mammoscope status {}` \
         says how far it is", printable(.0), printable(.0)
    )]
    None(String),
}

/// The file of the best epoch that `status.json` names; where that does not tell, of the latest epoch: a best
/// checkpoint is only written when it is better than those before it.
pub fn best_checkpoint(run: &RunDir) -> Result<PathBuf, NoBestCheckpoint> {
    let folder = run.checkpoints();
    let unreadable = |error| NoBestCheckpoint::Unreadable { path: folder.clone(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        found.extend(epoch_of(&path).map(|epoch| (epoch, path)));
    }
    found.sort();
    let named = read_status(&run.status()).ok().and_then(|status| status.best).map(|best| best.epoch);
    let best = found.iter().position(|(epoch, _)| Some(*epoch) == named).or(found.len().checked_sub(1));
    best.map(|best| found.swap_remove(best).1).ok_or_else(|| NoBestCheckpoint::None(run.name()))
}

/// The epoch in a name such as `best-046-0.80.safetensors`.
fn epoch_of(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("best-")?.strip_suffix(".safetensors")?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::domain::run_status::{BestEpoch, RunPhase, RunStatus, STATUS_SCHEMA};
    use crate::domain::view::View;
    use crate::storage::run_status_file::write_status;

    fn status(epoch: u32) -> RunStatus {
        RunStatus {
            schema: STATUS_SCHEMA,
            state: RunPhase::Running,
            reason: None,
            pid: None,
            host: None,
            boot_id: None,
            group: "g".to_owned(),
            view: View::CcR,
            step: 0,
            steps_per_epoch: 1,
            epoch: 12,
            epochs: 20,
            best: Some(BestEpoch { metric: "val_accuracy".to_owned(), value: 0.8, epoch }),
            images_per_s: None,
            eta_s: None,
            heartbeat: Utc::now(),
            updated: Utc::now(),
        }
    }

    #[test]
    fn the_epoch_of_the_status_else_the_latest() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        fs::write(run.last_checkpoint(), b"").unwrap();
        assert!(matches!(best_checkpoint(&run), Err(NoBestCheckpoint::None(name)) if name == "run"));
        for (epoch, value) in [(9, 0.75), (1000, 0.9), (10, 0.8)] {
            fs::write(run.best_checkpoint(epoch, value), b"").unwrap();
        }
        fs::write(run.checkpoints().join(".best-2000-0.95.safetensors.7.part"), b"").unwrap();
        assert_eq!(best_checkpoint(&run).unwrap(), run.best_checkpoint(1000, 0.9));
        write_status(&run.status(), &status(10)).unwrap();
        assert_eq!(best_checkpoint(&run).unwrap(), run.best_checkpoint(10, 0.8));
        write_status(&run.status(), &status(11)).unwrap();
        assert_eq!(best_checkpoint(&run).unwrap(), run.best_checkpoint(1000, 0.9), "its file is gone");
        let gone = best_checkpoint(&RunDir::new(folder.path().join("gone"))).unwrap_err();
        assert!(matches!(gone, NoBestCheckpoint::Unreadable { .. }));
    }
}
