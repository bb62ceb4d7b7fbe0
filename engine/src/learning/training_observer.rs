//! The interface between a training run and its supervisor: events out, commands in.

use std::collections::BTreeMap;

use mammoscope_domain::run::run_event::RunEventKind;

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

/// Records the events of a training run and passes commands to it.
pub trait TrainingObserver {
    /// Records an event. An error ends the run: an event that is not recorded did not happen.
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()>;

    /// The next command, without waiting for one. A command remains the next one until it is acknowledged, so that it
    /// is not lost if something comes in between, such as a rollback after non-finite numbers.
    fn next_command(&mut self) -> Option<Command>;

    /// Confirms that the next command was carried out after `step` updates.
    fn acknowledge(&mut self, command: &Command, step: u64) -> anyhow::Result<()>;

    /// True if a command to stop immediately is pending; checked during long work between two steps.
    fn should_stop(&mut self) -> bool;

    /// Waits briefly for the next command, during a pause.
    fn wait(&mut self);

    /// The training images that have become unusable since the last call. Called before every epoch.
    fn unusable_images(&mut self) -> Vec<UnusableImage>;

    /// Flushes the recorded events to disk: after a power loss, a checkpoint must not be ahead of the events.
    fn sync(&mut self) -> anyhow::Result<()>;

    /// The metadata for the header of a checkpoint: time, host, hashes.
    fn notes(&self) -> BTreeMap<String, String>;
}
