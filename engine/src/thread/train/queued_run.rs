//! Runs that wait for their turn: their status, and their end where the turn does not come.

use chrono::Utc;
use mammoscope_domain::run::run_event::{RequestVerb, RunEvent, RunEventKind};
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::process_evidence::{boot_id, host_name};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_requests::{PendingRequest, RunRequests};
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// Says in the status of a run that it is this process which will come to it: whoever started the trainer may be gone by
/// then, and when the trainer dies the run is known to be stale.
pub(super) fn queue_up(run: &RunDir) {
    // Where another trainer is at work on it, the status is that one's; it will be found out when its turn comes.
    let Ok(_lock) = RunLock::acquire(run) else { return };
    // A status that cannot be read tells nobody anything; the turn writes a new one.
    let Ok(status) = read_status(&run.status()) else { return };
    let now = Utc::now();
    let queued = RunStatus {
        state: RunPhase::Queued,
        reason: None,
        pid: Some(std::process::id()),
        host: Some(host_name()),
        boot_id: boot_id(),
        images_per_s: None,
        eta_s: None,
        heartbeat: now,
        updated: now,
        ..status
    };
    if let Err(error) = write_status(&run.status(), &queued) {
        tracing::warn!("status of {} not written: {error}", run.name());
    }
}

/// Says that a run still waits for its turn.
pub(super) fn keep_queued_alive(run: &RunDir) {
    if let Ok(mut status) = read_status(&run.status())
        && status.state == RunPhase::Queued
    {
        status.heartbeat = Utc::now();
        if let Err(error) = write_status(&run.status(), &status) {
            tracing::warn!("status of {} not written: {error}", run.name());
        }
    }
}

/// A run that is asked to stop before its turn.
pub(super) fn stop_queued(run: &RunDir, request: &PendingRequest) {
    end_queued(run, RunPhase::Stopped, "as a request asked, before its turn", Some(request.request.verb));
    // One that cannot be removed is found again, and means nothing any more.
    let _ = RunRequests::new(run).remove(request);
}

/// A run whose turn does not come, since the trainer was asked to end.
pub(super) fn mark_interrupted(run: &RunDir) {
    end_queued(run, RunPhase::Interrupted, "the trainer was ended before its turn", None);
}

fn end_queued(run: &RunDir, state: RunPhase, reason: &str, asked: Option<RequestVerb>) {
    let written = || -> anyhow::Result<()> {
        let _lock = RunLock::acquire(run)?;
        let mut log = EventLog::open(&run.events())?;
        let step = read_status(&run.status()).map_or(0, |status| status.step);
        let acknowledged = asked.map(|verb| RunEventKind::RequestAcknowledged { verb, step });
        let ended = RunEventKind::Ended { state, reason: Some(reason.to_owned()), step };
        for kind in acknowledged.into_iter().chain([ended]) {
            log.append(&RunEvent { time: Utc::now(), kind })?;
        }
        let mut status = read_status(&run.status())?;
        let now = Utc::now();
        (status.state, status.reason, status.heartbeat, status.updated) = (state, Some(reason.to_owned()), now, now);
        Ok(write_status(&run.status(), &status)?)
    };
    if let Err(error) = written() {
        tracing::warn!("{}: {error:#}", run.name());
    }
}
