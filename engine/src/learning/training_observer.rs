//! What a training tells, and what it is told, while it runs.

use std::collections::BTreeMap;

use mammoscope_domain::run::run_event::RunEventKind;

/// What a training is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Wait, with everything in memory.
    Pause,
    /// Go on after a pause.
    Continue,
    /// Write a checkpoint now.
    Checkpoint,
    /// Finish the epoch, then stop.
    StopAfterEpoch,
    /// Finish the step, checkpoint, stop.
    Stop,
    /// The same, because of a signal.
    Interrupt,
}

impl Order {
    /// Whether the training is to end before its next step.
    #[must_use]
    pub fn ends_at_once(&self) -> bool {
        matches!(self, Self::Stop | Self::Interrupt)
    }
}

/// Who listens to a training and gives it orders.
pub trait TrainingObserver {
    /// Takes note of what happened. An error ends the training: what is not recorded did not happen.
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()>;

    /// The next order, if there is one. It never waits. The order stays the next one until it is obeyed: what comes in
    /// between, such as numbers that are not finite, must not make it forgotten.
    fn next_order(&mut self) -> Option<Order>;

    /// The next order was carried out after so many updates.
    fn obeyed(&mut self, order: &Order, step: u64) -> anyhow::Result<()>;

    /// Whether an order to end at once is waiting; long work between two steps asks.
    fn is_to_end(&mut self) -> bool;

    /// Waits for a moment, during a pause.
    fn wait(&mut self);

    /// Training images, by their number, that can no longer be used, each told once and with its reason. Asked before
    /// every epoch.
    fn lost_images(&mut self) -> Vec<(usize, String)>;

    /// Makes sure that a loss of power leaves what was recorded: a checkpoint must not know of more than the events do.
    fn sync(&mut self) -> anyhow::Result<()>;

    /// What is written into the header of a checkpoint: time, host, hashes.
    fn notes(&self) -> BTreeMap<String, String>;
}
