//! Descriptions of the events and findings in a run.

use crate::report::event_text::event_text;
use crate::tui::protocol::runs::NoteKind;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::EpochMetrics;
use mammoscope_domain::run::run_status::RunPhase;

/// True for something that the user should look at.
pub(super) fn needs_attention(kind: &NoteKind) -> bool {
    let NoteKind::Event(kind) = kind else { return true };
    match kind {
        RunEventKind::LearningRateReduced(_)
        | RunEventKind::CheckpointRejected { .. }
        | RunEventKind::CheckpointFailed { .. }
        | RunEventKind::SampleSkipped(_)
        | RunEventKind::Waiting { .. }
        | RunEventKind::Warning { .. }
        | RunEventKind::Nonfinite { .. }
        | RunEventKind::RolledBack { .. }
        | RunEventKind::BatchSplit(_) => true,
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

/// The description of a note; not yet safe to print.
pub(super) fn note_text(kind: &NoteKind) -> String {
    match kind {
        NoteKind::Event(kind) => event_text(kind),
        NoteKind::Spike(spike) => format!("spike: loss {:.4}, against a median of {:.4}", spike.loss, spike.median),
        NoteKind::Plateau(plateau) => {
            let (epochs, lowest) = (plateau.epoch - plateau.since, plateau.lowest);
            format!("plateau: val loss not below {lowest:.4} in {epochs} epochs")
        }
    }
}

/// Shorter descriptions of a note for a narrow pane, the longest first: of an epoch, the metrics of the training
/// images give way.
pub(super) fn shorter_texts(kind: &NoteKind) -> Vec<String> {
    let NoteKind::Event(RunEventKind::EpochEnded(record)) = kind else { return Vec::new() };
    let EpochMetrics { epoch, train_loss, val_loss, val_accuracy, .. } = record.metrics;
    let (Some(loss), Some(accuracy)) = (val_loss, val_accuracy) else { return Vec::new() };
    vec![
        format!("epoch {epoch:>3}  loss {train_loss:.3} val {loss:.3}  val acc {accuracy:.3}"),
        format!("epoch {epoch:>3}  val loss {loss:.3} acc {accuracy:.3}"),
        format!("epoch {epoch:>3}  val loss {loss:.3}"),
    ]
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
        RunEventKind::RolledBack { .. } | RunEventKind::BatchSplit(_) => Some(("↶", "<")),
        RunEventKind::SampleSkipped(_) | RunEventKind::Warning { .. } => Some(("!", "!")),
        _ => None,
    }
}
