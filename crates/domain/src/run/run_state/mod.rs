//! The state of a run, folded from its events: live, replayed from disk, or read as another process writes them.

use super::run_event::{RunEvent, RunEventKind};
use super::run_records::{StepReport, Timed};
use super::run_summary::RunSummary;
use crate::training::training_config::Monitor;

/// What a run's events say so far. It changes by [`RunState::apply`] only. Of the reports of steps, hundreds of thousands a
/// day, it has the last one: what draws curves keeps them itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub summary: RunSummary,
    /// The last report within an epoch; `None` from when training goes back to a checkpoint until the next report.
    pub last_report: Option<Timed<StepReport>>,
}

impl RunState {
    /// The state before the first event of a run of `epochs` epochs.
    #[must_use]
    pub fn new(monitor: Monitor, epochs: u32) -> Self {
        Self { summary: RunSummary::new(monitor, epochs), last_report: None }
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &RunEvent) {
        self.summary.apply(event);
        if let RunEventKind::StepReported(report) = &event.kind {
            let elapsed = self.summary.clock.elapsed();
            self.last_report = Some(Timed { time: event.time, elapsed, record: *report });
        } else if event.kind.back_to_step().is_some() {
            self.last_report = None;
        }
        self.summary.images_per_s = self.last_report.map(|report| report.images_per_s);
    }
}

#[cfg(test)]
mod tests;
