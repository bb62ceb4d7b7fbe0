//! The run directory: the one place that knows the names of its files.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mammoscope_domain::subject::split::Split;

/// A run directory. Creating this value does not access the disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunDir(PathBuf);

impl RunDir {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
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

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the name of the directory, which is the name of the run.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The specification of the run.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.0.join("run.toml")
    }

    /// The manifest: every image with its class and split.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.0.join("dataset.json")
    }

    /// The log of events.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// The current status.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// The name, the tags and the note that people gave the run.
    #[must_use]
    pub fn labels(&self) -> PathBuf {
        self.0.join("labels.json")
    }

    /// The load of the machine during the run.
    #[must_use]
    pub fn machine(&self) -> PathBuf {
        self.0.join("machine.jsonl")
    }

    /// The lock, held by the run's only trainer.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The lease, which takes the place of the lock on a file system without locks.
    #[must_use]
    pub fn lease(&self) -> PathBuf {
        self.0.join("lease.json")
    }

    /// The trainer's text log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log.txt")
    }

    /// The folder of requests, one file each.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.0.join("requests")
    }

    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
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

    #[must_use]
    pub fn predictions(&self) -> PathBuf {
        self.0.join("predictions")
    }

    /// The predictions of a split (`csv`), or its four columns in the reference's format (`txt`).
    #[must_use]
    pub fn prediction_table(&self, split: Split, extension: &str) -> PathBuf {
        self.predictions().join(format!("{split}.{extension}"))
    }

    /// The folder of evaluations.
    #[must_use]
    pub fn evaluations(&self) -> PathBuf {
        self.0.join("evaluation")
    }

    /// The evaluation of a split.
    #[must_use]
    pub fn evaluation(&self, split: Split) -> PathBuf {
        self.evaluations().join(format!("{split}.json"))
    }

    /// The folder of TensorBoard event files.
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.0.join("tensorboard")
    }

    /// The workspace that the run is in; `None` for a run outside a workspace.
    #[must_use]
    pub fn workspace(&self) -> Option<&Path> {
        self.0.parent().filter(|runs| runs.file_name().is_some_and(|name| name == "runs"))?.parent()
    }

    /// The folder of decoded images: shared by all runs of the workspace; a run outside a workspace has its own.
    #[must_use]
    pub fn pixel_cache(&self) -> PathBuf {
        self.workspace().unwrap_or(&self.0).join("cache")
    }

    /// One of the reference's history files: `loss_train.txt`, `acc_train.txt`, `loss_val.txt` or `acc_val.txt`.
    #[must_use]
    pub fn history(&self, series: &str) -> PathBuf {
        self.0.join(OsString::from(format!("{series}.txt")))
    }
}
