//! Descriptions of the events and findings in a run.

use std::fmt::Write as _;

use crate::tui::protocol::runs::NoteKind;
use crate::tui::widgets::chart::axis_ticks::number_label;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{
    CheckpointKind, EpochMetrics, SavedCheckpoint, SplitEvaluation, TrainingSetup,
};
use mammoscope_domain::run::run_status::RunPhase;

/// True for something that the user should look at.
pub(super) fn needs_attention(kind: &NoteKind) -> bool {
    let NoteKind::Event(kind) = kind else { return true };
    match kind {
        RunEventKind::LearningRateReduced(_)
        | RunEventKind::CheckpointRejected { .. }
        | RunEventKind::CheckpointFailed { .. }
        | RunEventKind::SampleSkipped(_)
        | RunEventKind::Warning { .. }
        | RunEventKind::Nonfinite { .. }
        | RunEventKind::RolledBack { .. } => true,
        RunEventKind::Ended { state, .. } => *state == RunPhase::Failed,
        _ => false,
    }
}

/// True if something went wrong.
pub(super) fn is_bad(kind: &NoteKind) -> bool {
    let NoteKind::Event(kind) = kind else { return false };
    match kind {
        RunEventKind::CheckpointRejected { .. }
        | RunEventKind::CheckpointFailed { .. }
        | RunEventKind::Nonfinite { .. }
        | RunEventKind::RolledBack { .. } => true,
        RunEventKind::Ended { state, .. } => *state == RunPhase::Failed,
        _ => false,
    }
}

/// True for an event that the list omits, since it happens in every epoch.
pub(super) fn is_routine(kind: &NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::Event(
            RunEventKind::EpochStarted { .. }
                | RunEventKind::StepReported(_)
                | RunEventKind::CheckpointSaved(SavedCheckpoint { kind: CheckpointKind::Last, .. })
        )
    )
}

/// The description of a note; not yet safe to print.
pub(super) fn note_text(kind: &NoteKind) -> String {
    match kind {
        NoteKind::Event(kind) => event_text(kind),
        NoteKind::Spike(spike) => format!("spike: loss {:.4}, against a median of {:.4}", spike.loss, spike.median),
        NoteKind::Plateau(plateau) => {
            let (epochs, lowest) = (plateau.epoch - plateau.since, plateau.lowest);
            format!("plateau: val loss not below {lowest:.4} for {epochs} epochs")
        }
    }
}

fn event_text(kind: &RunEventKind) -> String {
    match kind {
        RunEventKind::Created { preset, epochs } => format!("created: {preset}, {epochs} epochs"),
        RunEventKind::Started(trainer) => format!("started by process {} on {}", trainer.pid, trainer.host),
        RunEventKind::Prepared(setup) => {
            let TrainingSetup { device, train, validation, test, .. } = setup;
            format!("training on {device}: {train} training, {validation} validation, {test} test images")
        }
        RunEventKind::Resumed { step, checkpoint, .. } => format!("resumed after step {step}, from {checkpoint}"),
        RunEventKind::EpochsChanged { epochs } => format!("the number of epochs is now {epochs}"),
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
            let [from, to] = [reduction.from, reduction.to].map(number_label);
            format!("learning rate reduced from {from} to {to}")
        }
        RunEventKind::CheckpointSaved(SavedCheckpoint { kind, file, value, .. }) => match (kind, value) {
            (CheckpointKind::Best, Some(value)) => format!("best so far, {value:.3}: {file}"),
            (CheckpointKind::Best, None) => format!("best so far: {file}"),
            (CheckpointKind::Last, _) => format!("checkpoint {file}"),
        },
        RunEventKind::CheckpointRejected { file, reason } => format!("checkpoint {file} cannot be used: {reason}"),
        RunEventKind::CheckpointFailed { file, reason } => format!("checkpoint {file} not written: {reason}"),
        RunEventKind::RequestAcknowledged(request) => format!("{} acknowledged at step {}", request.verb, request.step),
        RunEventKind::Paused { step } => format!("paused at step {step}"),
        RunEventKind::Continued { step } => format!("continued at step {step}"),
        RunEventKind::SampleSkipped(sample) => format!("left out: {}: {}", sample.file, sample.reason),
        RunEventKind::Warning { message } => message.clone(),
        RunEventKind::Nonfinite { step, what, files } => {
            format!("the {what} was not finite at step {step}, with {}", files.join(", "))
        }
        RunEventKind::RolledBack { from_step, to_step, learning_rate_factor } => {
            format!(
                "rolled back from step {from_step} to {to_step}, learning rate × {}",
                number_label(*learning_rate_factor)
            )
        }
        RunEventKind::Evaluated(evaluation) => {
            let SplitEvaluation { split, images, accuracy, .. } = evaluation;
            format!("evaluated on {images} {split} images: accuracy {accuracy:.3}")
        }
        RunEventKind::Ended { state, reason, .. } => match reason {
            Some(reason) => format!("{state}: {reason}"),
            None => format!("{state}"),
        },
    }
}

/// The sign on the charts and its ASCII substitute; most notes have none.
pub(super) fn sign(kind: &NoteKind) -> Option<(&'static str, &'static str)> {
    let kind = match kind {
        NoteKind::Event(kind) => kind,
        NoteKind::Spike(_) => return Some(("▲", "^")),
        NoteKind::Plateau(_) => return Some(("═", "=")),
    };
    match kind {
        RunEventKind::LearningRateReduced(_) => Some(("↓", "v")),
        RunEventKind::Nonfinite { .. } => Some(("×", "x")),
        RunEventKind::RolledBack { .. } => Some(("↶", "<")),
        RunEventKind::SampleSkipped(_) | RunEventKind::Warning { .. } => Some(("!", "!")),
        _ => None,
    }
}
