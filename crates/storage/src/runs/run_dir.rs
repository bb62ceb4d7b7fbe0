//! The run directory: the one place that knows how its files are named.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mammoscope_domain::subject::split::Split;

/// A run directory. Making one of a path opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// A run directory at a path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the directory and those within it; the parent must exist, the directory must not.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        let run = Self::new(path);
        fs::create_dir(run.path())?;
        for folder in [run.requests(), run.checkpoints()] {
            fs::create_dir(folder)?;
        }
        Ok(run)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The directory's name, by which the run is called.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What was asked for.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.0.join("run.toml")
    }

    /// Every image with its class and split.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.0.join("dataset.json")
    }

    /// The history.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// The state.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// Held by the one trainer.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The trainer's log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log.txt")
    }

    /// One file a request.
    #[must_use]
    pub fn requests(&self) -> PathBuf {
        self.0.join("requests")
    }

    /// The folder of checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The checkpoint to resume from.
    #[must_use]
    pub fn last_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("last.safetensors")
    }

    /// The checkpoint before it.
    #[must_use]
    pub fn previous_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("previous.safetensors")
    }

    /// A last checkpoint that could not be used, set aside for whoever wants to know why.
    #[must_use]
    pub fn rejected_checkpoint(&self) -> PathBuf {
        self.checkpoints().join("rejected.safetensors")
    }

    /// A model better than those before it, such as `best-046-0.80.safetensors`.
    #[must_use]
    pub fn best_checkpoint(&self, epoch: u32, value: f64) -> PathBuf {
        self.checkpoints().join(format!("best-{epoch:03}-{value:.2}.safetensors"))
    }

    /// The folder of predictions.
    #[must_use]
    pub fn predictions(&self) -> PathBuf {
        self.0.join("predictions")
    }

    /// The predictions of a split (`csv`), or the reference's four columns (`txt`).
    #[must_use]
    pub fn prediction_table(&self, split: Split, extension: &str) -> PathBuf {
        self.predictions().join(format!("{split}.{extension}"))
    }

    /// The folder of figures.
    #[must_use]
    pub fn evaluations(&self) -> PathBuf {
        self.0.join("evaluation")
    }

    /// The figures of a split.
    #[must_use]
    pub fn evaluation(&self, split: Split) -> PathBuf {
        self.evaluations().join(format!("{split}.json"))
    }

    /// The folder of TensorBoard's event files.
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.0.join("tensorboard")
    }

    /// The folder of decoded images: the workspace's, which all its runs share; its own for a run that lies elsewhere.
    #[must_use]
    pub fn pixel_cache(&self) -> PathBuf {
        let runs = self.0.parent().filter(|runs| runs.file_name().is_some_and(|name| name == "runs"));
        runs.and_then(Path::parent).unwrap_or(&self.0).join("cache")
    }

    /// One of the reference's history files: `loss_train.txt`, `acc_train.txt`, `loss_val.txt` or `acc_val.txt`.
    #[must_use]
    pub fn history(&self, series: &str) -> PathBuf {
        self.0.join(OsString::from(format!("{series}.txt")))
    }
}
