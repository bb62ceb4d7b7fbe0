//! The events of a training run, one per line of `events.jsonl`.
//!
//! Legal order: `Created → (Started → Resumed? → (EpochStarted → StepReported* → EpochEnded → CheckpointSaved*)* →
//! Evaluated* → Ended)*`, with acknowledgements, warnings and skipped samples anywhere after `Started`. The checkpoints of
//! an epoch are written while the next one trains, so that their `CheckpointSaved` may come among its events. A trainer
//! that was killed leaves no `Ended`; the next event is then the `Started` of its successor.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::run_records::{
    AcknowledgedRequest, BatchSplit, DataMove, EpochRecord, LearningRateReduction, SavedCheckpoint, SkippedSample,
    SplitEvaluation, StepReport, TrainerFacts, TrainingSetup,
};
use super::run_status::RunPhase;
use crate::training::training_changes::SettingChange;

/// An event and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// By the trainer's clock.
    pub time: DateTime<Utc>,
    #[serde(flatten)]
    pub kind: RunEventKind,
}

/// The things that happen in a run. Epochs count from 1; `step` is the number of weight updates since the run began.
///
/// Every value is one JSON object: the fields of a record stand beside the tag `event`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEventKind {
    /// The run directory was made.
    Created {
        preset: String,
        epochs: u32,
    },
    /// A trainer has taken over the run and is about to read the images.
    Started(TrainerFacts),
    /// The images are read and the network is built; training begins.
    Prepared(TrainingSetup),
    /// Training resumes from a checkpoint: everything recorded of later steps is void and will be recorded again.
    Resumed {
        /// The updates that the checkpoint holds.
        step: u64,
        /// The completed epochs that it holds.
        epochs_done: u32,
        /// Its file name.
        checkpoint: String,
    },
    /// Training continues after an early stop: the epochs without an improvement are counted from 0 again.
    EarlyStopRestarted {
        /// The epochs that had been done.
        epochs_done: u32,
    },
    /// The number of epochs to train was changed.
    EpochsChanged {
        epochs: u32,
    },
    /// A setting of the configuration was changed, for the rest of the run.
    SettingChanged(SettingChange),
    /// The images were moved: from now on they are read from another folder, where they have the same pixels.
    DataMoved(DataMove),
    /// An epoch begins, or continues after a resume within it.
    EpochStarted {
        epoch: u32,
        /// The updates before the epoch's first.
        step: u64,
        /// The learning rate at this step.
        learning_rate: f64,
    },
    /// Progress within an epoch, a few times a second at most.
    StepReported(StepReport),
    EpochEnded(EpochRecord),
    LearningRateReduced(LearningRateReduction),
    /// A checkpoint is on disk.
    CheckpointSaved(SavedCheckpoint),
    /// A checkpoint could not be used.
    CheckpointRejected {
        file: String,
        reason: String,
    },
    /// A checkpoint could not be written; the last good one stays.
    CheckpointFailed {
        file: String,
        reason: String,
    },
    /// A request was carried out, or there was nothing to do for it.
    RequestAcknowledged(AcknowledgedRequest),
    /// Training is paused.
    Paused {
        step: u64,
    },
    /// Training waits for something that is not there, such as room on the disk, and tries again until it is.
    Waiting {
        step: u64,
        /// What is missing, for people.
        reason: String,
    },
    /// Training continues after a pause or a wait.
    Continued {
        step: u64,
    },
    /// An image is left out from now on.
    SampleSkipped(SkippedSample),
    /// An image that was left out can be used again, from the next epoch on.
    SampleRestored {
        file: String,
    },
    /// Something that the user should know.
    Warning {
        message: String,
    },
    /// A loss, a gradient or a weight was not finite; the weights were not updated.
    Nonfinite {
        /// The updates so far, including the one that was not made.
        step: u64,
        /// `loss`, `gradient` or `weights`.
        what: String,
        /// The files of the batch.
        files: Vec<String>,
    },
    /// Training went back to its last checkpoint after a value that was not finite.
    RolledBack {
        /// The updates before going back.
        from_step: u64,
        /// The updates that the checkpoint holds.
        to_step: u64,
        /// The learning rate is multiplied by this from now on.
        learning_rate_factor: f64,
    },
    /// The memory of the GPU ran out: training went back to its last checkpoint, or to its start, and continues in
    /// smaller batches for the rest of the run.
    BatchSplit(BatchSplit),
    /// The best checkpoint's predictions and metrics on a split are on disk.
    Evaluated(SplitEvaluation),
    /// The trainer leaves the run.
    Ended {
        state: RunPhase,
        /// The reason, for people.
        reason: Option<String>,
        step: u64,
    },
}

impl RunEventKind {
    /// The step of the checkpoint to which training goes back with this event: what was recorded of later steps is void.
    #[must_use]
    pub const fn back_to_step(&self) -> Option<u64> {
        match self {
            Self::Resumed { step, .. }
            | Self::RolledBack { to_step: step, .. }
            | Self::BatchSplit(BatchSplit { to_step: step, .. }) => Some(*step),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
