//! The check before a run is resumed.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cluster_job::live_job;
use crate::condition::current_condition;
use crate::resume_checks::{check_data, check_origin, check_writable};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::training_changes::{TrainingChanges, changed_config};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::lock_probe::probe_lock;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::{RunLock, RunLockError};
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;

/// The time that the trainer of an ended run has to release its lock.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The ways in which a run can continue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumable {
    /// The run is completed, after this many epochs, and with this reason if it ended before all of them.
    Complete { epochs: u32, reason: Option<String> },
    /// A trainer can resume it.
    On {
        device: DeviceChoice,
        /// The number of runs that were to train side by side on the device.
        jobs: usize,
    },
    /// A trainer works on it, or will; the reason says so, with what to do.
    Occupied { reason: String },
}

impl Resumable {
    /// What is said of a completed run: `complete with 20 epochs`, or `complete with 4 epochs (early stop: …)`.
    #[must_use]
    pub fn complete_text(epochs: u32, reason: Option<&str>) -> String {
        let epochs = counted(epochs as usize, "epoch");
        reason.map_or_else(
            || format!("complete with {epochs}"),
            |reason| format!("complete with {epochs} ({})", printable(reason)),
        )
    }
}

/// What is asked for when runs are resumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumeRequest {
    pub changes: TrainingChanges,
    /// True if the data of the runs is in another folder now, which the caller verifies.
    pub is_data_moved: bool,
}

/// Locks a run. If the run has ended, waits a while for its trainer to release the lock.
pub fn lock_when_free(run: &RunDir) -> Result<RunLock, RunLockError> {
    when_free(run, RunLock::acquire)
}

fn when_free<T>(run: &RunDir, acquire: fn(&RunDir) -> Result<T, RunLockError>) -> Result<T, RunLockError> {
    let start = Instant::now();
    loop {
        let is_releasing = || read_status(&run.status()).is_ok_and(|status| status.state.is_over());
        match acquire(run) {
            Err(RunLockError::Held { .. }) if start.elapsed() < RELEASE_TIMEOUT && is_releasing() => {
                thread::sleep(POLL_INTERVAL);
            }
            other => return other,
        }
    }
}

/// The process that will train a run that is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumedBy {
    /// A detached trainer, for a user.
    User,
    /// This process, in a job of the cluster, which the scheduler may have started again.
    Job,
    /// A new job of the cluster; the caller has checked that the run has no other.
    Resubmission,
}

/// Checks if a run can be resumed as requested, and changes nothing.
///
/// # Errors
/// If it is damaged, cannot be written to, cannot be trained for so many epochs, or if its data is gone ([`DataGone`]).
///
/// [`DataGone`]: crate::resume_checks::DataGone
pub fn resumable(run: &RunDir, request: &ResumeRequest, by: ResumedBy) -> anyhow::Result<Resumable> {
    let spec = read_run_spec(&run.spec()).with_context(|| format!("read {}", printable_path(&run.spec())))?;
    let resumable = state_of(run, &spec, &request.changes, by)?;
    if matches!(resumable, Resumable::On { .. }) {
        check_writable(run)?;
        let manifest = read_manifest(&run.manifest())?;
        if !request.is_data_moved {
            check_data(run, &manifest)?;
        }
        check_origin(run, &spec, &manifest)?;
    }
    Ok(resumable)
}

fn state_of(run: &RunDir, spec: &RunSpec, changes: &TrainingChanges, by: ResumedBy) -> anyhow::Result<Resumable> {
    let name = printable(&run.name());
    let RunSpec { device, config, placement, .. } = spec;
    let resumable = Resumable::On { device: *device, jobs: placement.as_ref().map_or(1, |placement| placement.jobs) };
    let epochs = changes.epochs;
    let settings = changes.settings.changes(config)?;
    let changed = changed_config(config, &settings)?;
    if let Some(epochs) = epochs {
        let longer = TrainingConfig { epochs, ..changed.clone() };
        longer.check().with_context(|| format!("{name} cannot be resumed with --epochs {epochs}, and is unchanged"))?;
    }
    // The lock decides; the status also covers runs that are queued for a trainer.
    match when_free(run, probe_lock) {
        Ok(()) => {}
        Err(RunLockError::Held { holder }) if is_queued(run) => {
            let reason = format!(
                "{name} is queued: its trainer ({}) has not reached it yet; there is nothing to resume",
                printable(&holder)
            );
            return Ok(Resumable::Occupied { reason });
        }
        Err(error @ RunLockError::Held { .. }) => {
            let reason = format!("{name}: {error}; end it first with `mammoscope control {name} stop`");
            return Ok(Resumable::Occupied { reason });
        }
        Err(error @ RunLockError::Io { .. }) => anyhow::bail!("{name}: {error}; a trainer needs to write there"),
    }
    // Without a status, the trainer finds the progress of the run itself.
    let (Ok(status), Ok(condition)) = (read_status(&run.status()), current_condition(run)) else {
        return Ok(resumable);
    };
    let is_unfinished = condition.stale.is_none() && !condition.phase.is_over();
    // No process has it: it waits for a job of the cluster.
    let waits_for_job = condition.phase == RunPhase::Queued && status.pid.is_none();
    // A job that was preempted or lost its node comes back by itself.
    let may_have_job = waits_for_job || condition.stale.is_some() || condition.phase == RunPhase::Interrupted;
    if may_have_job && by == ResumedBy::User {
        let advice = format!("`mammoscope control {name} stop` cancels it");
        match live_job(run) {
            Ok(None) => {}
            Ok(Some(task)) => {
                let reason = format!("{name} is {condition}: it is trained by its Slurm job {task}; {advice}");
                return Ok(Resumable::Occupied { reason });
            }
            Err(error) => return Ok(Resumable::Occupied { reason: format!("{error:#}; {advice}") }),
        }
    }
    // The trainer of a job that was started again may have been killed a moment ago: the lock shows that it is gone.
    let is_taken = condition.phase == RunPhase::Queued || by != ResumedBy::Job;
    if is_unfinished && !waits_for_job && is_taken {
        let trainer = if condition.phase == RunPhase::Queued {
            "its trainer has not reached it yet; there is nothing to resume"
        } else {
            "its trainer ended a moment ago, or cannot be seen from here; try again in a minute"
        };
        let reason = format!("{name} is {condition}: {trainer}");
        return Ok(Resumable::Occupied { reason });
    }
    let is_complete = status.state == RunPhase::Completed;
    let complete = || Resumable::Complete { epochs: status.epoch, reason: status.reason.clone() };
    match epochs {
        // Without a checkpoint it starts from scratch.
        Some(epochs) if epochs < status.epoch && !is_complete && has_checkpoint(run) => anyhow::bail!(
            "{name} has done {} epochs; --epochs has to be at least as many, and the run is unchanged",
            status.epoch
        ),
        Some(epochs) if epochs <= status.epoch && is_complete => Ok(complete()),
        // A job that is started again has done what it was asked for, if the run stopped early.
        Some(epochs) if is_complete && by == ResumedBy::Job && epochs == status.epochs => Ok(complete()),
        None if is_complete && !is_patience_longer(config, &changed, &status) => Ok(complete()),
        _ => Ok(resumable),
    }
}

/// True if a run that stopped early would not have stopped with the new patience.
fn is_patience_longer(config: &TrainingConfig, changed: &TrainingConfig, status: &RunStatus) -> bool {
    let stopped_early = config.early_stop > 0 && status.epoch < status.epochs;
    stopped_early && (changed.early_stop == 0 || changed.early_stop > config.early_stop)
}

fn is_queued(run: &RunDir) -> bool {
    read_status(&run.status()).is_ok_and(|status| status.state == RunPhase::Queued)
}

fn has_checkpoint(run: &RunDir) -> bool {
    [run.last_checkpoint(), run.previous_checkpoint()].iter().any(|path| path.exists())
}

/// Deals runs to the trainers that resume them: on each device as many as were to train side by side there.
#[must_use]
pub fn trainer_shares(runs: Vec<(RunDir, DeviceChoice, usize)>) -> Vec<Vec<RunDir>> {
    let mut devices: Vec<(DeviceChoice, usize, Vec<RunDir>)> = Vec::new();
    for (run, device, jobs) in runs {
        match devices.iter_mut().find(|(other, ..)| *other == device) {
            Some((_, most, of_device)) => {
                *most = jobs.max(*most);
                of_device.push(run);
            }
            None => devices.push((device, jobs, vec![run])),
        }
    }
    let deal = |(_, jobs, runs): (DeviceChoice, usize, Vec<RunDir>)| {
        let trainers = jobs.clamp(1, runs.len());
        (0..trainers).map(move |first| runs.iter().skip(first).step_by(trainers).cloned().collect())
    };
    devices.into_iter().flat_map(deal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_dealt_to_as_many_trainers_as_trained_side_by_side() {
        let run = |name: &str| RunDir::new(name);
        let (cpu, gpu) = (DeviceChoice::Cpu, DeviceChoice::Cuda(0));
        let runs = vec![(run("a"), cpu, 2), (run("b"), gpu, 1), (run("c"), cpu, 2), (run("d"), cpu, 2)];
        assert_eq!(trainer_shares(runs), [vec![run("a"), run("d")], vec![run("c")], vec![run("b")]]);
        let older = vec![(run("a"), cpu, 1), (run("b"), cpu, 1)];
        assert_eq!(trainer_shares(older), [vec![run("a"), run("b")]]);
        assert_eq!(trainer_shares(vec![(run("a"), cpu, 4)]), [vec![run("a")]]);
    }
}
