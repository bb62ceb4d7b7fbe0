//! The state of a run, folded from its events: live, replayed from disk, or read as another process writes them.

use super::run_event::{RunEvent, RunEventKind};
use super::run_records::{BatchSplit, StepReport, Timed};
use super::run_summary::RunSummary;
use crate::training::training_config::Monitor;

/// Everything that a run's events say so far. It changes by [`RunState::apply`] only.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub summary: RunSummary,
    /// The reports within epochs, by step; thousands in a long run.
    pub steps: Vec<Timed<StepReport>>,
}

impl RunState {
    /// The state before the first event of a run of `epochs` epochs.
    #[must_use]
    pub fn new(monitor: Monitor, epochs: u32) -> Self {
        Self { summary: RunSummary::new(monitor, epochs), steps: Vec::new() }
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &RunEvent) {
        self.summary.apply(event);
        match &event.kind {
            RunEventKind::StepReported(report) => {
                self.steps.truncate(self.steps.partition_point(|earlier| earlier.step < report.step));
                self.steps.push(Timed { time: event.time, elapsed: self.summary.clock.elapsed(), record: *report });
            }
            // Training continues from a checkpoint: the reports after it are void.
            RunEventKind::Resumed { step, .. }
            | RunEventKind::RolledBack { to_step: step, .. }
            | RunEventKind::BatchSplit(BatchSplit { to_step: step, .. }) => {
                self.steps.truncate(self.steps.partition_point(|earlier| earlier.step <= *step));
            }
            _ => {}
        }
        self.summary.images_per_s = self.steps.last().map(|report| report.images_per_s);
    }
}

#[cfg(test)]
mod tests;
