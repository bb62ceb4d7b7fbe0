//! `mammoscope synthetic-run`: runs without a training, for measuring what it costs to show them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use clap::Args;

use super::console::{Console, Outcome, print_result};
use super::interruption::Interruption;
use crate::cli::synthetic_run_files::{SyntheticHistory, SyntheticRun};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::workspace::Workspace;

/// A trainer reports so often.
const REPORT: Duration = Duration::from_millis(250);
/// And says so often that it lives.
const BEAT: Duration = Duration::from_secs(2);

/// Write runs that nobody trained, to measure what it costs to show them
///
/// Each is a run directory as a trainer writes it, with made-up curves that depend on the seed alone; there are no
/// images, checkpoints or evaluations. Prints the directories. The figures of the workbench in docs/benchmarks.md are
/// taken on such runs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope --workspace bench synthetic-run --epochs 100 --steps 1000
  mammoscope --workspace bench synthetic-run --runs 100 --epochs 5 --steps 20
  mammoscope --workspace bench synthetic-run --live 60")]
pub(super) struct SyntheticRunArguments {
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: u32,
    /// Epochs of each
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Steps an epoch, each with a report
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Decides the curves
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The last run ends half-way and goes on for so many seconds, as a training does: four reports a second
    #[arg(long, value_name = "SECONDS")]
    live: Option<u64>,
}

pub(super) fn run(
    arguments: &SyntheticRunArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let workspace = Workspace::open(workspace)?;
    let written = || format!("write to {}", printable_path(workspace.path()));
    let now = Utc::now();
    for number in 0..arguments.runs {
        let seed = arguments.seed + u64::from(number);
        let history = SyntheticHistory { epochs: arguments.epochs, steps_per_epoch: arguments.steps, seed };
        // One ended before the next, the last a minute ago.
        let end = now - TimeDelta::minutes(i64::from(arguments.runs - number));
        let mut synthetic = SyntheticRun::create(&workspace, history, end).with_context(written)?;
        print_result(&format!("{}\n", synthetic.path().display()))?;
        match arguments.live.filter(|_| number + 1 == arguments.runs) {
            Some(seconds) => {
                for _ in 0..u64::from(arguments.epochs) * arguments.steps / 2 {
                    synthetic.advance().with_context(written)?;
                }
                live(&mut synthetic, Duration::from_secs(seconds), console).with_context(written)?;
            }
            None => while synthetic.advance().with_context(written)? {},
        }
        synthetic.end().with_context(written)?;
    }
    Ok(Outcome::Done)
}

/// Goes on for so long, or until it is asked to end.
fn live(synthetic: &mut SyntheticRun, duration: Duration, console: &Console) -> anyhow::Result<()> {
    let interruption = Interruption::watch()?;
    let start = Instant::now();
    let mut beaten: Option<Instant> = None;
    console.note(format!("it goes on for {} s; Ctrl-C ends it", duration.as_secs()));
    while start.elapsed() < duration && !interruption.requested() {
        if beaten.is_none_or(|beaten| beaten.elapsed() >= BEAT) {
            synthetic.beat()?;
            beaten = Some(Instant::now());
        }
        if !synthetic.advance()? {
            break;
        }
        thread::sleep(REPORT);
    }
    Ok(())
}
