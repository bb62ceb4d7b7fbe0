//! What is asked of a trainer, and what it answers.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::follower::RunFollower;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;

/// How long an answer is waited for. A trainer hears between two steps, which take seconds on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the trainer's process is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(500);

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nobody is there to be asked; nothing was written.
    NoTrainer(String),
    /// What became of it, in words that go on behind `pause asked`.
    Asked(String),
    /// The trainer ended without a word on the request, which was removed.
    EndedUnheard(String),
    /// The caller waits no longer; what was asked stays asked.
    Interrupted,
}

/// Asks a trainer for something, and waits a while for its answer where `waits`. `interrupted` is asked all the while.
pub fn ask_trainer(
    run: &RunDir,
    verb: RequestVerb,
    waits: bool,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<Answer> {
    let mut follower = RunFollower::new(run.clone());
    follower.poll(&mut |_, _| {});
    let condition = match follower.snapshot().condition() {
        Err(problem) => return Ok(Answer::NoTrainer(printable(problem))),
        Ok(condition) if !condition.may_have_trainer() => return Ok(Answer::NoTrainer(condition.to_string())),
        Ok(condition) => condition,
    };
    let heard_before = follower.snapshot().state().acknowledged.len();
    let file = RunRequest::new(verb)
        .write(run)
        .with_context(|| format!("write a request to {}", printable_path(&run.requests())))?;
    if !waits {
        return Ok(Answer::Asked(String::new()));
    }
    // Of a run that waits, a trainer hears only that its turn is not wanted any more.
    let ends_it = matches!(verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch);
    if condition.phase == RunPhase::Queued && !ends_it {
        return Ok(Answer::Asked("; the run waits for its turn, and hears it then".to_owned()));
    }
    let end = Instant::now() + TIMEOUT;
    loop {
        let acknowledged = &follower.snapshot().state().acknowledged;
        // Fewer than before: the events were replaced meanwhile.
        let answers = acknowledged.get(heard_before..).unwrap_or(acknowledged);
        if let Some(answer) = answers.iter().find(|answer| answer.verb == verb) {
            return Ok(Answer::Asked(format!(" → acknowledged at step {}", answer.step)));
        }
        let condition =
            follower.snapshot().condition().map(|condition| (condition.may_have_trainer(), condition.to_string()));
        if let Ok((false, text)) = condition {
            // Not heard: it is not to stop the next trainer at once.
            let _ = std::fs::remove_file(&file);
            return Ok(Answer::EndedUnheard(text));
        }
        if Instant::now() >= end {
            return Ok(Answer::Asked("; no answer yet, the trainer will find it".to_owned()));
        }
        follower.wait(LOOK, interrupted, &mut |_, _| {});
        if interrupted() {
            return Ok(Answer::Interrupted);
        }
    }
}
