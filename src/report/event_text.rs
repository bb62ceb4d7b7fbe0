//! The events of a run in words.

use std::fmt::Write as _;

use super::epoch_table::learning_rate;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{
    BatchSplit, CheckpointKind, DataMove, EpochMetrics, SavedCheckpoint, SplitEvaluation, TrainingSetup,
};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::training::training_changes::SettingChange;

/// A setting that was changed, with what follows from it; not yet safe to print.
#[must_use]
pub fn setting_text(change: &SettingChange) -> String {
    let remark = if change.key == "threads" { "; from here on, sums may differ in their last digits" } else { "" };
    format!("changed {change}{remark}")
}

/// An event in a line of words; not yet safe to print.
#[must_use]
pub fn event_text(kind: &RunEventKind) -> String {
    match kind {
        RunEventKind::Created { preset, epochs } => format!("queued: {preset}, {}", counted(*epochs as usize, "epoch")),
        RunEventKind::Started(trainer) => format!("started by process {} on {}", trainer.pid, trainer.host),
        RunEventKind::Prepared(setup) => {
            let TrainingSetup { device, train, validation, test, .. } = setup;
            let test = counted(*test, "test image");
            format!("training on {device}: {train} training, {validation} validation, {test}")
        }
        RunEventKind::Resumed { step, checkpoint, .. } => format!("resumed after step {step}, from {checkpoint}"),
        RunEventKind::EarlyStopRestarted { epochs_done } => {
            format!("continued after the early stop at epoch {epochs_done}: its patience starts again")
        }
        RunEventKind::EpochsChanged { epochs } => format!("the number of epochs is now {epochs}"),
        RunEventKind::SettingChanged(change) => setting_text(change),
        RunEventKind::DataMoved(DataMove { from, to }) => {
            format!("the data was moved from {} to {}", from.display(), to.display())
        }
        RunEventKind::EpochStarted { epoch, .. } => format!("epoch {epoch} starts"),
        RunEventKind::StepReported(report) => format!("step {}", report.step),
        RunEventKind::EpochEnded(record) => {
            let EpochMetrics { epoch, train_loss, train_accuracy, val_loss, val_accuracy, .. } = record.metrics;
            let mut text = format!("epoch {epoch:>3}  loss {train_loss:.4}");
            let _ = val_loss.map(|loss| write!(text, " val {loss:.4}"));
            let _ = write!(text, "  acc {train_accuracy:.3}");
            let _ = val_accuracy.map(|accuracy| write!(text, " val {accuracy:.3}"));
            text
        }
        RunEventKind::LearningRateReduced(reduction) => {
            let [from, to] = [reduction.from, reduction.to].map(learning_rate);
            format!("learning rate reduced from {from} to {to}")
        }
        RunEventKind::CheckpointSaved(SavedCheckpoint { kind, file, value, .. }) => match (kind, value) {
            (CheckpointKind::Best, Some(value)) => format!("best so far, {value:.3}: {file}"),
            (CheckpointKind::Best, None) => format!("best so far: {file}"),
            (CheckpointKind::Last, _) => format!("checkpoint {file}"),
            (CheckpointKind::Kept, _) => format!("model of this epoch kept: {file}"),
        },
        RunEventKind::CheckpointRejected { file, reason } => format!("checkpoint {file} cannot be used: {reason}"),
        RunEventKind::CheckpointFailed { file, reason } => format!("checkpoint {file} not written: {reason}"),
        RunEventKind::RequestAcknowledged(request) => format!("{} acknowledged at step {}", request.verb, request.step),
        RunEventKind::Paused { step } => format!("paused at step {step}"),
        RunEventKind::Waiting { step, reason } => format!("paused at step {step}: {reason}"),
        RunEventKind::Continued { step } => format!("continued at step {step}"),
        RunEventKind::SampleSkipped(sample) => format!("left out: {}: {}", sample.file, sample.reason),
        RunEventKind::SampleRestored { file } => format!("usable again: {file}"),
        RunEventKind::Warning { message } => message.clone(),
        RunEventKind::Nonfinite { step, what, files } => {
            format!("the {what} was not finite at step {step}, with {}", files.join(", "))
        }
        RunEventKind::RolledBack { from_step, to_step, learning_rate_factor } => {
            format!(
                "rolled back from step {from_step} to {to_step}, learning rate × {}",
                learning_rate(*learning_rate_factor)
            )
        }
        RunEventKind::BatchSplit(BatchSplit { from_step, to_step, from, to }) => {
            let changes: Vec<String> = from.changes_to(*to).iter().map(ToString::to_string).collect();
            format!("out of GPU memory after step {from_step}: {}; back to step {to_step}", changes.join(", "))
        }
        RunEventKind::Evaluated(evaluation) => {
            let SplitEvaluation { split, images, accuracy, .. } = evaluation;
            format!("evaluated on {}: accuracy {accuracy:.3}", counted(*images, &format!("{split} image")))
        }
        RunEventKind::Ended { state, reason, .. } => match reason {
            Some(reason) => format!("{state}: {reason}"),
            None => format!("{state}"),
        },
    }
}
