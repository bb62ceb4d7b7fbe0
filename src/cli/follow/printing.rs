//! The output of `follow`: epochs on stdout, notes on stderr, and a live line that is redrawn.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::console::{Console, print_result};
use crate::report::epoch_table::{epoch_header, epoch_row, learning_rate, live_line, seconds_text};
use crate::report::event_text::event_text;
use crate::report::run_text::best_text;
use mammoscope_domain::run::remaining_time::{remaining_seconds, seconds_per_epoch};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::SplitEvaluation;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::snapshot::{RunChange, RunSnapshot};
use mammoscope_storage::runs::event_tail::TailEntry;

/// The interval at which the live line is redrawn without news, so that its spinner keeps moving.
const TICK: Duration = Duration::from_millis(200);

/// Prints the progress of runs, one at a time.
pub(super) struct FollowPrinter<'a> {
    console: &'a Console,
    /// Tables are headed with the run's name.
    several: bool,
    /// The number of runs queued after the one that is followed.
    waiting: usize,
    /// The run whose table header was printed last.
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

    /// Sets the number of runs queued after the one that is followed.
    pub(super) fn set_waiting(&mut self, runs: usize) {
        self.waiting = runs;
    }

    /// Clears the live line for other output; it returns with the next change.
    pub(super) fn pause(&mut self) {
        self.line.set_message("");
        self.line.suspend(|| {});
    }

    /// Prints a change of the run that is followed.
    pub(super) fn print_change(&mut self, snapshot: &RunSnapshot, change: &RunChange) -> anyhow::Result<()> {
        match change {
            RunChange::Entry(TailEntry::Event(event)) => self.print_event(snapshot, event)?,
            RunChange::Entry(TailEntry::Restarted) => {
                self.under_header = None;
                self.note("the events were replaced; starting over:");
            }
            RunChange::Entry(TailEntry::BadLine(bad)) => {
                self.note(&format!("events.jsonl: the line at byte {} cannot be read: {}", bad.offset, bad.reason));
            }
            RunChange::Appeared | RunChange::Gone | RunChange::Status => {}
        }
        self.draw(snapshot);
        Ok(())
    }

    fn print_event(&mut self, snapshot: &RunSnapshot, event: &RunEvent) -> anyhow::Result<()> {
        let summary = snapshot.summary();
        match &event.kind {
            RunEventKind::EpochEnded(_) => {
                if let Some(record) = summary.records.last() {
                    let row = epoch_row(summary, record);
                    let header = self.header(snapshot);
                    self.print(&format!("{header}{row}"))?;
                    // On a terminal, the live line shows it.
                    if let Some(eta) = eta_text(summary, self.waiting).filter(|_| !self.console.shows_progress()) {
                        self.note(&eta);
                    }
                }
            }
            RunEventKind::Resumed { step, checkpoint, .. } => {
                self.note(&format!("resumed after step {step}, from {checkpoint}"));
            }
            RunEventKind::EarlyStopRestarted { .. } => {
                self.note("continued after the early stop: its patience starts again");
            }
            RunEventKind::SettingChanged(_) | RunEventKind::DataMoved(_) => self.note(&event_text(&event.kind)),
            RunEventKind::EpochsChanged { epochs } => self.note(&format!("epochs requested: {epochs}")),
            RunEventKind::LearningRateReduced(reduction) => {
                self.note(&format!(
                    "learning rate {} → {}",
                    learning_rate(reduction.from),
                    learning_rate(reduction.to)
                ));
            }
            RunEventKind::RequestAcknowledged(request) => {
                self.note(&format!("{} acknowledged at step {}", request.verb, request.step));
            }
            RunEventKind::SampleSkipped(sample) => self.note(&format!("left out: {}: {}", sample.file, sample.reason)),
            RunEventKind::SampleRestored { file } => self.note(&format!("usable again: {file}")),
            RunEventKind::Waiting { reason, .. } => self.warn(&format!("paused: {reason}")),
            RunEventKind::Warning { message } => self.warn(message),
            RunEventKind::BatchSplit(_) => self.warn(&event_text(&event.kind)),
            RunEventKind::RolledBack { from_step, to_step, learning_rate_factor } => {
                self.warn(&format!(
                    "back from step {from_step} to the checkpoint at step {to_step}, learning rate times \
                     {learning_rate_factor}"
                ));
            }
            RunEventKind::CheckpointRejected { .. }
            | RunEventKind::CheckpointFailed { .. }
            | RunEventKind::Nonfinite { .. } => {
                if let Some(error) = &summary.last_error {
                    self.warn(&error.message);
                }
            }
            RunEventKind::Evaluated(evaluation) => {
                let SplitEvaluation { split, images, accuracy, .. } = evaluation;
                self.note(&format!("evaluated: {split}, {images} images, accuracy {accuracy:.3}"));
            }
            RunEventKind::Created { .. }
            | RunEventKind::Started(_)
            | RunEventKind::Prepared(_)
            | RunEventKind::EpochStarted { .. }
            | RunEventKind::StepReported(_)
            | RunEventKind::CheckpointSaved(_)
            | RunEventKind::Paused { .. }
            | RunEventKind::Continued { .. }
            | RunEventKind::Ended { .. } => {}
        }
        Ok(())
    }

    /// Shows the condition of a run without progress yet.
    pub(super) fn wait(&self, snapshot: &RunSnapshot) {
        let name = printable(&snapshot.run().name());
        self.line.set_message(match snapshot.condition() {
            Ok(condition) => format!("{name}: {condition}"),
            Err(problem) => format!("{name}: {}", printable(&problem.to_string())),
        });
    }

    /// Prints the last line of a run.
    pub(super) fn print_end(&mut self, snapshot: &RunSnapshot, condition: &str) -> anyhow::Result<()> {
        let summary = snapshot.summary();
        let mut text = format!(
            "{}: {condition}; epochs {}/{}",
            printable(&snapshot.run().name()),
            summary.records.len(),
            summary.epochs
        );
        if let Some(best) = &summary.best {
            text.push_str(", best ");
            text.push_str(&best_text(best));
        }
        self.line.set_message("");
        self.print(&format!("{text}\n"))
    }

    fn draw(&self, snapshot: &RunSnapshot) {
        let summary = snapshot.summary();
        let status = snapshot.status().ok();
        let active = status.filter(|status| !status.state.is_over());
        let training = matches!(summary.phase, RunPhase::Running | RunPhase::Stopping);
        let report = snapshot.state().last_report.filter(|report| training && report.step == summary.step);
        let message = match (active, report) {
            (Some(status), Some(report)) => {
                format!(
                    "{}  {}{}",
                    status.view,
                    if summary.phase == RunPhase::Stopping { "stopping · " } else { "" },
                    live_line(summary, &report, remaining_seconds(summary))
                )
            }
            (Some(status), None) => format!("{}  {}", status.view, summary.phase),
            (None, _) => String::new(),
        };
        self.line.set_message(message);
    }

    /// The column titles, once per run.
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

/// The time left after an epoch, for this run and for the queued ones, which are assumed to take as long. `None` after
/// the very last epoch.
fn eta_text(summary: &RunSummary, waiting: usize) -> Option<String> {
    let epoch = summary.records.last()?.metrics.epoch;
    let left = remaining_seconds(summary)?;
    let whole = seconds_per_epoch(summary)? * f64::from(summary.epochs);
    let all = left + whole * waiting as f64;
    let of_all = || format!("; with the {waiting} queued runs about {}", seconds_text(all));
    let for_all = if waiting > 0 { of_all() } else { String::new() };
    (all > 0.0).then(|| format!("epoch {epoch}/{}: ETA {}{for_all}", summary.epochs, seconds_text(left)))
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
    use mammoscope_domain::run::run_records::{EpochMetrics, EpochRecord};
    use mammoscope_domain::run::run_state::RunState;
    use mammoscope_domain::training::training_config::Monitor;

    #[test]
    fn the_eta_covers_the_run_and_the_queued_ones() {
        let mut state = RunState::new(Monitor::ValAccuracy, 10);
        assert_eq!(eta_text(&state.summary, 3), None);
        let mut end_epoch = |epoch| {
            let kind = RunEventKind::EpochEnded(EpochRecord {
                metrics: EpochMetrics {
                    epoch,
                    step: u64::from(epoch) * 10,
                    train_loss: 1.0,
                    train_accuracy: 0.5,
                    val_loss: None,
                    val_accuracy: None,
                    val_kappa: None,
                    learning_rate: 0.01,
                },
                seconds: 3.0,
            });
            state.apply(&RunEvent { time: DateTime::UNIX_EPOCH, kind });
            [0, 3].map(|waiting| eta_text(&state.summary, waiting).unwrap_or_default())
        };
        // Seven epochs of three seconds, and three times ten.
        assert_eq!(
            end_epoch(3),
            ["epoch 3/10: ETA 21 s", "epoch 3/10: ETA 21 s; with the 3 queued runs about 1 min 51 s"]
        );
        assert_eq!(end_epoch(10), ["", "epoch 10/10: ETA 0.0 s; with the 3 queued runs about 1 min 30 s"]);
    }
}
