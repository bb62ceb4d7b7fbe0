//! `mammoscope-synthetic-run`: run directories that were never trained, for measuring the cost of showing them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use clap::Parser;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use signal_hook::consts::{SIGINT, SIGTERM};

/// The interval between a trainer's reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// The interval between its heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// Write runs that were never trained, to measure the cost of showing them
///
/// Each is a run directory as a trainer writes it, with synthetic curves that depend on the seed alone; there are no
/// images, checkpoints or evaluations. Prints the directories. The workbench's figures in docs/benchmarks.md are
/// measured on such runs.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The workspace
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Number of runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: u32,
    /// Epochs of each run
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Steps per epoch, each with a report
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// Seed of the curves
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of studies that the runs are spread over
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    studies: Option<u32>,
    /// Seconds for which the last run continues from half-way, with four reports per second as in training
    #[arg(long, value_name = "SECONDS")]
    live: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let workspace = Workspace::open(arguments.workspace.as_deref())?;
    let written = || format!("write to {}", workspace.path().display());
    let now = Utc::now();
    for number in 0..arguments.runs {
        let seed = arguments.seed + u64::from(number);
        let study = arguments.studies.map(|studies| {
            let runs = arguments.runs.div_ceil(studies);
            (number / runs, number % runs)
        });
        let history = SyntheticHistory { epochs: arguments.epochs, steps_per_epoch: arguments.steps, seed, study };
        // Each ended before the next, the last one a minute ago.
        let end = now - TimeDelta::minutes(i64::from(arguments.runs - number));
        let mut synthetic = SyntheticRun::create(&workspace, history, end).with_context(written)?;
        println!("{}", synthetic.path().display());
        match arguments.live.filter(|_| number + 1 == arguments.runs) {
            Some(seconds) => {
                for _ in 0..u64::from(arguments.epochs) * arguments.steps / 2 {
                    synthetic.advance().with_context(written)?;
                }
                live(&mut synthetic, Duration::from_secs(seconds)).with_context(written)?;
            }
            None => while synthetic.advance().with_context(written)? {},
        }
        synthetic.end().with_context(written)?;
    }
    Ok(())
}

/// Continues the run for this long, or until the process is asked to end.
fn live(synthetic: &mut SyntheticRun, duration: Duration) -> anyhow::Result<()> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    let start = Instant::now();
    let mut last_beat: Option<Instant> = None;
    eprintln!("it continues for {} s; Ctrl-C ends it", duration.as_secs());
    while start.elapsed() < duration && !interrupted.load(Ordering::Relaxed) {
        if last_beat.is_none_or(|beat| beat.elapsed() >= HEARTBEAT_INTERVAL) {
            synthetic.beat()?;
            last_beat = Some(Instant::now());
        }
        if !synthetic.advance()? {
            break;
        }
        thread::sleep(REPORT_INTERVAL);
    }
    Ok(())
}
