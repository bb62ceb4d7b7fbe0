//! Forced ends of runs: a trainer is killed, or one that disappeared is recorded as ended.

use std::fmt;

use anyhow::{Context as _, bail};
use chrono::Utc;
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::cluster_job::{cancel_job, stop_waiting};
use crate::condition::current_condition;
use crate::resumption::lock_when_free;
use crate::snapshot::RunSnapshot;
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_condition::Staleness;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::lock_holder::{LockHolder, lock_holder};
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// The way in which a trainer was ended by force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForcedEnd {
    /// This process was killed.
    Killed(u32),
    /// This Slurm task was cancelled: its trainer gets SIGTERM, and is killed if it does not end soon.
    Cancelled(TaskId),
    /// No process could be proved to be the trainer, for this reason, so the trainer was asked to stop.
    Asked(String),
}

impl fmt::Display for ForcedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(pid) => write!(f, "its trainer, process {pid}, was killed"),
            Self::Cancelled(task) => write!(f, "its Slurm job {task} was cancelled"),
            Self::Asked(reason) => write!(f, "{reason}; it was asked to stop instead"),
        }
    }
}

/// Ends a run by force: cancels its Slurm job, or kills its trainer at once, without a checkpoint. A trainer that cannot
/// be seen from here is asked to stop.
///
/// # Errors
/// If no trainer works on the run, or the system refuses.
pub fn end_by_force(run: &RunDir) -> anyhow::Result<ForcedEnd> {
    if let Some((task, _)) = stop_waiting(run)? {
        return Ok(ForcedEnd::Cancelled(task));
    }
    if let Some(task) = cancel_job(run)? {
        return Ok(ForcedEnd::Cancelled(task));
    }
    kill_trainer(run)
}

/// Kills the trainer of a run at once, without a checkpoint: the process that holds the run's lock. The process ID in the
/// run's status is only a hint, for it may be that of a stranger. A trainer on another host, in another container, or of
/// another user cannot be seen; it is asked to stop.
///
/// # Errors
/// If no process holds the lock, as after the trainer's end or in a copy of a run, or the system refuses.
pub fn kill_trainer(run: &RunDir) -> anyhow::Result<ForcedEnd> {
    let status = read_status(&run.status())?;
    if status.state.is_over() || status.state == RunPhase::Queued {
        bail!("no trainer is working on it: it is {}", status.state);
    }
    let here = status.pid.filter(|_| status.host.as_deref() == Some(host_name().as_str()));
    let holder = || lock_holder(run, here).with_context(|| format!("examine {}", printable_path(&run.lock())));
    match holder()? {
        LockHolder::Process(pid) => {
            kill_process_if(pid, &|| Ok(holder()? == LockHolder::Process(pid)))?;
            Ok(ForcedEnd::Killed(pid))
        }
        LockHolder::Free => {
            bail!("no trainer holds it: its lock is free, as after a trainer's end or in a copy of a run")
        }
        LockHolder::Unseen => {
            RunRequest::new(RequestVerb::Stop)
                .write(run)
                .with_context(|| format!("write to {}", printable_path(&run.requests())))?;
            Ok(ForcedEnd::Asked(unseen_text(&status)))
        }
    }
}

/// Kills a process if it is still the trainer.
fn kill_process_if(pid: u32, is_trainer: &dyn Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a valid process ID")?;
    // The descriptor stays with the process, even if its number is given to another one meanwhile.
    #[cfg(target_os = "linux")]
    let descriptor = pidfd_open(process, PidfdFlags::empty());
    if !is_trainer()? {
        bail!("its trainer, process {pid}, has just ended");
    }
    #[cfg(target_os = "linux")]
    let killed = match descriptor {
        Ok(descriptor) => pidfd_send_signal(descriptor, Signal::KILL),
        // Before Linux 5.3.
        Err(Errno::NOSYS) => kill_process(process, Signal::KILL),
        Err(error) => Err(error),
    };
    #[cfg(not(target_os = "linux"))]
    let killed = kill_process(process, Signal::KILL);
    killed.with_context(|| format!("kill process {pid}"))
}

/// The reason why the process of a trainer cannot be killed from here.
fn unseen_text(status: &RunStatus) -> String {
    let process = status.pid.map_or_else(|| "its trainer".to_owned(), |pid| format!("its trainer, process {pid}"));
    match &status.host {
        Some(host) if *host != host_name() => format!("{process} on {}, can only be killed there", printable(host)),
        _ => format!("{process} of another container or user, cannot be seen from here"),
    }
}

/// Records that a stale run was interrupted, so that it counts as ended; it can still be resumed. Fails if a trainer holds
/// the run, or if it is not stale.
pub fn mark_ended(run: &RunDir) -> anyhow::Result<()> {
    let condition = current_condition(run)?;
    // Checked before: a lock of this process would count as that of a trainer.
    let seen = read_status(&run.status())?.heartbeat;
    let _lock = lock_when_free(run)?;
    let Some(stale) = condition.stale else { bail!("it is {condition}: there is nothing to mark") };
    let reason = match stale {
        Staleness::ProcessGone => "its process was gone",
        Staleness::NoTrainer => "no trainer held it",
        Staleness::HostRestarted => "its host was restarted",
        Staleness::Hanging => "its process hung",
        Staleness::Silent => "its host was silent",
    };
    let step = RunSnapshot::read(run.clone()).summary().step;
    let (state, reason) = (RunPhase::Interrupted, Some(format!("marked as ended: {reason}")));
    let mut status = read_status(&run.status())?;
    if status.heartbeat != seen {
        bail!("a trainer has just worked on it: there is nothing to mark");
    }
    let kind = RunEventKind::Ended { state, reason: reason.clone(), step };
    EventLog::open(&run.events())
        .and_then(|mut log| log.append(&RunEvent { time: Utc::now(), kind }))
        .with_context(|| format!("write to {}", printable_path(&run.events())))?;
    (status.state, status.reason, status.updated) = (state, reason, Utc::now());
    (status.eta_s, status.images_per_s) = (None, None);
    write_status(&run.status(), &status).with_context(|| format!("write to {}", printable_path(&run.status())))
}
