//! Whether a run can be resumed, and where.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::snapshot::current_condition;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::{RunLock, RunLockError};
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;

/// How long the trainer of a run that is over may take to leave it, and how often that is looked at.
const LEAVING: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(20);

/// What can be done with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumable {
    /// It has all the epochs that are asked for.
    Complete {
        /// So many.
        epochs: u32,
    },
    /// A trainer can take it up there.
    On(DeviceChoice),
}

/// The lock of a run; of one that is over, its trainer may be about to let go of it.
pub fn lock_when_free(run: &RunDir) -> Result<RunLock, RunLockError> {
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
pub fn resumable(run: &RunDir, epochs: Option<u32>) -> anyhow::Result<Resumable> {
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
