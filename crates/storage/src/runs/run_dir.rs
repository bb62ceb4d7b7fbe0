//! The run directory: the one place that knows the names of its files.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;

use super::held_directory::{HeldDirectory, is_missing};
use super::process_evidence::boot_id;
use super::run_status_file::read_status;

/// The card of a run's best model.
pub const CARD_FILE: &str = "model_card.md";

/// A run directory. Creating this value does not access the disk.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// The open directory to which `path` leads, for a trainer.
    held: Option<Arc<HeldDirectory>>,
    /// True if it had a specification when it was opened.
    had_spec: bool,
}

impl RunDir {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), held: None, had_spec: false }
    }

    /// The run whose checkpoints contain a model file.
    #[must_use]
    pub fn of_model(model: &Path) -> Option<Self> {
        let run = Self::new(model.parent()?.parent()?);
        (model.parent() == Some(run.checkpoints().as_path()) && run.spec().is_file()).then_some(run)
    }

    /// Holds the directory open, so that all paths of this value lead to it, and to no other, after it was renamed or moved
    /// within its file system. Without effect if it cannot be opened, and where there is no `/proc`.
    #[must_use]
    pub fn hold(self) -> Self {
        match HeldDirectory::open(&self.path) {
            Some(held) => {
                let had_spec = self.spec().exists();
                Self { path: held.link().to_owned(), held: Some(Arc::new(held)), had_spec }
            }
            None => self,
        }
    }

    /// Creates the directory and its subfolders; the parent must exist, the directory must not.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let run = Self::new(path);
        fs::create_dir(run.path())?;
        for folder in [run.requests(), run.checkpoints()] {
            fs::create_dir(folder)?;
        }
        Ok(run)
    }

    /// The path by which this process reaches the directory. People are shown [`RunDir::shown_path`].
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path that people know. That of a directory that is held open may change at any time; of one that cannot be found, it
    /// is the last one.
    #[must_use]
    pub fn shown_path(&self) -> PathBuf {
        self.held.as_ref().map_or_else(|| self.path.clone(), |held| held.shown_path())
    }

    /// A message for people with [`RunDir::shown_path`] in place of [`RunDir::path`].
    #[must_use]
    pub fn in_shown_paths(&self, message: &str) -> String {
        let folder = |path: &Path| format!("{}/", printable_path(path));
        match self.held {
            Some(_) => message.replace(&folder(&self.path), &folder(&self.shown_path())),
            None => message.to_owned(),
        }
    }

    /// Opens a directory that is held open again at its last path if it is no longer reached, as after its file system was
    /// mounted again. Its status has to name this process.
    pub fn reopen_if_stale(&self) -> io::Result<()> {
        let is_own = |path: &Path| {
            let status = read_status(&Self::new(path).status());
            status.is_ok_and(|status| status.pid == Some(std::process::id()) && status.boot_id == boot_id())
        };
        self.held.as_ref().map_or(Ok(()), |held| held.reopen_if_stale(is_own))
    }

    /// True if the directory is held open, and the path at which it was opened no longer leads to it.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.has_moved())
    }

    /// True if the directory does not exist any more; one that is not held open, also if it has another name. One that lost
    /// its specification and its lock, while it was held open, was removed in part: what its trainer wrote in that moment
    /// kept the rest.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        let Some(held) = &self.held else { return is_missing(&self.path) };
        let is_emptied = || self.had_spec && is_missing(&self.spec()) && is_missing(&self.lock());
        held.is_removed() || is_emptied()
    }

    /// Returns the name of the directory, which is the name of the run.
    #[must_use]
    pub fn name(&self) -> String {
        self.shown_path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The specification of the run.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.path.join("run.toml")
    }

    /// The manifest: every image with its class and split.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.path.join("dataset.json")
    }

    /// The log of events.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// The current status.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.path.join("status.json")
    }

    /// The name, the tags and the note that people gave the run.
    #[must_use]
    pub fn labels(&self) -> PathBuf {
        self.path.join("labels.json")
    }

    /// The load of the machine during the run.
    #[must_use]
    pub fn machine(&self) -> PathBuf {
        self.path.join("machine.jsonl")
    }

    /// The lock, held by the run's only trainer.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// The lease, which takes the place of the lock on a file system without locks.
    #[must_use]
    pub fn lease(&self) -> PathBuf {
        self.path.join("lease.json")
    }

    /// The trainer's text log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log.txt")
    }

    /// The folder of requests, one file each.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.path.join("requests")
    }

    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The checkpoint from which a run resumes.
    #[must_use]
    pub fn last_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("last.safetensors")
    }

    /// The checkpoint before the last.
    #[must_use]
    pub fn previous_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("previous.safetensors")
    }

    /// An unusable last checkpoint, kept for inspection.
    #[must_use]
    pub fn rejected_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("rejected.safetensors")
    }

    /// The best model so far at an epoch, such as `best-046-0.80.safetensors`.
    #[must_use]
    pub fn best_checkpoint(&self, epoch: u32, value: f64) -> PathBuf {
        self.checkpoints().join(format!("best-{epoch:03}-{value:.2}.safetensors"))
    }

    /// The model of an epoch that is kept, best or not, such as `epoch-046.safetensors`.
    #[must_use]
    pub fn kept_checkpoint(&self, epoch: u32) -> PathBuf {
        self.checkpoints().join(format!("epoch-{epoch:03}.safetensors"))
    }

    #[must_use]
    pub fn predictions(&self) -> PathBuf {
        self.path.join("predictions")
    }

    /// The predictions of a split (`csv`), or its four columns in the reference's format (`txt`).
    #[must_use]
    pub fn prediction_table(&self, split: Split, extension: &str) -> PathBuf {
        self.predictions().join(format!("{split}.{extension}"))
    }

    /// The folder of evaluations.
    #[must_use]
    pub fn evaluations(&self) -> PathBuf {
        self.path.join("evaluation")
    }

    /// The evaluation of a split.
    #[must_use]
    pub fn evaluation(&self, split: Split) -> PathBuf {
        self.evaluations().join(format!("{split}.json"))
    }

    /// The card of the run's best model.
    #[must_use]
    pub fn model_card(&self) -> PathBuf {
        self.path.join(CARD_FILE)
    }

    /// The temperatures and operating points fitted to the validation predictions.
    #[must_use]
    pub fn calibration(&self) -> PathBuf {
        self.path.join("calibration.json")
    }

    /// The folder of TensorBoard event files.
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// The workspace that the run is in; `None` for a run outside a workspace.
    #[must_use]
    pub fn workspace(&self) -> Option<PathBuf> {
        let path = self.shown_path();
        let runs = path.parent().filter(|runs| runs.file_name().is_some_and(|name| name == "runs"))?;
        runs.parent().map(Path::to_owned)
    }

    /// The folder of decoded images: shared by all runs of the workspace; a run outside a workspace has its own.
    #[must_use]
    pub fn pixel_cache(&self) -> PathBuf {
        self.workspace().unwrap_or_else(|| self.path.clone()).join("cache")
    }

    /// One of the reference's history files: `loss_train.txt`, `acc_train.txt`, `loss_val.txt` or `acc_val.txt`.
    #[must_use]
    pub fn history(&self, series: &str) -> PathBuf {
        self.path.join(OsString::from(format!("{series}.txt")))
    }
}

impl PartialEq for RunDir {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for RunDir {}

impl Hash for RunDir {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path.hash(state);
    }
}

impl PartialOrd for RunDir {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RunDir {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.cmp(&other.path)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_held_run_is_shown_by_its_present_name_and_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("ws/runs");
        fs::create_dir_all(&runs).unwrap();
        let plain = RunDir::create(runs.join("first")).unwrap();
        let held = plain.clone().hold();
        assert_eq!((held.name(), held.workspace()), (plain.name(), plain.workspace()));
        assert_eq!(held.pixel_cache(), plain.pixel_cache());
        assert!(held.status().starts_with("/proc/self/fd"));

        fs::rename(folder.path().join("ws"), folder.path().join("moved")).unwrap();
        let moved = RunDir::new(folder.path().join("moved/runs/second"));
        fs::rename(folder.path().join("moved/runs/first"), moved.path()).unwrap();
        assert_eq!((held.name(), held.workspace()), ("second".to_owned(), moved.workspace()));
        let message = held.in_shown_paths(&format!("open {}: no", printable_path(&held.status())));
        assert_eq!(message, format!("open {}: no", printable_path(&moved.status())));
        assert!(held.has_moved() && !held.is_removed() && plain.is_removed());
        assert!(RunDir::new("nowhere").hold().is_removed());
    }
}
