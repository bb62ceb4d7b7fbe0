//! The end of a run by force: its trainer is killed, or one that left without a word is recorded as gone.

use anyhow::{Context as _, bail};
use chrono::Utc;
use rustix::process::{Pid, Signal, kill_process};

use crate::resumption::lock_when_free;
use crate::snapshot::{RunSnapshot, current_condition};
use mammoscope_domain::run::run_condition::{ProcessEvidence, Staleness};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::process_evidence::{host_name, process_evidence};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// Kills the trainer that works on a run, at once and without a checkpoint; gives its process. An error where it is on
/// another host, is not there any more, or has only got the number of a process that was.
pub fn kill_trainer(run: &RunDir) -> anyhow::Result<u32> {
    let status = read_status(&run.status())?;
    let pid = status.pid.context("the run does not tell its process")?;
    match (process_evidence(&status), &status.host) {
        (ProcessEvidence::Alive, _) => {}
        (ProcessEvidence::Unknown, Some(host)) if *host != host_name() => {
            bail!("its trainer is process {pid} on {}: it can only be killed there", printable(host))
        }
        _ => bail!("its trainer, process {pid}, is not there any more"),
    }
    if status.state.is_over() || status.state == RunPhase::Queued {
        bail!("no trainer works on it: it is {}", status.state);
    }
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw).context("no process has this number")?;
    kill_process(process, Signal::KILL).with_context(|| format!("kill process {pid}"))?;
    Ok(pid)
}

/// Records of a stale run that it was interrupted, so that it counts as over; it can still be resumed. An error where a
/// trainer holds it, or where it is not stale.
pub fn mark_ended(run: &RunDir) -> anyhow::Result<()> {
    // Taken first: what is looked at behind it stays as it is.
    let _lock = lock_when_free(run)?;
    let condition = current_condition(run)?;
    let Some(stale) = condition.stale else { bail!("it is {condition}: there is nothing to mark") };
    let reason = match stale {
        Staleness::ProcessGone => "its process was gone",
        Staleness::HostRestarted => "its host was restarted",
        Staleness::Hanging => "its process hung",
        Staleness::Silent => "its host gave no word",
    };
    let step = RunSnapshot::read(run.clone()).state().step;
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
