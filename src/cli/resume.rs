//! `mammoscope resume`: continues runs that were interrupted, stopped or killed.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Outcome, WrongUse};
use super::interruption::Interruption;
use super::trainer_start::{FollowArguments, StartedTrainersExt as _, print_paths};
use mammoscope_cluster::job_environment::JobEnvironment;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::foreground_trainer::become_trainer;
use mammoscope_runs::resumption::{Resumable, ResumedBy, resumable, trainer_shares};
use mammoscope_runs::training_start::start_trainers;
use mammoscope_storage::runs::run_catalog::find_runs;
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
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope resume latest
  mammoscope resume 2026-11-23T10-15-02_CC_R_seed
  Whatever failed or was interrupted in a study:
    mammoscope resume 2026-11-23T10-15-02_modern_7f3a
  Another fifty epochs on top of a hundred:
    mammoscope resume latest --epochs 150 --detach")]
pub(super) struct ResumeArguments {
    /// A run's name or a prefix of it, its path, the id of a group or a study, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Train for this many epochs in total, instead of the number set at the start
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    #[command(flatten)]
    follow: FollowArguments,
}

pub(super) fn run(arguments: &ResumeArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let selection = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    let is_single = selection.runs.len() == 1;
    let mut to_resume: Vec<(RunDir, DeviceChoice, usize)> = Vec::new();
    let (mut complete, mut occupied) = (Vec::new(), Vec::new());
    let in_foreground = arguments.follow.in_foreground();
    let in_job = in_foreground && JobEnvironment::current().is_some();
    let by = if in_job { ResumedBy::Job } else { ResumedBy::User };
    for run in selection.runs {
        match resumable(&run, arguments.epochs, by)? {
            Resumable::Occupied { reason } if is_single => anyhow::bail!(reason),
            Resumable::Occupied { .. } => occupied.push(run),
            Resumable::Complete { epochs, reason } => {
                complete.push((run, epochs, Resumable::complete_text(epochs, reason.as_deref())));
            }
            Resumable::On { device, jobs } => to_resume.push((run, device, jobs)),
        }
    }
    if is_single || complete.len() <= MAX_NAMED {
        for (run, _, text) in &complete {
            console.note(format!("{} is {text}", printable(&run.name())));
        }
    } else {
        console.note(format!("{} complete", counted_as(complete.len(), "run is", "runs are")));
    }
    if !occupied.is_empty() {
        let runs = counted_as(occupied.len(), "run is", "runs are");
        console.note(format!("{runs} being trained or queued, and left alone"));
    }
    if to_resume.is_empty() {
        if !occupied.is_empty() {
            anyhow::bail!("there is nothing to resume yet; `mammoscope control RUN stop` ends a run that is active");
        }
        if in_foreground {
            // A job that is started again after the end of its run has done its work.
            return Ok(Outcome::Done);
        }
        let most = complete.iter().map(|(_, epochs, _)| *epochs).max().unwrap_or(0);
        let message = format!("there is nothing to resume; --epochs with more than {most} continues the training");
        return Err(WrongUse(message).into());
    }
    let engine = locate_engine()?.path;
    if in_foreground {
        // Requests that came while a job waited are for the trainer that starts now.
        if !in_job {
            withdraw_requests(&to_resume)?;
        }
        let runs: Vec<RunDir> = to_resume.into_iter().map(|(run, ..)| run).collect();
        let error = become_trainer(&engine, &runs, arguments.epochs);
        return Err(error).with_context(|| format!("start the engine {}", printable_path(&engine)));
    }
    let interruption = Interruption::watch()?;
    withdraw_requests(&to_resume)?;
    let shares = trainer_shares(to_resume);
    let started =
        start_trainers(&engine, shares, arguments.epochs, Cancellation::new(&|| interruption.requested()), &mut |_| {});
    started.report_failures(console);
    if started.running.is_empty() {
        anyhow::bail!("nothing was resumed; the runs are unchanged");
    }
    if !arguments.follow.follows() {
        print_paths(&started.running)?;
    }
    let followed = started.follow(arguments.follow, console)?;
    Ok(if started.failed.is_empty() { followed } else { Outcome::Failed })
}

fn withdraw_requests(runs: &[(RunDir, DeviceChoice, usize)]) -> anyhow::Result<()> {
    for (run, ..) in runs {
        RunRequests::new(run)
            .withdraw_all()
            .with_context(|| format!("withdraw earlier requests to {}", printable(&run.name())))?;
    }
    Ok(())
}
