//! The runs of the workspace, listed again when something changed.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use crate::client::run_snapshot::current_condition;
use crate::storage::run_catalog::{RunEntry, list_runs};
use crate::storage::workspace::Workspace;
use crate::tui::message::UiMessage;
use crate::tui::run_board::RunRow;
use crate::tui::screens::runs::{RunsEffect, RunsMessage};

const POLL: Duration = Duration::from_secs(1);

/// Carries out what the screen Runs wants.
pub(in crate::tui) struct RunsService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    watches: bool,
}

impl RunsService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox, watches: false }
    }

    pub(super) fn perform(&mut self, effect: RunsEffect) {
        match effect {
            RunsEffect::Watch => self.watch(),
        }
    }

    fn watch(&mut self) {
        if std::mem::replace(&mut self.watches, true) {
            return;
        }
        let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
        thread::spawn(move || {
            let mut known = None;
            loop {
                let listed = list_runs(&workspace)
                    .map(|entries| entries.into_iter().map(row).collect::<Vec<_>>())
                    .map_err(|error| error.to_string());
                if known.as_ref() != Some(&listed) {
                    known = Some(listed.clone());
                    if inbox.send(UiMessage::Runs(RunsMessage::Listed(listed))).is_err() {
                        return;
                    }
                }
                thread::sleep(POLL);
            }
        });
    }
}

fn row(entry: RunEntry) -> RunRow {
    let condition = current_condition(&entry.run).ok();
    let problem = match (&entry.spec, &entry.status) {
        (Err(error), _) => Some(error.to_string()),
        (_, Err(error)) => Some(error.to_string()),
        _ => None,
    };
    RunRow { run: entry.run, spec: entry.spec.ok(), status: entry.status.ok(), condition, problem }
}
