//! What a run's events add up to, piece by piece: epochs, reports within them, checkpoints, and what else was recorded.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::run_event::{CheckpointKind, RequestVerb};
use crate::subject::split::Split;
use crate::training::compute_options::Precision;
use crate::training::training_config::Monitor;

/// A trainer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrainerFacts {
    /// Its process.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// Version of the program.
    pub version: String,
}

/// What a training computes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrainingSetting {
    /// The device in words.
    pub device: String,
    /// The precision in use.
    pub precision: Precision,
    /// CPU threads in use.
    pub threads: usize,
    /// Training images.
    pub train: usize,
    /// Validation images.
    pub validation: usize,
    /// Test images.
    pub test: usize,
    /// Updates an epoch.
    pub steps_per_epoch: u64,
}

/// One report within an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StepPoint {
    /// When.
    pub time: DateTime<Utc>,
    /// The epoch.
    pub epoch: u32,
    /// Updates so far.
    pub step: u64,
    /// Mean loss over the epoch's images so far.
    pub loss: f64,
    /// Share of them that were predicted rightly.
    pub accuracy: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Training images a second.
    pub images_per_s: f64,
}

/// What an epoch came to: everything that is the same however often the run was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpochFigures {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Updates so far.
    pub step: u64,
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy.
    pub train_accuracy: f64,
    /// Mean validation loss.
    pub val_loss: Option<f64>,
    /// Validation accuracy.
    pub val_accuracy: Option<f64>,
    /// Quadratic-weighted kappa on the validation images.
    pub val_kappa: Option<f64>,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
}

impl EpochFigures {
    /// What decides which epoch was the best, by name, and its value. Without validation images the training figures have
    /// to do.
    #[must_use]
    pub fn monitored(&self, monitor: Monitor) -> (&'static str, Option<f64>) {
        match (monitor, self.val_accuracy) {
            (Monitor::ValAccuracy, Some(accuracy)) => (monitor.name(), Some(accuracy)),
            (Monitor::ValLoss, Some(_)) => (monitor.name(), self.val_loss),
            (Monitor::ValKappa, Some(_)) => (monitor.name(), self.val_kappa),
            (Monitor::ValLoss, None) => ("train_loss", Some(self.train_loss)),
            (Monitor::ValAccuracy | Monitor::ValKappa, None) => ("train_accuracy", Some(self.train_accuracy)),
        }
    }
}

/// An epoch that is over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpochRecord {
    /// What it came to.
    #[serde(flatten)]
    pub figures: EpochFigures,
    /// Seconds that it took.
    pub seconds: f64,
    /// When it was over.
    pub time: DateTime<Utc>,
}

/// A learning rate that was reduced on a plateau.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LearningRateReduction {
    /// The epoch at whose end.
    pub epoch: u32,
    /// Before.
    pub from: f64,
    /// After.
    pub to: f64,
}

/// A checkpoint that was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SavedCheckpoint {
    /// When.
    pub time: DateTime<Utc>,
    /// The epoch it was written in.
    pub epoch: u32,
    /// Updates that it holds.
    pub step: u64,
    /// What it is for.
    pub kind: CheckpointKind,
    /// Its file name in `checkpoints/`.
    pub file: String,
    /// The monitored value, of a best one.
    pub value: Option<f64>,
}

/// An image that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedSample {
    /// The file.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// Something that was said, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedMessage {
    /// When.
    pub time: DateTime<Utc>,
    /// What.
    pub message: String,
}

/// A request that the trainer has carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AcknowledgedRequest {
    /// When.
    pub time: DateTime<Utc>,
    /// What was asked for.
    pub verb: RequestVerb,
    /// Updates at that moment.
    pub step: u64,
}

/// The figures of a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SplitEvaluation {
    /// The split.
    pub split: Split,
    /// Images.
    pub images: usize,
    /// Accuracy.
    pub accuracy: f64,
    /// Linear-weighted kappa.
    pub kappa_linear: Option<f64>,
}
