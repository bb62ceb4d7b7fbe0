//! The records that a run's events carry and that its state is made of.

use std::ops::Deref;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::request_verb::RequestVerb;
use crate::subject::split::Split;
use crate::text::counted::counted;
use crate::training::compute_options::Precision;
use crate::training::step_batches::StepBatches;
use crate::training::training_config::Monitor;

/// A record and the time of the event that carried it. Dereferences to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timed<T> {
    /// By the trainer's clock.
    pub time: DateTime<Utc>,
    /// The time since the run was started, which a clock that is set back does not reverse.
    #[serde(skip)]
    pub elapsed: TimeDelta,
    #[serde(flatten)]
    pub record: T,
}

impl<T> Deref for Timed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

/// The process that trains a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainerFacts {
    pub pid: u32,
    pub host: String,
    /// The version of the program.
    pub version: String,
    /// The Slurm job that the process is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<SlurmAttempt>,
}

/// The start of a Slurm job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmAttempt {
    /// The job's id, such as `12_3` for a task of an array.
    pub job: String,
    /// How often Slurm had started the job before.
    pub restarts: u32,
}

/// The device and the images that a run is trained with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingSetup {
    /// The device's name, such as `cuda:0`.
    pub device: String,
    /// The precision in use.
    pub precision: Precision,
    /// The CPU threads in use.
    pub threads: usize,
    /// The number of training images.
    pub train: usize,
    /// The number of validation images.
    pub validation: usize,
    /// The number of test images.
    pub test: usize,
    /// Weight updates per epoch.
    pub steps_per_epoch: u64,
}

/// A report of the progress within an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub epoch: u32,
    /// The updates so far.
    pub step: u64,
    /// Mean loss over the epoch's training images so far.
    pub loss: f64,
    /// Share of those images that were classified correctly, in training mode.
    pub accuracy: f64,
    /// The learning rate of this step.
    pub learning_rate: f64,
    /// The norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Training images per second since the last report.
    pub images_per_s: f64,
}

/// The metrics of a completed epoch: everything that is the same however often the run was interrupted. Training metrics
/// are means over the epoch, in training mode, as Keras reports them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The epoch, from 1.
    pub epoch: u32,
    /// The updates so far.
    pub step: u64,
    /// Mean training loss.
    pub train_loss: f64,
    pub train_accuracy: f64,
    /// Mean validation loss; `None` without validation images.
    pub val_loss: Option<f64>,
    pub val_accuracy: Option<f64>,
    /// Quadratic-weighted kappa on the validation images; `None` where it is undefined.
    pub val_kappa: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
}

impl EpochMetrics {
    /// The metric by which epochs are compared: its name, and its value in this epoch, `None` where that is undefined or
    /// NaN. Without validation images it is a training metric: the loss, or accuracy for all others.
    ///
    /// The trainer keeps models by this value, and readers show the best epoch by it.
    #[must_use]
    pub fn monitored(&self, monitor: Monitor) -> (&'static str, Option<f64>) {
        let (metric, value) = match (monitor, self.val_accuracy) {
            (Monitor::ValAccuracy, Some(accuracy)) => (monitor.name(), Some(accuracy)),
            (Monitor::ValLoss, Some(_)) => (monitor.name(), self.val_loss),
            (Monitor::ValKappa, Some(_)) => (monitor.name(), self.val_kappa),
            (Monitor::ValLoss, None) => ("train_loss", Some(self.train_loss)),
            (Monitor::ValAccuracy | Monitor::ValKappa, None) => ("train_accuracy", Some(self.train_accuracy)),
        };
        (metric, value.filter(|value| !value.is_nan()))
    }
}

/// A completed epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    #[serde(flatten)]
    pub metrics: EpochMetrics,
    /// The seconds that it took, validation included.
    pub seconds: f64,
}

/// A move of a run's images to another folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMove {
    /// The data set's root before.
    pub from: PathBuf,
    /// The data set's root from then on.
    pub to: PathBuf,
}

/// Smaller batches for the same updates of the weights, after the memory of the GPU ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSplit {
    /// The updates before going back.
    pub from_step: u64,
    /// The updates of the state from which training continues: that of the last checkpoint, or of the start.
    pub to_step: u64,
    pub from: StepBatches,
    pub to: StepBatches,
}

impl BatchSplit {
    /// What it means for the result, for people.
    #[must_use]
    pub fn consequence(&self) -> String {
        let StepBatches { batch_size, accumulate } = self.to;
        let before = self.from.batch_size;
        format!(
            "GPU memory ran out with {} at once: each update of the weights is now computed from {accumulate} batches of \
             {batch_size}, with the same images and learning rate; batch normalisation sees {batch_size} at once in place \
             of {before}, so the result differs from that of a run with enough memory",
            counted(before, "image")
        )
    }
}

/// A reduction of the learning rate on a plateau.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearningRateReduction {
    /// The epoch at whose end it happened.
    pub epoch: u32,
    pub from: f64,
    pub to: f64,
}

/// The purpose of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointKind {
    /// The latest state, for resuming.
    Last,
    /// A model better than those before.
    Best,
    /// The model of every Nth epoch, best or not.
    Kept,
}

/// A checkpoint that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedCheckpoint {
    /// The epoch it was written in.
    pub epoch: u32,
    /// The updates that it holds.
    pub step: u64,
    pub kind: CheckpointKind,
    /// Its file name in `checkpoints/`.
    pub file: String,
    /// The monitored value, for [`CheckpointKind::Best`].
    pub value: Option<f64>,
}

/// A request that the trainer has carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgedRequest {
    pub verb: RequestVerb,
    /// The updates at that moment.
    pub step: u64,
}

/// An image that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedSample {
    pub file: String,
    pub reason: String,
}

/// The metrics of the best checkpoint on a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitEvaluation {
    pub split: Split,
    /// The number of images.
    pub images: usize,
    pub accuracy: f64,
    /// Linear-weighted kappa; `None` where it is undefined.
    pub kappa_linear: Option<f64>,
}

/// A warning or an error, and when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedMessage {
    pub time: DateTime<Utc>,
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_training_metric_is_monitored_without_validation_images() {
        let validated = EpochMetrics {
            epoch: 1,
            step: 10,
            train_loss: 0.5,
            train_accuracy: 0.6,
            val_loss: Some(0.7),
            val_accuracy: Some(0.8),
            val_kappa: None,
            learning_rate: 0.01,
        };
        assert_eq!(validated.monitored(Monitor::ValAccuracy), ("val_accuracy", Some(0.8)));
        assert_eq!(validated.monitored(Monitor::ValLoss), ("val_loss", Some(0.7)));
        assert_eq!(validated.monitored(Monitor::ValKappa), ("val_kappa", None), "undefined, and not replaced");
        let unvalidated = EpochMetrics { val_loss: None, val_accuracy: None, ..validated };
        assert_eq!(unvalidated.monitored(Monitor::ValAccuracy), ("train_accuracy", Some(0.6)));
        assert_eq!(unvalidated.monitored(Monitor::ValLoss), ("train_loss", Some(0.5)));
        assert_eq!(unvalidated.monitored(Monitor::ValKappa), ("train_accuracy", Some(0.6)));
        let diverged = EpochMetrics { val_loss: Some(f64::NAN), ..validated };
        assert_eq!(diverged.monitored(Monitor::ValLoss), ("val_loss", None), "NaN is never the best");
    }
}
