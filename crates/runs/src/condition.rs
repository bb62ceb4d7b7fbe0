//! The conditions of runs now: what their statuses say, with the evidence for it.

use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use mammoscope_domain::run::run_condition::{Movement, Pulse, RunCondition};
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::{RunStatusError, read_status, status_written};
use mammoscope_storage::runs::trainer_evidence::trainer_evidence;

/// The time in which a heartbeat moves if its trainer is at work: several intervals.
const SECOND_LOOK: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The heartbeat of a run as it was seen before, by this process's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeartbeatWatch(Option<Sighting>);

#[derive(Clone, Copy, Debug)]
struct Sighting {
    heartbeat: DateTime<Utc>,
    since: Instant,
    /// True if there was another heartbeat before.
    has_moved: bool,
}

impl HeartbeatWatch {
    /// Takes note of the heartbeat in a status that was just read.
    pub fn look(&mut self, status: &RunStatus) {
        let heartbeat = status.heartbeat;
        if self.0.is_none_or(|last| last.heartbeat != heartbeat) {
            self.0 = Some(Sighting { heartbeat, since: Instant::now(), has_moved: self.0.is_some() });
        }
    }

    /// What was seen so far.
    #[must_use]
    pub fn movement(&self) -> Movement {
        match self.0.map(|last| (last.since.elapsed(), last.has_moved)) {
            Some((silence, _)) if silence >= SECOND_LOOK => Movement::Stopped,
            Some((silence, true)) => Movement::Seen(TimeDelta::from_std(silence).unwrap_or(TimeDelta::MAX)),
            _ => Movement::Unknown,
        }
    }
}

/// The condition of a run with this status, with one look at its trainer now, and with what was seen of it before.
#[must_use]
pub fn condition_of(run: &RunDir, status: &RunStatus, watch: &HeartbeatWatch) -> RunCondition {
    let written = status_written(&run.status());
    let pulse = Pulse { movement: watch.movement(), ..Pulse::at(Utc::now(), written) };
    RunCondition::new(&pulse, status, trainer_evidence(run, status))
}

/// Reads a run's status, and returns its condition now. Reads nothing else. Where the clocks do not agree on whether there
/// is a trainer, this takes some seconds, for a second look.
pub fn current_condition(run: &RunDir) -> Result<RunCondition, RunStatusError> {
    let mut watch = HeartbeatWatch::default();
    loop {
        refresh_listing(run);
        let status = read_status(&run.status())?;
        watch.look(&status);
        let condition = condition_of(run, &status, &watch);
        if !condition.is_doubtful {
            return Ok(condition);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Looks a second time at those of these runs that a first look leaves in doubt, at all of them at once.
pub fn settle<'r>(runs: impl IntoIterator<Item = (&'r RunDir, &'r mut RunCondition)>) {
    thread::scope(|scope| {
        for (run, condition) in runs {
            if condition.is_doubtful {
                scope.spawn(move || {
                    if let Ok(settled) = current_condition(run) {
                        *condition = settled;
                    }
                });
            }
        }
    });
}

/// Has a network file system ask its server for changes of the run directory: without that, files may be shown as they
/// were a minute ago.
fn refresh_listing(run: &RunDir) {
    let _ = std::fs::read_dir(run.path());
}
