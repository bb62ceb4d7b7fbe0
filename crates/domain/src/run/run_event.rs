//! What happens in a run: one event a line of `events.jsonl`.
//!
//! Legal order: `Created → (Started → Resumed? → (EpochStarted → StepReported* → EpochEnded → CheckpointSaved*)* →
//! Evaluated* → Ended)*`, with acknowledgements, warnings and skipped samples anywhere after `Started`. A trainer that
//! was killed leaves no `Ended`; the next `Started` follows then.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::run_status::RunPhase;
use crate::subject::split::Split;
use crate::training::compute_options::Precision;

/// One event and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// When, by the trainer's clock.
    pub time: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub kind: RunEventKind,
}

/// What a checkpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointKind {
    /// To be resumed from.
    Last,
    /// A model better than those before.
    Best,
}

/// The verbs of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestVerb {
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
}

impl RequestVerb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pause, Self::Continue, Self::Checkpoint, Self::StopAfterEpoch, Self::Stop];

    /// Its name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Continue => "continue",
            Self::Checkpoint => "checkpoint",
            Self::StopAfterEpoch => "stop-after-epoch",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for RequestVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What happens in a run. Epochs count from 1; `step` counts the updates of the weights since the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEventKind {
    /// The run directory was made.
    Created {
        /// Name of the preset.
        preset: String,
        /// Epochs asked for.
        epochs: u32,
    },
    /// A trainer has taken the run up; images are read next.
    Started {
        /// The process.
        pid: u32,
        /// Its host.
        host: String,
        /// Version of the program.
        version: String,
    },
    /// The images are read, the network stands; training begins.
    Prepared {
        /// The device in words, such as `cuda:0`.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// CPU threads in use.
        threads: usize,
        /// Training images.
        train: usize,
        /// Validation images.
        validation: usize,
        /// Test images.
        test: usize,
        /// Updates an epoch.
        steps_per_epoch: u64,
    },
    /// Training goes on behind a checkpoint: whatever is recorded of later steps is void, and comes again.
    Resumed {
        /// Updates that the checkpoint holds.
        step: u64,
        /// Whole epochs that it holds.
        epochs_done: u32,
        /// The checkpoint's file name.
        checkpoint: String,
    },
    /// The number of epochs asked for was changed.
    EpochsChanged {
        /// Epochs asked for from now on.
        epochs: u32,
    },
    /// An epoch begins, or goes on after a resume within it.
    EpochStarted {
        /// The epoch.
        epoch: u32,
        /// Updates before its first.
        step: u64,
        /// Learning rate at this step.
        learning_rate: f64,
    },
    /// How the training goes, a few times a second at most.
    StepReported {
        /// The epoch.
        epoch: u32,
        /// Updates so far.
        step: u64,
        /// Mean loss over the epoch's training images so far.
        loss: f64,
        /// Share of them that were predicted rightly, in training mode.
        accuracy: f64,
        /// Learning rate of this step.
        learning_rate: f64,
        /// Norm of the gradient before clipping.
        gradient_norm: f64,
        /// Training images a second since the last report.
        images_per_s: f64,
    },
    /// An epoch is over. Training figures are means over the epoch, in training mode, as Keras reports them.
    EpochEnded {
        /// The epoch.
        epoch: u32,
        /// Updates so far.
        step: u64,
        /// Mean training loss.
        train_loss: f64,
        /// Training accuracy.
        train_accuracy: f64,
        /// Mean validation loss; `None` without validation images.
        val_loss: Option<f64>,
        /// Validation accuracy.
        val_accuracy: Option<f64>,
        /// Quadratic-weighted kappa on the validation images; `None` where it is undefined.
        val_kappa: Option<f64>,
        /// Learning rate of the epoch's last step.
        learning_rate: f64,
        /// Seconds that it took, validation included.
        seconds: f64,
    },
    /// The learning rate was reduced on a plateau.
    LearningRateReduced {
        /// The epoch at whose end.
        epoch: u32,
        /// Before.
        from: f64,
        /// After.
        to: f64,
    },
    /// A checkpoint is on disk.
    CheckpointSaved {
        /// The epoch it was written in.
        epoch: u32,
        /// Updates that it holds.
        step: u64,
        /// What it is for.
        kind: CheckpointKind,
        /// Its file name in `checkpoints/`.
        file: String,
        /// The monitored value, of a best one.
        value: Option<f64>,
    },
    /// A checkpoint could not be used.
    CheckpointRejected {
        /// Its file name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A checkpoint could not be written; the last good one stays.
    CheckpointFailed {
        /// Its file name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A request was carried out, or found to have nothing to do.
    RequestAcknowledged {
        /// What was asked for.
        verb: RequestVerb,
        /// Updates at that moment.
        step: u64,
    },
    /// Training waits.
    Paused {
        /// Updates so far.
        step: u64,
    },
    /// Training goes on after a pause.
    Continued {
        /// Updates so far.
        step: u64,
    },
    /// An image is left out from now on.
    SampleSkipped {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// Something that a person should know.
    Warning {
        /// What.
        message: String,
    },
    /// A loss or a gradient was not finite; the weights were not touched.
    Nonfinite {
        /// Updates until then, the one that was not made included.
        step: u64,
        /// `loss`, `gradient` or `weights`.
        what: String,
        /// The files of the batch.
        files: Vec<String>,
    },
    /// Training went back to its last checkpoint after numbers that were not finite.
    RolledBack {
        /// Updates that it had.
        from_step: u64,
        /// Updates that it has now.
        to_step: u64,
        /// What the learning rate is multiplied by from now on.
        learning_rate_factor: f64,
    },
    /// Predictions and figures of a split are on disk, from the best checkpoint.
    Evaluated {
        /// The split.
        split: Split,
        /// Images.
        images: usize,
        /// Accuracy.
        accuracy: f64,
        /// Linear-weighted kappa, where it is defined.
        kappa_linear: Option<f64>,
    },
    /// The trainer leaves the run.
    Ended {
        /// In which state.
        state: RunPhase,
        /// Why, in words.
        reason: Option<String>,
        /// Updates so far.
        step: u64,
    },
}
