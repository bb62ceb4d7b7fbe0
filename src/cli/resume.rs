//! `mammoscope resume`: continues runs that were interrupted, stopped or killed.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::change_arguments::ChangeArguments;
use super::console::{Console, Outcome, WrongUse};
use super::interruption::Interruption;
use super::moved_data::MovedData;
use super::trainer_start::{FollowArguments, StartedTrainersExt as _, print_paths};
use mammoscope_cluster::job_environment::JobEnvironment;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::foreground_trainer::become_trainer;
use mammoscope_runs::resume_checks::{DataGone, rate_change};
use mammoscope_runs::resumption::{Resumable, ResumeRequest, ResumedBy, resumable, trainer_shares};
use mammoscope_runs::trainer_process::TrainerError;
use mammoscope_runs::training_start::{check_gpus, start_trainers};
use mammoscope_storage::runs::run_catalog::{RunSelection, find_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequests;
use mammoscope_storage::runs::workspace::Workspace;

/// The most complete runs that are named.
const MAX_NAMED: usize = 4;

/// Resume a run that was interrupted, stopped or killed
///
/// The run continues from its last checkpoint exactly as if it had not been interrupted; a run without a checkpoint
/// starts from scratch. Of a group or a study all runs are resumed that have ended without being completed; those that
/// are complete are left unchanged, unless --epochs asks for more than they have, and running ones are left alone.
/// Everything is checked before anything is changed: a run that cannot be resumed stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope resume latest
  mammoscope resume 2026-11-23T10-15-02_CC_R_seed
  Whatever failed or was interrupted in a study:
    mammoscope resume 2026-11-23T10-15-02_modern_7f3a
  Another fifty epochs on top of a hundred:
    mammoscope resume latest --epochs 150 --detach
  The data set was moved, and the patience was too short:
    mammoscope resume latest --data /new/place/mammograms --set early_stop=30")]
pub(super) struct ResumeArguments {
    /// A run's name or a prefix of it, its path, the id of a group or a study, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    changes: ChangeArguments,
    #[command(flatten)]
    follow: FollowArguments,
}

pub(super) fn run(arguments: &ResumeArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let request = arguments.changes.request()?;
    let new_root = arguments.changes.new_root()?;
    let selection = find_runs(&Workspace::open_to_read(workspace)?, &arguments.run)?;
    let in_foreground = arguments.follow.in_foreground();
    let in_job = in_foreground && JobEnvironment::current().is_some();
    let by = if in_job { ResumedBy::Job } else { ResumedBy::User };
    let mut sorted = SortedRuns::of(&selection, &request, by)?;
    sorted.report(console);
    // Everything is verified before anything is changed.
    let interruption = if in_foreground { None } else { Some(Interruption::watch()?) };
    let interrupted = || interruption.as_ref().is_some_and(Interruption::requested);
    let to_move = sorted.to_resume.iter().map(|(run, ..)| run);
    let to_move = to_move.chain(sorted.complete.iter().map(|(run, ..)| run).filter(|_| new_root.is_some()));
    let moved = MovedData::verify(to_move, new_root.as_deref(), Cancellation::new(&interrupted), console)?;
    if sorted.to_resume.is_empty() {
        if !moved.is_empty() {
            moved.record(console)?;
            return Ok(Outcome::Done);
        }
        return sorted.nothing_to_resume(in_foreground);
    }
    let engine = locate_engine()?.path;
    check_gpus(sorted.to_resume.iter().map(|(_, device, _)| *device), &engine)?;
    if !arguments.follow.follows() {
        report_rate_changes(&sorted.to_resume, &request, console);
    }
    let is_moved = !moved.is_empty();
    moved.record(console)?;
    let to_resume = std::mem::take(&mut sorted.to_resume);
    // Requests that came while a job waited are for the trainer that starts now.
    if !in_job {
        withdraw_requests(&to_resume)?;
    }
    if in_foreground {
        let runs: Vec<RunDir> = to_resume.into_iter().map(|(run, ..)| run).collect();
        let error = become_trainer(&engine, &runs, &request.changes);
        return Err(error).with_context(|| format!("start the engine {}", printable_path(&engine)));
    }
    let shares = trainer_shares(to_resume);
    let started = start_trainers(&engine, shares, &request.changes, Cancellation::new(&interrupted), &mut |_| {});
    started.report_failures(console);
    if started.running.is_empty() {
        let is_taken = started.failed.iter().any(|(_, error)| matches!(error, TrainerError::Taken { .. }));
        anyhow::bail!(match (is_moved, is_taken) {
            (true, _) => "nothing was resumed; only the new place of the data was recorded",
            (false, true) => "nothing was resumed here",
            (false, false) => "nothing was resumed; the runs are unchanged",
        });
    }
    if !arguments.follow.follows() {
        print_paths(&started.running)?;
    }
    let followed = started.follow(arguments.follow, console)?;
    Ok(if started.failed.is_empty() { followed } else { Outcome::Failed })
}

/// Runs by what `resume` can do with them.
#[derive(Default)]
struct SortedRuns {
    is_single: bool,
    to_resume: Vec<(RunDir, DeviceChoice, usize)>,
    /// With the number of their epochs, and what is said of them.
    complete: Vec<(RunDir, u32, String)>,
    occupied: Vec<RunDir>,
}

impl SortedRuns {
    /// Checks all runs; an error of one of them is that of all.
    fn of(selection: &RunSelection, request: &ResumeRequest, by: ResumedBy) -> anyhow::Result<Self> {
        let mut sorted = Self { is_single: selection.runs.len() == 1, ..Self::default() };
        for run in &selection.runs {
            let run = run.clone();
            match resumable(&run, request, by).map_err(|error| of_selection(error, selection))? {
                Resumable::Occupied { reason } if sorted.is_single => anyhow::bail!(reason),
                Resumable::Occupied { .. } => sorted.occupied.push(run),
                Resumable::Complete { epochs, reason } => {
                    let text = Resumable::complete_text(epochs, reason.as_deref());
                    sorted.complete.push((run, epochs, text));
                }
                Resumable::On { device, jobs } => sorted.to_resume.push((run, device, jobs)),
            }
        }
        Ok(sorted)
    }

    fn report(&self, console: &Console) {
        if self.is_single || self.complete.len() <= MAX_NAMED {
            for (run, _, text) in &self.complete {
                console.note(format!("{} is {text}", printable(&run.name())));
            }
        } else {
            console.note(format!("{} complete", counted_as(self.complete.len(), "run is", "runs are")));
        }
        if !self.occupied.is_empty() {
            let runs = counted_as(self.occupied.len(), "run is", "runs are");
            console.note(format!("{runs} being trained or queued, and left alone"));
        }
    }

    fn nothing_to_resume(&self, in_foreground: bool) -> anyhow::Result<Outcome> {
        if !self.occupied.is_empty() {
            anyhow::bail!("there is nothing to resume yet; `mammoscope control RUN stop` ends a run that is active");
        }
        if in_foreground {
            // A job that is started again after the end of its run has done its work.
            return Ok(Outcome::Done);
        }
        let most = self.complete.iter().map(|(_, epochs, _)| *epochs).max().unwrap_or(0);
        let message = format!("there is nothing to resume; --epochs with more than {most} continues the training");
        Err(WrongUse(message).into())
    }
}

/// An error of a run, with advice for all runs that were named.
pub(super) fn of_selection(error: anyhow::Error, selection: &RunSelection) -> anyhow::Error {
    let id = selection.study.as_ref().or(selection.group.as_ref());
    match (error.downcast::<DataGone>(), id) {
        (Ok(gone), Some(id)) => gone.of_group(id).into(),
        (Ok(gone), None) => gone.into(),
        (Err(error), _) => error,
    }
}

/// Reports jumps of the learning rate, each once.
fn report_rate_changes(runs: &[(RunDir, DeviceChoice, usize)], request: &ResumeRequest, console: &Console) {
    let Some(epochs) = request.changes.epochs else { return };
    let changes = runs.iter().filter_map(|(run, ..)| rate_change(run, epochs));
    for change in changes.map(|change| change.to_string()).collect::<BTreeSet<_>>() {
        console.warn(change);
    }
}

fn withdraw_requests(runs: &[(RunDir, DeviceChoice, usize)]) -> anyhow::Result<()> {
    for (run, ..) in runs {
        RunRequests::new(run)
            .withdraw_all()
            .with_context(|| format!("withdraw earlier requests to {}", printable(&run.name())))?;
    }
    Ok(())
}
