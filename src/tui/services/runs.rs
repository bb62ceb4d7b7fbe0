//! What the screen Runs wants of the world: lists, followed runs, and what is asked of trainers.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::datasets::paths::meant;
use super::run_list;
use super::run_watch::RunWatch;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::runs::{RunsEffect, RunsMessage};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::control::ask_trainer;
use mammoscope_runs::ending::{kill_trainer, mark_ended};
use mammoscope_runs::resumption::{Resumable, lock_when_free, resumable};
use mammoscope_runs::trainer_process::TrainerProcess;
use mammoscope_storage::runs::history_files::read_history;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequests;
use mammoscope_storage::runs::run_trash::move_to_trash;
use mammoscope_storage::runs::workspace::Workspace;

/// Whoever runs through the list wants to see the run on which he stops.
const SETTLED: Duration = Duration::from_millis(120);

/// Carries out what the screen Runs wants.
pub(in crate::tui) struct RunsService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    lists: bool,
    watches: HashMap<RunDir, RunWatch>,
    last_choice: Option<Instant>,
}

impl RunsService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox, lists: false, watches: HashMap::new(), last_choice: None }
    }

    pub(super) fn perform(&mut self, effect: RunsEffect) {
        match effect {
            RunsEffect::Watch => {
                if !std::mem::replace(&mut self.lists, true) {
                    run_list::watch(self.workspace.clone(), self.inbox.clone());
                }
            }
            RunsEffect::Follow(runs) => self.follow(runs),
            RunsEffect::Ask { run, verb } => self.work(move || {
                let answer = ask_trainer(&run, verb, true, &|| false).map_err(|error| in_words(&error));
                RunsMessage::Answered { run, verb, answer }
            }),
            RunsEffect::Resume(run) => self.work(move || {
                let outcome = resume(&run).map_err(|error| in_words(&error));
                RunsMessage::Resumed { run, outcome }
            }),
            RunsEffect::Kill(run) => self.work(move || {
                let outcome = kill_trainer(&run)
                    .map(|pid| format!("its trainer, process {pid}, was killed"))
                    .map_err(|error| in_words(&error));
                RunsMessage::Forced { run, outcome }
            }),
            RunsEffect::MarkEnded(run) => self.work(move || {
                let outcome = mark_ended(&run).map(|()| "marked as ended".to_owned()).map_err(|error| in_words(&error));
                RunsMessage::Forced { run, outcome }
            }),
            RunsEffect::Trash(run) => {
                let workspace = self.workspace.clone();
                self.work(move || {
                    let outcome = trash(&workspace, &run).map_err(|error| in_words(&error));
                    RunsMessage::Trashed { run, outcome }
                });
            }
            RunsEffect::ReadReference(folder) => self.work(move || {
                let folder = meant(&folder.to_string_lossy());
                let outcome = read_history(&folder).map_err(|error| in_words(&error.into()));
                RunsMessage::Reference { folder, outcome }
            }),
        }
    }

    fn work(&self, job: impl FnOnce() -> RunsMessage + Send + 'static) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            // Nobody listens any more: the workbench is being left.
            let _ = inbox.send(UiMessage::Runs(job()));
        });
    }

    fn follow(&mut self, runs: Vec<RunDir>) {
        let hurries = self.last_choice.replace(Instant::now()).is_some_and(|last| last.elapsed() < SETTLED);
        let delay = if hurries { SETTLED } else { Duration::ZERO };
        self.watches.retain(|run, _| runs.contains(run));
        for run in runs {
            let inbox = &self.inbox;
            self.watches.entry(run).or_insert_with_key(|run| RunWatch::start(run.clone(), delay, inbox.clone()));
        }
    }
}

fn resume(run: &RunDir) -> anyhow::Result<()> {
    if let Resumable::Complete { epochs } = resumable(run, None)? {
        bail!("it is complete with {epochs} epochs; `mammoscope resume --epochs` trains on");
    }
    let engine = locate_engine()?.path;
    RunRequests::new(run).withdraw_all().context("withdraw what was asked of it before")?;
    let trainer = TrainerProcess::start(&engine, std::slice::from_ref(run), None)?;
    Ok(trainer.wait_until_at_work(&|| false)?)
}

fn trash(workspace: &Workspace, run: &RunDir) -> anyhow::Result<std::path::PathBuf> {
    // The lock is the last word on whether a trainer is at work.
    let _lock = lock_when_free(run)?;
    move_to_trash(workspace, run).with_context(|| format!("move {}", printable_path(run.path())))
}

fn in_words(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
