//! What happened in a run, in words.

use std::fmt::Write as _;

use crate::tui::protocol::runs::NoteKind;
use crate::tui::widgets::chart::axis_ticks::number_label;
use mammoscope_domain::run::run_event::{CheckpointKind, RunEventKind};
use mammoscope_domain::run::run_status::RunPhase;

/// Whether somebody should look at it.
pub(super) fn wants_attention(kind: &NoteKind) -> bool {
    let NoteKind::Event(kind) = kind else { return true };
    match kind {
        RunEventKind::LearningRateReduced { .. }
        | RunEventKind::CheckpointRejected { .. }
        | RunEventKind::CheckpointFailed { .. }
        | RunEventKind::SampleSkipped { .. }
        | RunEventKind::Warning { .. }
        | RunEventKind::Nonfinite { .. }
        | RunEventKind::RolledBack { .. } => true,
        RunEventKind::Ended { state, .. } => *state == RunPhase::Failed,
        _ => false,
    }
}

/// Whether something went wrong.
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

/// Whether it is left out of the list: every epoch has it.
pub(super) fn is_routine(kind: &NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::Event(
            RunEventKind::EpochStarted { .. }
                | RunEventKind::StepReported { .. }
                | RunEventKind::CheckpointSaved { kind: CheckpointKind::Last, .. }
        )
    )
}

/// It in words; not yet safe to print.
pub(super) fn note_text(kind: &NoteKind) -> String {
    match kind {
        NoteKind::Event(kind) => event_text(kind),
        NoteKind::Spike(spike) => format!("spike: loss {:.4}, where {:.4} is usual", spike.loss, spike.usual),
        NoteKind::Plateau(plateau) => {
            let (epochs, lowest) = (plateau.epoch - plateau.since, plateau.lowest);
            format!("plateau: val loss not below {lowest:.4} for {epochs} epochs")
        }
    }
}

fn event_text(kind: &RunEventKind) -> String {
    match kind {
        RunEventKind::Created { preset, epochs } => format!("asked for: {preset}, {epochs} epochs"),
        RunEventKind::Started { pid, host, .. } => format!("taken up by process {pid} on {host}"),
        RunEventKind::Prepared { device, train, validation, test, .. } => {
            format!("begins on {device}: {train} training, {validation} validation, {test} test images")
        }
        RunEventKind::Resumed { step, checkpoint, .. } => format!("goes on behind step {step}, from {checkpoint}"),
        RunEventKind::EpochsChanged { epochs } => format!("{epochs} epochs are asked for from now on"),
        RunEventKind::EpochStarted { epoch, .. } => format!("epoch {epoch} begins"),
        RunEventKind::StepReported { step, .. } => format!("step {step}"),
        RunEventKind::EpochEnded { epoch, train_loss, train_accuracy, val_loss, val_accuracy, .. } => {
            let mut text = format!("epoch {epoch:>3}  loss {train_loss:.4}");
            let _ = val_loss.map(|loss| write!(text, " val {loss:.4}"));
            let _ = write!(text, "  acc {train_accuracy:.3}");
            let _ = val_accuracy.map(|accuracy| write!(text, " val {accuracy:.3}"));
            text
        }
        RunEventKind::LearningRateReduced { from, to, .. } => {
            format!("learning rate reduced from {} to {}", number_label(*from), number_label(*to))
        }
        RunEventKind::CheckpointSaved { kind: CheckpointKind::Best, file, value, .. } => match value {
            Some(value) => format!("best so far, {value:.3}: {file}"),
            None => format!("best so far: {file}"),
        },
        RunEventKind::CheckpointSaved { file, .. } => format!("checkpoint {file}"),
        RunEventKind::CheckpointRejected { file, reason } => format!("checkpoint {file} cannot be used: {reason}"),
        RunEventKind::CheckpointFailed { file, reason } => format!("checkpoint {file} not written: {reason}"),
        RunEventKind::RequestAcknowledged { verb, step } => format!("{verb} acknowledged at step {step}"),
        RunEventKind::Paused { step } => format!("paused at step {step}"),
        RunEventKind::Continued { step } => format!("continued at step {step}"),
        RunEventKind::SampleSkipped { file, reason } => format!("left out: {file}: {reason}"),
        RunEventKind::Warning { message } => message.clone(),
        RunEventKind::Nonfinite { step, what, files } => {
            format!("the {what} was not finite at step {step}, with {}", files.join(", "))
        }
        RunEventKind::RolledBack { from_step, to_step, learning_rate_factor } => {
            format!(
                "went back from step {from_step} to {to_step}, learning rate × {}",
                number_label(*learning_rate_factor)
            )
        }
        RunEventKind::Evaluated { split, images, accuracy, .. } => {
            format!("evaluated on {images} {split} images: accuracy {accuracy:.3}")
        }
        RunEventKind::Ended { state, reason, .. } => match reason {
            Some(reason) => format!("{state}: {reason}"),
            None => format!("{state}"),
        },
    }
}

/// A sign for it on the upper edge of the charts, with its stand-in in ASCII; most have none.
pub(super) fn sign(kind: &NoteKind) -> Option<(&'static str, &'static str)> {
    let kind = match kind {
        NoteKind::Event(kind) => kind,
        NoteKind::Spike(_) => return Some(("▲", "^")),
        NoteKind::Plateau(_) => return Some(("═", "=")),
    };
    match kind {
        RunEventKind::LearningRateReduced { .. } => Some(("↓", "v")),
        RunEventKind::Nonfinite { .. } => Some(("×", "x")),
        RunEventKind::RolledBack { .. } => Some(("↶", "<")),
        RunEventKind::SampleSkipped { .. } | RunEventKind::Warning { .. } => Some(("!", "!")),
        _ => None,
    }
}
