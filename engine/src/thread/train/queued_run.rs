//! Queued runs: their status, and their end if they are never started.

use chrono::Utc;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::AcknowledgedRequest;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::process_evidence::{boot_id, host_name};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_requests::{PendingRequest, RunRequests};
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// Locks a run and marks it as queued by this process. The program that started the trainer may exit before the run
/// starts, and if the trainer dies, readers can tell by the lock that the run is stale. `None` if another trainer holds
/// the run: the status belongs to that one, and the conflict is reported when the run starts.
pub(super) fn mark_queued(run: &RunDir) -> Option<RunLock> {
    let lock = RunLock::acquire(run).ok()?;
    // An unreadable status is of no use to anyone; the run writes a new one when it starts.
    let Ok(status) = read_status(&run.status()) else { return Some(lock) };
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
        tracing::warn!("the status of {} was not written: {error}", run.name());
    }
    Some(lock)
}

/// Renews the heartbeat of a queued run.
pub(super) fn renew_heartbeat(run: &RunDir) {
    if let Ok(mut status) = read_status(&run.status())
        && status.state == RunPhase::Queued
    {
        status.heartbeat = Utc::now();
        if let Err(error) = write_status(&run.status(), &status) {
            tracing::warn!("the status of {} was not written: {error}", run.name());
        }
    }
}

/// Ends a run that is asked to stop while it is queued.
pub(super) fn stop_queued(run: &RunDir, lock: Option<RunLock>, request: &PendingRequest) {
    end_queued(run, lock, RunPhase::Stopped, "on request, before it started", Some(request.request.verb));
    // If the request cannot be removed it is found again, but has no effect any more.
    let _ = RunRequests::new(run).remove(request);
}

/// Ends a run that was still queued when the trainer was interrupted.
pub(super) fn mark_interrupted(run: &RunDir, lock: Option<RunLock>) {
    end_queued(run, lock, RunPhase::Interrupted, "the trainer was interrupted before the run started", None);
}

fn end_queued(run: &RunDir, lock: Option<RunLock>, state: RunPhase, reason: &str, request: Option<RequestVerb>) {
    let write = || -> anyhow::Result<()> {
        let _lock = lock.map_or_else(|| RunLock::acquire(run), Ok)?;
        let mut log = EventLog::open(&run.events())?;
        let step = read_status(&run.status()).map_or(0, |status| status.step);
        let acknowledged = request.map(|verb| RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step }));
        let ended = RunEventKind::Ended { state, reason: Some(reason.to_owned()), step };
        for kind in acknowledged.into_iter().chain([ended]) {
            log.append(&RunEvent { time: Utc::now(), kind })?;
        }
        let mut status = read_status(&run.status())?;
        let now = Utc::now();
        (status.state, status.reason, status.heartbeat, status.updated) = (state, Some(reason.to_owned()), now, now);
        Ok(write_status(&run.status(), &status)?)
    };
    if let Err(error) = write() {
        tracing::warn!("{}: {}", run.name(), run.in_shown_paths(&format!("{error:#}")));
    }
}
