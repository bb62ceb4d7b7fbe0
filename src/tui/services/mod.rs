//! What carries effects out, on threads of their own, and answers with messages.

pub(super) mod datasets;
pub(super) mod evaluate;
pub(super) mod explain;
mod machine;
mod machine_monitor;
pub(super) mod pictures;
mod run_list;
mod run_watch;
pub(super) mod runs;
pub(super) mod train;

use std::sync::mpsc::Sender;

use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::message::UiMessage;
use mammoscope_storage::runs::workspace::Workspace;

/// Everything that works for the workbench.
pub(super) struct Services {
    datasets: datasets::DatasetsService,
    evaluate: evaluate::EvaluateService,
    explain: explain::ExplainService,
    pictures: pictures::PictureService,
    runs: runs::RunsService,
    train: train::TrainService,
}

impl Services {
    /// Services that answer into this inbox; threads are started when they are first needed.
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self {
            datasets: datasets::DatasetsService::new(inbox.clone()),
            evaluate: evaluate::EvaluateService::new(inbox.clone()),
            explain: explain::ExplainService::new(workspace.clone(), inbox.clone()),
            pictures: pictures::PictureService::new(inbox.clone()),
            runs: runs::RunsService::new(workspace.clone(), inbox.clone()),
            train: train::TrainService::new(workspace, inbox),
        }
    }

    /// Tells this inbox how busy the machine is, from now on.
    pub(super) fn watch_machine(inbox: Sender<UiMessage>) {
        machine::watch(inbox);
    }

    /// Carries out an effect of a screen or of a picture; never waits.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Datasets(effect) => self.datasets.perform(effect),
            Effect::Evaluate(effect) => self.evaluate.perform(effect),
            Effect::Explain(effect) => self.explain.perform(effect),
            Effect::Picture(effect) => self.pictures.perform(effect),
            Effect::Runs(effect) => self.runs.perform(effect),
            Effect::Train(effect) => self.train.perform(effect),
            // Carried out by the application and the main loop.
            Effect::Quit
            | Effect::Suspend
            | Effect::Redraw
            | Effect::QueryTerminal
            | Effect::SaveView
            | Effect::Navigate(_)
            | Effect::Notice(_)
            | Effect::Ask(_) => {}
        }
    }
}
