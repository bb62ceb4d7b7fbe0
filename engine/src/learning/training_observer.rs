//! The interface between a training run and its supervisor: events out, commands in.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::BatchSplit;
use mammoscope_storage::models::model_file::ModelError;
use mammoscope_storage::runs::checkpoint_file::CheckpointError;
use mammoscope_storage::runs::manifest_file::ManifestFileError;
use mammoscope_storage::runs::run_spec_file::RunSpecError;
use mammoscope_storage::runs::split_evaluation::SplitEvaluationError;

/// A command to a training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Wait, with everything in memory.
    Pause,
    /// Resume after a pause.
    Continue,
    /// Write a checkpoint now.
    Checkpoint,
    /// Finish the epoch, then stop.
    StopAfterEpoch,
    /// Finish the step, write a checkpoint, stop.
    Stop,
    /// The same as [`Command::Stop`], because of a signal.
    Interrupt,
}

impl Command {
    /// True for commands that end the run before its next step.
    #[must_use]
    pub fn stops_immediately(&self) -> bool {
        matches!(self, Self::Stop | Self::Interrupt)
    }
}

/// A training image that can no longer be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableImage {
    /// Index in the training set.
    pub image: usize,
    pub reason: String,
}

/// What has changed of the training images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageChanges {
    pub unusable: Vec<UnusableImage>,
    /// The indices of images that can be used again.
    pub restored: Vec<usize>,
    /// What the user should know of all of them, such as that their folder is away.
    pub notice: Option<String>,
}

/// A file could not be written until a command stopped the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} was not written: {reason}")]
pub struct NotSaved {
    pub file: String,
    /// The system's reason.
    pub reason: String,
}

/// The system's reason if an error comes from reading or writing files.
#[must_use]
pub fn storage_fault(error: &anyhow::Error) -> Option<String> {
    // Errors that stand for the system's own are not among the causes of themselves.
    let of_system = |cause: &'_ (dyn Error + 'static)| {
        let error = if let Some(CheckpointError::Io(error)) = cause.downcast_ref() {
            error
        } else if let Some(ModelError::Io(error)) = cause.downcast_ref() {
            error
        } else if let Some(SplitEvaluationError::Write(error)) = cause.downcast_ref() {
            error
        } else if let Some(ManifestFileError::Write { error, .. }) = cause.downcast_ref() {
            error
        } else if let Some(RunSpecError::Io(error)) = cause.downcast_ref() {
            error
        } else {
            cause.downcast_ref::<io::Error>()?
        };
        // Without a number it is not the system's, such as that of a path that cannot be written down.
        error.raw_os_error().map(|_| error.to_string())
    };
    error.chain().find_map(of_system)
}

/// Records the events of a training run and passes commands to it.
pub trait TrainingObserver {
    /// Records an event, now or, if it cannot be written at present, later. An error ends the run.
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()>;

    /// Records smaller batches as [`TrainingObserver::record`] does, but returns only once they are on disk, in the run's
    /// configuration, too: the checkpoints from here on are those of the smaller batches.
    fn record_split(&mut self, split: BatchSplit) -> anyhow::Result<()>;

    /// The next command, without waiting for one. A command remains the next one until it is acknowledged, so that it
    /// is not lost if something comes in between, such as a rollback after non-finite numbers.
    fn next_command(&mut self) -> Option<Command>;

    /// Confirms that the next command was carried out after `step` updates.
    fn acknowledge(&mut self, command: &Command, step: u64) -> anyhow::Result<()>;

    /// True if a command to stop immediately is pending; checked during long work between two steps.
    fn should_stop(&mut self) -> bool;

    /// Waits briefly for the next command, during a pause.
    fn wait(&mut self);

    /// What has changed of the training images since the last call. Called before every epoch.
    fn image_changes(&mut self) -> ImageChanges;

    /// Flushes the recorded events to disk: after a power loss, a checkpoint must not be ahead of the events. Those that
    /// cannot be written at present belong to the notes of the checkpoint.
    fn sync(&mut self);

    /// Waits a moment after an error in writing a file, so that the caller can try again. Returns the error where that is
    /// not expected to help or not wanted, and [`NotSaved`] if a command to stop ends the wait.
    fn wait_or_fail(&mut self, file: &str, error: anyhow::Error) -> anyhow::Result<()>;

    /// Ends a wait, if there was one, after the file was written.
    fn end_wait(&mut self) -> anyhow::Result<()>;

    /// The metadata for the header of a checkpoint: time, host, hashes.
    fn notes(&self) -> BTreeMap<String, String>;
}
