//! The service of the screen Runs: lists and follows runs, and controls their trainers.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::datasets::paths::expand;
use super::run_export::{export_curves, export_table};
use super::run_list;
use super::run_sketches::SketchReader;
use super::run_watch::RunWatch;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::runs::{RunsEffect, RunsMessage};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::training_changes::TrainingChanges;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::control::send_request;
use mammoscope_runs::ending::{end_by_force, mark_ended};
use mammoscope_runs::resumption::{Resumable, ResumeRequest, ResumedBy, lock_when_free, resumable, trainer_shares};
use mammoscope_runs::trainer_process::TrainerProcess;
use mammoscope_runs::training_start::{check_gpus, start_trainers};
use mammoscope_storage::runs::history_files::read_history;
use mammoscope_storage::runs::labels_file::write_labels;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequests;
use mammoscope_storage::runs::run_trash::move_to_trash;
use mammoscope_storage::runs::workspace::Workspace;

/// The delay before a run is followed while the selection is moving through the list.
const SELECTION_DELAY: Duration = Duration::from_millis(120);

/// The service of the screen Runs.
pub(in crate::tui) struct RunsService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    is_listing: bool,
    watches: HashMap<RunDir, RunWatch>,
    last_selection: Option<Instant>,
    /// Started with the first request.
    sketches: Option<SketchReader>,
}

impl RunsService {
    pub(super) fn new(workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self {
            workspace: workspace.clone(),
            inbox: inbox.clone(),
            is_listing: false,
            watches: HashMap::new(),
            last_selection: None,
            sketches: None,
        }
    }

    pub(super) fn perform(&mut self, effect: RunsEffect) {
        match effect {
            RunsEffect::Watch => {
                if !std::mem::replace(&mut self.is_listing, true) {
                    run_list::watch(self.workspace.clone(), self.inbox.clone());
                }
            }
            RunsEffect::Follow(runs) => self.follow(runs),
            RunsEffect::ExportTable(rows) => {
                let workspace = self.workspace.clone();
                self.work(move || RunsMessage::Exported { outcome: export_table(&workspace, &rows) });
            }
            RunsEffect::ExportCurves { metric, curves } => {
                let workspace = self.workspace.clone();
                self.work(move || RunsMessage::Exported { outcome: export_curves(&workspace, &metric, &curves) });
            }
            RunsEffect::Sketch(runs) => {
                let inbox = &self.inbox;
                self.sketches.get_or_insert_with(|| SketchReader::start(inbox.clone())).read(runs);
            }
            RunsEffect::Ask { run, verb } => self.work(move || {
                let answer = send_request(&run, verb, true, Cancellation::never()).map_err(Failure::from);
                RunsMessage::Answered { run, verb, answer }
            }),
            RunsEffect::Resume(run) => self.work(move || {
                let outcome = resume(&run).map_err(Failure::from);
                RunsMessage::Resumed { run, outcome }
            }),
            RunsEffect::ResumeStudy { study, runs } => self.work(move || {
                let outcome = resume_all(runs).map_err(Failure::from);
                RunsMessage::StudyResumed { study, outcome }
            }),
            RunsEffect::Kill(run) => self.work(move || {
                let outcome = end_by_force(&run).map(|end| end.to_string()).map_err(Failure::from);
                RunsMessage::Forced { run, outcome }
            }),
            RunsEffect::MarkEnded(run) => self.work(move || {
                let outcome = mark_ended(&run).map(|()| "marked as ended".to_owned()).map_err(Failure::from);
                RunsMessage::Forced { run, outcome }
            }),
            RunsEffect::Label { run, labels } => self.work(move || {
                let outcome = write_labels(&run, &labels).map(|()| labels).map_err(Failure::new);
                RunsMessage::Labelled { run, outcome }
            }),
            RunsEffect::Trash(run) => {
                let workspace = self.workspace.clone();
                self.work(move || {
                    let outcome = trash(&workspace, &run).map_err(Failure::from);
                    RunsMessage::Trashed { run, outcome }
                });
            }
            RunsEffect::ReadReference(folder) => self.work(move || {
                let folder = expand(&folder.to_string_lossy());
                let outcome = read_history(&folder).map_err(|error| anyhow::Error::from(error).into());
                RunsMessage::Reference { folder, outcome }
            }),
        }
    }

    fn work(&self, job: impl FnOnce() -> RunsMessage + Send + 'static) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            // Sending fails if the workbench is being left.
            let _ = inbox.send(UiMessage::Runs(job()));
        });
    }

    fn follow(&mut self, runs: Vec<RunDir>) {
        let is_moving =
            self.last_selection.replace(Instant::now()).is_some_and(|last| last.elapsed() < SELECTION_DELAY);
        let delay = if is_moving { SELECTION_DELAY } else { Duration::ZERO };
        self.watches.retain(|run, _| runs.contains(run));
        for run in runs {
            let inbox = &self.inbox;
            self.watches.entry(run).or_insert_with_key(|run| RunWatch::start(run.clone(), delay, inbox.clone()));
        }
    }
}

fn resume(run: &RunDir) -> anyhow::Result<()> {
    let resumable = resumable(run, &ResumeRequest::default(), ResumedBy::User)?;
    if let Resumable::Occupied { reason } = resumable {
        anyhow::bail!(reason);
    }
    if let Resumable::Complete { epochs, reason } = resumable {
        let complete = Resumable::complete_text(epochs, reason.as_deref());
        bail!("it is {complete}; `mammoscope resume --epochs` continues it");
    }
    let engine = locate_engine()?.path;
    if let Resumable::On { device, .. } = resumable {
        check_gpus([device], &engine)?;
    }
    RunRequests::new(run).withdraw_all().context("withdraw earlier requests")?;
    let trainer = TrainerProcess::start(&engine, std::slice::from_ref(run), &TrainingChanges::default())?;
    trainer.wait_until_started(Cancellation::never())?;
    Ok(())
}

/// Resumes those of the runs that have ended without being completed, as many side by side as before.
fn resume_all(runs: Vec<RunDir>) -> anyhow::Result<String> {
    let mut to_resume = Vec::new();
    for run in runs {
        if let Resumable::On { device, jobs } = resumable(&run, &ResumeRequest::default(), ResumedBy::User)? {
            to_resume.push((run, device, jobs));
        }
    }
    if to_resume.is_empty() {
        bail!("nothing to resume: its runs are complete, active or queued");
    }
    let engine = locate_engine()?.path;
    check_gpus(to_resume.iter().map(|(_, device, _)| *device), &engine)?;
    for (run, ..) in &to_resume {
        RunRequests::new(run).withdraw_all().context("withdraw earlier requests")?;
    }
    let shares = trainer_shares(to_resume);
    let started = start_trainers(&engine, shares, &TrainingChanges::default(), Cancellation::never(), &mut |_| {});
    if let Some((failed, error)) = started.failed.first() {
        bail!("{} not resumed: {error}", counted_as(failed.len(), "run was", "runs were"));
    }
    Ok(format!("{} resumed", counted_as(started.running.len(), "run is", "runs are")))
}

fn trash(workspace: &Workspace, run: &RunDir) -> anyhow::Result<std::path::PathBuf> {
    // Only the lock tells reliably whether a trainer is running.
    let _lock = lock_when_free(run)?;
    move_to_trash(workspace, run).with_context(|| format!("move {}", printable_path(run.path())))
}
