//! `mammoscope control`: asks a trainer to do something, and waits until it has heard.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::console::{Console, Interrupted, Outcome, print_result};
use super::interruption::Interruption;
use crate::client::run_follower::RunFollower;
use crate::domain::printable::{printable, printable_path};
use crate::domain::run_event::RequestVerb;
use crate::domain::run_status::RunPhase;
use crate::storage::run_catalog::find_runs;
use crate::storage::run_dir::RunDir;
use crate::storage::run_requests::RunRequest;
use crate::storage::workspace::Workspace;

/// How long an answer is waited for. A trainer hears between two steps, which take seconds on a slow machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the trainer's process is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(500);

/// Ask a training to pause, continue, write a checkpoint, or stop
///
/// The request is a file in the run directory, so that it reaches a trainer on another node too. `stop` finishes the
/// step, `stop-after-epoch` the epoch; both write a checkpoint, from which `mammoscope resume` goes on exactly. The
/// answer is waited for up to ten seconds. Of a group, every run that is not over is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope control latest pause
  mammoscope control latest continue
  mammoscope control 2026-11-23T10-15-02_CC_R_seed stop-after-epoch --no-wait")]
pub(super) struct ControlArguments {
    /// A run's name or the beginning of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// What to ask for
    #[arg(value_name = "REQUEST", value_parser = verbs())]
    verb: RequestVerb,
    /// Do not wait for the answer
    #[arg(long)]
    no_wait: bool,
}

fn verbs() -> impl clap::builder::TypedValueParser<Value = RequestVerb> {
    PossibleValuesParser::new(RequestVerb::ALL.map(RequestVerb::name)).map(|name| {
        let named = RequestVerb::ALL.into_iter().find(|verb| verb.name() == name);
        named.expect("the parser lets only the names of verbs pass")
    })
}

/// Asks.
pub(super) fn run(
    arguments: &ControlArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    let interruption = Interruption::watch()?;
    let (mut failed, mut asked) = (false, 0);
    for run in &found.runs {
        match ask(run, arguments.verb, arguments.no_wait, &interruption)? {
            Answer::NoTrainer(condition) => {
                // Of a group, those that are over are none of the question.
                if found.group.is_none() {
                    anyhow::bail!("no trainer is at work on {}: {condition}", printable(&run.name()));
                }
                console.remark(format_args!("{}: {condition}", printable(&run.name())));
            }
            Answer::Asked(text) => {
                asked += 1;
                print_result(&format!("{}: {} asked{text}\n", printable(&run.name()), arguments.verb))?;
            }
            Answer::EndedUnheard(condition) => {
                failed = true;
                console.warn(format_args!(
                    "{}: the trainer left before it heard; the request is withdrawn: {condition}",
                    printable(&run.name())
                ));
            }
        }
    }
    if asked == 0 && !failed {
        anyhow::bail!("no trainer is at work on any run of {}", printable(&arguments.run));
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

enum Answer {
    /// Nobody is there to be asked; nothing was written.
    NoTrainer(String),
    /// What became of it, in words.
    Asked(String),
    /// The trainer ended without a word on the request, which was removed.
    EndedUnheard(String),
}

fn ask(run: &RunDir, verb: RequestVerb, no_wait: bool, interruption: &Interruption) -> anyhow::Result<Answer> {
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
    if no_wait {
        return Ok(Answer::Asked(String::new()));
    }
    // Of a run that waits, a trainer hears only that its turn is not wanted any more.
    let ends_it = matches!(verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch);
    if condition.phase == RunPhase::Queued && !ends_it {
        return Ok(Answer::Asked("; the run waits for its turn, and hears it then".to_owned()));
    }
    let end = Instant::now() + PATIENCE;
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
        follower.wait(LOOK, &|| interruption.requested(), &mut |_, _| {});
        if interruption.requested() {
            // What was asked stays asked.
            return Err(Interrupted.into());
        }
    }
}
