//! What is printed of a run that is followed: epochs on stdout, remarks on stderr, and a line that is drawn over.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::{Console, print_result};
use crate::report::epoch_table::{epoch_header, epoch_row, learning_rate, live_line, seconds_text};
use crate::report::run_text::best_text;
use mammoscope_domain::run::epoch_eta::remaining_seconds;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::snapshot::{RunChange, RunSnapshot};

/// How often the drawn line is drawn again by itself, so that its spinner shows that somebody watches.
const TICK: Duration = Duration::from_millis(200);

/// Prints runs, one at a time.
pub(super) struct FollowPrinter<'a> {
    console: &'a Console,
    /// Whether lines say which run they speak of.
    several: bool,
    /// How many runs come behind the one that is followed.
    waiting: usize,
    /// The run that the table's header was printed for.
    under_header: Option<PathBuf>,
    line: ProgressBar,
}

impl<'a> FollowPrinter<'a> {
    pub(super) fn new(console: &'a Console, several: bool) -> Self {
        let line = if console.shows_progress() {
            let style = ProgressStyle::with_template("{spinner} {wide_msg}").expect("a fixed template");
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            line.enable_steady_tick(TICK);
            line
        } else {
            ProgressBar::hidden()
        };
        Self { console, several, waiting: 0, under_header: None, line }
    }

    /// How many runs wait for the one that is told of.
    pub(super) fn set_waiting(&mut self, runs: usize) {
        self.waiting = runs;
    }

    /// Takes the drawn line away, for somebody else to write; it comes back with the next news.
    pub(super) fn pause(&mut self) {
        self.line.set_message("");
        self.line.suspend(|| {});
    }

    /// One change of the run that is followed.
    pub(super) fn tell(&mut self, snapshot: &RunSnapshot, change: &RunChange) -> anyhow::Result<()> {
        match change {
            RunChange::Event(event) => self.tell_event(snapshot, event)?,
            RunChange::Restarted => {
                self.under_header = None;
                self.note("the events were replaced; from the beginning:");
            }
            RunChange::BadLine(bad) => {
                self.note(&format!("events.jsonl: the line at byte {} cannot be read: {}", bad.offset, bad.reason));
            }
            RunChange::Appeared | RunChange::Gone | RunChange::Status => {}
        }
        self.draw(snapshot);
        Ok(())
    }

    fn tell_event(&mut self, snapshot: &RunSnapshot, event: &RunEvent) -> anyhow::Result<()> {
        let state = snapshot.state();
        match &event.kind {
            RunEventKind::EpochEnded { .. } => {
                if let Some(record) = state.records.last() {
                    let row = epoch_row(state, record);
                    let header = self.header(snapshot);
                    self.print(&format!("{header}{row}"))?;
                    // Elsewhere the line that is drawn over tells it all the time.
                    if let Some(eta) = eta_text(state, self.waiting).filter(|_| !self.console.shows_progress()) {
                        self.note(&eta);
                    }
                }
            }
            RunEventKind::Resumed { step, checkpoint, .. } => {
                self.note(&format!("resumed behind step {step}, from {checkpoint}"));
            }
            RunEventKind::EpochsChanged { epochs } => self.note(&format!("epochs asked for: {epochs}")),
            RunEventKind::LearningRateReduced { from, to, .. } => {
                self.note(&format!("learning rate {} → {}", learning_rate(*from), learning_rate(*to)));
            }
            RunEventKind::RequestAcknowledged { verb, step } => {
                self.note(&format!("{verb} acknowledged at step {step}"));
            }
            RunEventKind::SampleSkipped { file, reason } => self.note(&format!("left out: {file}: {reason}")),
            RunEventKind::Warning { message } => self.warn(message),
            RunEventKind::RolledBack { from_step, to_step, learning_rate_factor } => {
                self.warn(&format!(
                    "back from step {from_step} to the checkpoint at step {to_step}, learning rate times \
                     {learning_rate_factor}"
                ));
            }
            RunEventKind::CheckpointRejected { .. }
            | RunEventKind::CheckpointFailed { .. }
            | RunEventKind::Nonfinite { .. } => {
                if let Some(error) = &state.last_error {
                    self.warn(&error.message);
                }
            }
            RunEventKind::Evaluated { split, images, accuracy, .. } => {
                self.note(&format!("evaluated: {split}, {images} images, accuracy {accuracy:.3}"));
            }
            RunEventKind::Created { .. }
            | RunEventKind::Started { .. }
            | RunEventKind::Prepared { .. }
            | RunEventKind::EpochStarted { .. }
            | RunEventKind::StepReported { .. }
            | RunEventKind::CheckpointSaved { .. }
            | RunEventKind::Paused { .. }
            | RunEventKind::Continued { .. }
            | RunEventKind::Ended { .. } => {}
        }
        Ok(())
    }

    /// Says that nothing is to be told yet.
    pub(super) fn wait(&self, snapshot: &RunSnapshot) {
        let name = printable(&snapshot.run().name());
        self.line.set_message(match snapshot.condition() {
            Ok(condition) => format!("{name}: {condition}"),
            Err(problem) => format!("{name}: {}", printable(problem)),
        });
    }

    /// The last line of a run.
    pub(super) fn tell_end(&mut self, snapshot: &RunSnapshot, told: &str) -> anyhow::Result<()> {
        let state = snapshot.state();
        let mut text =
            format!("{}: {told}; epochs {}/{}", printable(&snapshot.run().name()), state.records.len(), state.epochs);
        if let Some(best) = &state.best {
            text.push_str(", best ");
            text.push_str(&best_text(best));
        }
        self.line.set_message("");
        self.print(&format!("{text}\n"))
    }

    fn draw(&self, snapshot: &RunSnapshot) {
        let state = snapshot.state();
        let status = snapshot.status().ok();
        let at_work = status.filter(|status| !status.state.is_over());
        let training = matches!(state.phase, RunPhase::Running | RunPhase::Stopping);
        let point = state.steps.last().filter(|point| training && point.step == state.step);
        let message = match (at_work, point) {
            (Some(status), Some(point)) => {
                format!(
                    "{}  {}{}",
                    status.view,
                    if state.phase == RunPhase::Stopping { "stopping · " } else { "" },
                    live_line(state, point, status.eta_s)
                )
            }
            (Some(status), None) => format!("{}  {}", status.view, state.phase),
            (None, _) => String::new(),
        };
        self.line.set_message(message);
    }

    /// The table's titles, once a run.
    fn header(&mut self, snapshot: &RunSnapshot) -> String {
        let path = snapshot.run().path();
        if self.under_header.as_deref() == Some(path) {
            return String::new();
        }
        self.under_header = Some(path.to_owned());
        let name = if self.several { format!("{}\n", printable(&snapshot.run().name())) } else { String::new() };
        name + &epoch_header()
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        self.line.suspend(|| print_result(text))
    }

    fn note(&self, text: &str) {
        self.line.suspend(|| self.console.note(printable(text)));
    }

    fn warn(&self, text: &str) {
        self.line.suspend(|| self.console.warn(printable(text)));
    }
}

/// How long it will take yet, behind an epoch: this run, and those that wait as if they were like it. `None` behind the
/// last epoch of all.
fn eta_text(state: &RunState, waiting: usize) -> Option<String> {
    let left = remaining_seconds(&state.records, state.epochs, 0.0)?;
    let epoch = state.records.last()?.figures.epoch;
    let whole = remaining_seconds(&state.records, epoch.saturating_add(state.epochs), 0.0)?;
    let all = left + whole * waiting as f64;
    let of_all = || format!("; with the {waiting} behind it about {}", seconds_text(all));
    let behind = if waiting > 0 { of_all() } else { String::new() };
    (all > 0.0).then(|| format!("epoch {epoch}/{}: ETA {}{behind}", state.epochs, seconds_text(left)))
}

impl Drop for FollowPrinter<'_> {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use mammoscope_domain::training::training_config::Monitor;

    #[test]
    fn the_time_that_is_left_is_told_for_the_run_and_for_those_behind_it() {
        let mut state = RunState::new(Monitor::ValAccuracy, 10);
        assert_eq!(eta_text(&state, 3), None);
        let mut end_epoch = |epoch| {
            let kind = RunEventKind::EpochEnded {
                epoch,
                step: u64::from(epoch) * 10,
                train_loss: 1.0,
                train_accuracy: 0.5,
                val_loss: None,
                val_accuracy: None,
                val_kappa: None,
                learning_rate: 0.01,
                seconds: 3.0,
            };
            state.apply(&RunEvent { time: DateTime::UNIX_EPOCH, kind });
            [0, 3].map(|waiting| eta_text(&state, waiting).unwrap_or_default())
        };
        // Seven epochs of three seconds, and three times ten.
        assert_eq!(
            end_epoch(3),
            ["epoch 3/10: ETA 21 s", "epoch 3/10: ETA 21 s; with the 3 behind it about 1 min 51 s"]
        );
        assert_eq!(end_epoch(10), ["", "epoch 10/10: ETA 0.0 s; with the 3 behind it about 1 min 30 s"]);
    }
}
