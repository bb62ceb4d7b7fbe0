//! The evidence for the trainer of a run: the lock on the run directory first, and what a status says as a hint.
//!
//! Process IDs belong to a PID namespace, `/proc` may be hidden, and files can be copied; the lock on this very file can
//! not. It decides wherever a trainer's lock would be seen from here: for a trainer under the same kernel, and on a file
//! system of this machine. For one on another host, the heartbeat has to tell.

use std::thread;
use std::time::{Duration, Instant};

use super::process_evidence::{ProcessHint, boot_id, host_name, process_hint};
use super::run_dir::RunDir;
use super::run_lock::{LockState, lock_state};
use super::run_status_file::read_status;
use crate::file_system::is_local;
use mammoscope_domain::run::run_condition::TrainerEvidence;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};

/// The time in which a heartbeat moves if a trainer is at work: several intervals.
const WATCH: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Looks for the trainer of a run with this status. Changes nothing, and needs no permission to write.
#[must_use]
pub fn trainer_evidence(run: &RunDir, status: &RunStatus) -> TrainerEvidence {
    if status.state.is_over() {
        return TrainerEvidence::Unknown;
    }
    let hint = process_hint(status);
    let without_trainer = || match hint {
        ProcessHint::HostRestarted => TrainerEvidence::HostRestarted,
        ProcessHint::NotSeen => TrainerEvidence::Gone,
        ProcessHint::Exists | ProcessHint::Unknown => TrainerEvidence::Unheld,
    };
    if run.lease().exists() {
        // Its trainer is on a host on which this file system has no locks.
        return TrainerEvidence::Unknown;
    }
    match lock_state(run) {
        Ok(LockState::Held) => TrainerEvidence::Alive,
        // It waits for a job of the cluster.
        Ok(_) if status.state == RunPhase::Queued && status.pid.is_none() => TrainerEvidence::Unknown,
        // No trainer has locked it so far; a program that starts one exists for a while longer.
        Ok(LockState::Never) => match hint {
            ProcessHint::Exists => TrainerEvidence::Alive,
            ProcessHint::Unknown => TrainerEvidence::Unknown,
            ProcessHint::NotSeen | ProcessHint::HostRestarted => without_trainer(),
        },
        Ok(LockState::Free) if is_same_boot(status) || is_local(run.path()) => without_trainer(),
        Ok(LockState::Free) | Err(_) => TrainerEvidence::Unknown,
    }
}

/// Waits to see if the heartbeat of a run moves although this process holds its lock: some file systems keep locks to each
/// host. Returns the other trainer's host if it does. Does not wait where locks reach everyone who can see the file.
#[must_use]
pub fn trained_elsewhere(run: &RunDir) -> Option<String> {
    let status = read_status(&run.status()).ok()?;
    let host = status.host.clone().filter(|host| *host != host_name())?;
    if status.state.is_over() || status.state == RunPhase::Queued || is_local(run.path()) {
        return None;
    }
    let start = Instant::now();
    while start.elapsed() < WATCH {
        thread::sleep(POLL_INTERVAL);
        if read_status(&run.status()).is_ok_and(|now| now.heartbeat != status.heartbeat) {
            return Some(host);
        }
    }
    None
}

/// True if the trainer ran under the kernel that this process runs under, as far as is known.
fn is_same_boot(status: &RunStatus) -> bool {
    let is_same_host = status.host.as_deref() == Some(host_name().as_str());
    is_same_host && (status.boot_id.is_none() || boot_id().is_none() || status.boot_id == boot_id())
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::runs::run_lock::RunLock;
    use mammoscope_domain::run::run_status::STATUS_SCHEMA;
    use mammoscope_domain::subject::view::View;

    fn status(state: RunPhase, pid: Option<u32>) -> RunStatus {
        RunStatus {
            schema: STATUS_SCHEMA,
            state,
            reason: None,
            pid,
            host: pid.map(|_| host_name()),
            boot_id: boot_id(),
            group: String::new(),
            view: View::CcR,
            step: 0,
            steps_per_epoch: 1,
            epoch: 0,
            epochs: 1,
            best: None,
            images_per_s: None,
            eta_s: None,
            heartbeat: Utc::now(),
            updated: Utc::now(),
        }
    }

    #[test]
    fn the_lock_decides_and_the_process_is_a_hint() {
        use TrainerEvidence::{Alive, Gone, HostRestarted, Unheld, Unknown};

        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let own = std::process::id();
        // No process has this number: it is above the largest that Linux assigns.
        let none = 4_194_999;
        let running = |pid| status(RunPhase::Running, Some(pid));
        let evidence = |status: &RunStatus| trainer_evidence(&run, status);
        // A run that was never locked may be about to get its first trainer.
        assert_eq!(evidence(&status(RunPhase::Queued, Some(own))), Alive);
        assert_eq!(evidence(&status(RunPhase::Queued, Some(none))), Gone);
        assert_eq!(evidence(&status(RunPhase::Queued, None)), Unknown, "it waits for a job of the cluster");

        // A trainer whose process cannot be seen, as in another container, holds the lock.
        let lock = RunLock::acquire(&run).unwrap();
        for status in [running(own), running(none), status(RunPhase::Queued, Some(none))] {
            assert_eq!(evidence(&status), Alive);
        }
        drop(lock);
        // A process that holds another run's lock, or none, is not this run's trainer.
        assert_eq!(evidence(&running(own)), Unheld);
        assert_eq!(evidence(&running(none)), Gone);
        assert_eq!(evidence(&RunStatus { boot_id: Some("another".to_owned()), ..running(own) }), HostRestarted);
        let elsewhere = RunStatus { host: Some("node3".to_owned()), ..running(own) };
        if is_local(run.path()) {
            assert_eq!(evidence(&elsewhere), Unheld, "its lock would be seen");
        }
        let reused = RunStatus { heartbeat: Utc::now() - TimeDelta::hours(1), ..running(own) };
        assert_eq!(evidence(&reused), Gone, "the process is younger than the heartbeat");
        assert_eq!(trained_elsewhere(&run), None, "without a status");
    }
}
