//! Forced ends of runs: a trainer is killed, or one that disappeared is recorded as ended.

use std::fmt;

use anyhow::{Context as _, bail};
use chrono::Utc;
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster_job::{cancel_job, stop_waiting};
use crate::resumption::lock_when_free;
use crate::snapshot::{RunSnapshot, current_condition};
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::run::run_condition::{ProcessEvidence, Staleness};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::process_evidence::{host_name, process_evidence};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// The way in which a trainer was ended by force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForcedEnd {
    /// This process was killed.
    Killed(u32),
    /// This Slurm task was cancelled: its trainer gets SIGTERM, and is killed if it does not end soon.
    Cancelled(TaskId),
}

impl fmt::Display for ForcedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(pid) => write!(f, "its trainer, process {pid}, was killed"),
            Self::Cancelled(task) => write!(f, "its Slurm job {task} was cancelled"),
        }
    }
}

/// Ends a run by force: cancels its Slurm job, or kills its trainer at once, without a checkpoint.
pub fn end_by_force(run: &RunDir) -> anyhow::Result<ForcedEnd> {
    if let Some((task, _)) = stop_waiting(run)? {
        return Ok(ForcedEnd::Cancelled(task));
    }
    match cancel_job(run)? {
        Some(task) => Ok(ForcedEnd::Cancelled(task)),
        None => kill_trainer(run).map(ForcedEnd::Killed),
    }
}

/// Kills the trainer of a run at once, without a checkpoint, and returns its process ID. Fails if the process is on another
/// host, no longer exists, or is a different process with the same ID.
pub fn kill_trainer(run: &RunDir) -> anyhow::Result<u32> {
    let status = read_status(&run.status())?;
    let pid = status.pid.context("the run's status names no process")?;
    match (process_evidence(&status), &status.host) {
        (ProcessEvidence::Alive, _) => {}
        (ProcessEvidence::Unknown, Some(host)) if *host != host_name() => {
            bail!("its trainer is process {pid} on {}: it can only be killed there", printable(host))
        }
        _ => bail!("its trainer, process {pid}, no longer exists"),
    }
    if status.state.is_over() || status.state == RunPhase::Queued {
        bail!("no trainer is working on it: it is {}", status.state);
    }
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a valid process ID")?;
    kill_process(process, Signal::KILL).with_context(|| format!("kill process {pid}"))?;
    Ok(pid)
}

/// Records that a stale run was interrupted, so that it counts as ended; it can still be resumed. Fails if a trainer holds
/// the run, or if it is not stale.
pub fn mark_ended(run: &RunDir) -> anyhow::Result<()> {
    // Taken first, so that nothing changes after the check.
    let _lock = lock_when_free(run)?;
    let condition = current_condition(run)?;
    let Some(stale) = condition.stale else { bail!("it is {condition}: there is nothing to mark") };
    let reason = match stale {
        Staleness::ProcessGone => "its process was gone",
        Staleness::HostRestarted => "its host was restarted",
        Staleness::Hanging => "its process hung",
        Staleness::Silent => "its host was silent",
    };
    let step = RunSnapshot::read(run.clone()).summary().step;
    let (state, reason) = (RunPhase::Interrupted, Some(format!("marked as ended: {reason}")));
    let mut status = read_status(&run.status())?;
    let kind = RunEventKind::Ended { state, reason: reason.clone(), step };
    EventLog::open(&run.events())
        .and_then(|mut log| log.append(&RunEvent { time: Utc::now(), kind }))
        .with_context(|| format!("write to {}", printable_path(&run.events())))?;
    (status.state, status.reason, status.updated) = (state, reason, Utc::now());
    (status.eta_s, status.images_per_s) = (None, None);
    write_status(&run.status(), &status).with_context(|| format!("write to {}", printable_path(&run.status())))
}
