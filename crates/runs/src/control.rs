//! Requests to a trainer, and their outcome.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cluster_job::stop_waiting;
use crate::follower::RunFollower;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;

/// The longest wait for an acknowledgement. A trainer reads requests between steps, which take seconds on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The interval between checks of the trainer's process.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// There is no trainer, for this reason; nothing was written.
    NoTrainer(String),
    /// The request was written. The text continues a phrase such as `pause requested`.
    Written(String),
    /// The trainer ended without acknowledging the request, which was removed. Holds the run's condition.
    TrainerEnded(String),
    /// The caller stopped waiting; the request remains.
    Interrupted,
}

/// Writes a request, and waits for its acknowledgement if `waits`, until it is cancelled.
pub fn send_request(
    run: &RunDir,
    verb: RequestVerb,
    waits: bool,
    cancellation: Cancellation<'_>,
) -> anyhow::Result<RequestOutcome> {
    let ends_it = matches!(verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch);
    if ends_it && let Some((_, done)) = stop_waiting(run)? {
        return Ok(RequestOutcome::Written(done));
    }
    let mut follower = RunFollower::new(run.clone());
    follower.poll(&mut |_, _| {});
    let condition = match follower.snapshot().condition() {
        Err(problem) => return Ok(RequestOutcome::NoTrainer(printable(&problem.to_string()))),
        Ok(condition) if !condition.may_have_trainer() => return Ok(RequestOutcome::NoTrainer(condition.to_string())),
        Ok(condition) => condition,
    };
    let acknowledged_before = follower.snapshot().summary().acknowledged.len();
    let file = RunRequest::new(verb)
        .write(run)
        .with_context(|| format!("write a request to {}", printable_path(&run.requests())))?;
    if !waits {
        return Ok(RequestOutcome::Written(String::new()));
    }
    // Of the requests to a queued run, a trainer reads early only those that end it.
    if condition.phase == RunPhase::Queued && !ends_it {
        return Ok(RequestOutcome::Written("; the run is queued and reads it when its turn comes".to_owned()));
    }
    let end = Instant::now() + TIMEOUT;
    loop {
        let acknowledged = &follower.snapshot().summary().acknowledged;
        // There are fewer than before if the events were replaced in the meantime.
        let new = acknowledged.get(acknowledged_before..).unwrap_or(acknowledged);
        if let Some(request) = new.iter().find(|request| request.verb == verb) {
            return Ok(RequestOutcome::Written(format!(" → acknowledged at step {}", request.step)));
        }
        let condition =
            follower.snapshot().condition().map(|condition| (condition.may_have_trainer(), condition.to_string()));
        if let Ok((false, text)) = condition {
            // Left there, it would stop the next trainer at once.
            let _ = std::fs::remove_file(&file);
            return Ok(RequestOutcome::TrainerEnded(text));
        }
        if Instant::now() >= end {
            return Ok(RequestOutcome::Written("; no answer yet, the trainer will still read it".to_owned()));
        }
        follower.wait(POLL_INTERVAL, cancellation, &mut |_, _| {});
        if cancellation.is_cancelled() {
            return Ok(RequestOutcome::Interrupted);
        }
    }
}
