//! Messages to the screen Train.

use super::TrainScreen;
use super::estimate::{DataState, Timing};

use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::train::{StartedRuns, TrainMessage};
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::counted::counted;

impl TrainScreen {
    /// Handles a message of the service.
    pub(in crate::tui) fn on_message(&mut self, message: TrainMessage, shared: &mut SharedState) -> Vec<Effect> {
        match message {
            TrainMessage::Scanned { request, outcome } if request == self.data.request => {
                self.data.state = outcome.map_or_else(|failure| DataState::Failed(failure.into()), DataState::Known);
                let mut effects = Vec::new();
                // How many runs train side by side depends on how many there are.
                let is_other = self.planned_runs() != self.timing.runs;
                if self.data.state.known().is_some() && is_other && self.timing.state != Timing::Unknown {
                    self.forget_timing(&mut effects);
                }
                effects
            }
            TrainMessage::Timed { request, outcome } if request == self.timing.request => {
                self.timing.state = match outcome {
                    Ok(timing) => Timing::Known { timing, at: shared.now },
                    Err(failure) => Timing::Failed(failure.into()),
                };
                Vec::new()
            }
            // These belong to an earlier state of the form.
            TrainMessage::Scanned { .. } | TrainMessage::Timed { .. } => Vec::new(),
            TrainMessage::SplitsRead { run, outcome } => self.on_splits_read(&run, outcome, shared),
            TrainMessage::Started(outcome) => self.on_started(outcome),
            TrainMessage::Histories(histories) => {
                self.on_histories(histories);
                Vec::new()
            }
        }
    }

    fn on_started(&mut self, outcome: Result<StartedRuns, Failure>) -> Vec<Effect> {
        self.start.pending = None;
        let (runs, failures) = match outcome {
            Ok(StartedRuns { runs, failures }) => (runs, failures.join("; ")),
            Err(failure) => (Vec::new(), failure.into()),
        };
        let Some(first) = runs.first() else {
            self.start.error = Some(failures.clone());
            return vec![Effect::failed(format!("not started: {failures}"))];
        };
        let started = counted(runs.len(), "run");
        let notice = if failures.is_empty() {
            Effect::done(format!("{started} started; training continues after you quit"))
        } else {
            Effect::warning(format!("only {started} started: {failures}"))
        };
        vec![Effect::Navigate(Destination::Run(first.clone())), notice]
    }
}
