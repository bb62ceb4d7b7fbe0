//! `mammoscope resume`: a training that was interrupted, stopped or killed goes on.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Outcome, WrongUse};
use super::interruption::Interruption;
use super::trainer_start::{FollowArguments, TrainersAtWork as _};
use crate::client::engine_location::locate_engine;
use crate::client::run_snapshot::current_condition;
use crate::client::training_start::start_trainers;
use crate::domain::compute_options::DeviceChoice;
use crate::domain::printable::{printable, printable_path};
use crate::domain::run_spec::RunSpec;
use crate::domain::run_status::RunPhase;
use crate::storage::run_catalog::find_runs;
use crate::storage::run_dir::RunDir;
use crate::storage::run_lock::{RunLock, RunLockError};
use crate::storage::run_requests::RunRequests;
use crate::storage::run_spec_file::read_run_spec;
use crate::storage::run_status_file::read_status;
use crate::storage::workspace::Workspace;

/// How long the trainer of a run that is over may take to leave it, and how often that is looked at.
const LEAVING: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(20);

/// Go on with a training that was interrupted, stopped or killed
///
/// It goes on behind its last checkpoint, exactly as if it had not been interrupted; a run that has none yet begins anew.
/// Runs of a group that are complete are left as they are, unless --epochs asks for more than they have.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope resume latest
  mammoscope resume 2026-11-23T10-15-02_CC_R_seed
  Another fifty epochs on top of a hundred:
    mammoscope resume latest --epochs 150 --detach")]
pub(super) struct ResumeArguments {
    /// A run or a group: name, beginning of a name, path, or latest
    #[arg(value_name = "RUN")]
    run: String,
    /// Train to this many epochs instead of those that were asked for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    #[command(flatten)]
    follow: FollowArguments,
}

pub(super) fn run(arguments: &ResumeArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let selection = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    let mut to_resume: Vec<(DeviceChoice, Vec<RunDir>)> = Vec::new();
    let mut complete = Vec::new();
    for run in selection.runs {
        match resumable(&run, arguments.epochs)? {
            Resumable::Complete { epochs } => complete.push((run, epochs)),
            Resumable::On(device) => match to_resume.iter_mut().find(|(other, _)| *other == device) {
                Some((_, share)) => share.push(run),
                None => to_resume.push((device, vec![run])),
            },
        }
    }
    for (run, epochs) in &complete {
        console.remark(format!("{} is complete with {epochs} epochs", printable(&run.name())));
    }
    if to_resume.is_empty() {
        let most = complete.iter().map(|(_, epochs)| *epochs).max().unwrap_or(0);
        let message = format!("there is nothing to resume; --epochs with more than {most} trains on");
        return Err(WrongUse(message).into());
    }
    let engine = locate_engine()?.path;
    let interruption = Interruption::watch()?;
    for run in to_resume.iter().flat_map(|(_, share)| share) {
        RunRequests::new(run)
            .withdraw_all()
            .with_context(|| format!("withdraw what was asked of {} before", printable(&run.name())))?;
    }
    let shares = to_resume.into_iter().map(|(_, share)| share).collect();
    let started = start_trainers(&engine, shares, arguments.epochs, &|| interruption.requested());
    started.report_failures(console);
    if started.at_work.is_empty() {
        anyhow::bail!("nothing was resumed; the runs are as they were");
    }
    let followed = started.follow_or_print(arguments.follow, true, console)?;
    Ok(if started.failed.is_empty() { followed } else { Outcome::Failed })
}

/// What can be done with a run.
enum Resumable {
    /// It has all the epochs that are asked for.
    Complete { epochs: u32 },
    /// A trainer can take it up there.
    On(DeviceChoice),
}

/// The lock of a run; of one that is over, its trainer may be about to let go of it.
fn lock_when_free(run: &RunDir) -> Result<RunLock, RunLockError> {
    let begun = Instant::now();
    loop {
        let is_leaving = || read_status(&run.status()).is_ok_and(|status| status.state.is_over());
        match RunLock::acquire(run) {
            Err(RunLockError::Held { .. }) if begun.elapsed() < LEAVING && is_leaving() => thread::sleep(GLANCE),
            other => return other,
        }
    }
}

/// Finds out whether a run can be resumed; an error where a trainer is at work on it, or where it is damaged.
fn resumable(run: &RunDir, epochs: Option<u32>) -> anyhow::Result<Resumable> {
    let name = printable(&run.name());
    let RunSpec { device, config, .. } =
        read_run_spec(&run.spec()).with_context(|| format!("read {}", printable_path(&run.spec())))?;
    // The lock is the last word; the status also knows of runs that wait for a trainer.
    match lock_when_free(run) {
        Ok(_) => {}
        Err(error @ RunLockError::Held { .. }) => {
            anyhow::bail!("{name}: {error}; `mammoscope control {name} stop` ends it first")
        }
        Err(error @ RunLockError::Io { .. }) => anyhow::bail!("{name}: {error}; a trainer must be able to write there"),
    }
    // Without a status the trainer finds out by itself how far the run is.
    let (Ok(status), Ok(condition)) = (read_status(&run.status()), current_condition(run)) else {
        return Ok(Resumable::On(device));
    };
    if condition.stale.is_none() && !condition.phase.is_over() {
        anyhow::bail!("{name} is {condition}: its trainer has not come to it yet; nothing needs to be resumed");
    }
    let asked = status.epochs.max(config.epochs);
    Ok(match epochs {
        Some(epochs) if epochs <= status.epoch && status.state == RunPhase::Completed => {
            Resumable::Complete { epochs: status.epoch }
        }
        None if status.state == RunPhase::Completed => Resumable::Complete { epochs: asked },
        _ => Resumable::On(device),
    })
}
