//! Trainers are started, one a device, and followed or left alone.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Outcome, print_result};
use super::follow::follow_runs;
use crate::client::trainer_process::{TrainerError, TrainerProcess};
use crate::client::training_plan::queue_behind;
use crate::domain::printable::printable;
use crate::storage::run_dir::RunDir;

/// What is done once the trainers are at work.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FollowArguments {
    /// Show how it goes until it is over; Ctrl-C asks whether to leave it running [default on a terminal]
    #[arg(long, conflicts_with = "detach")]
    follow: bool,
    /// Print the runs' folders and return; `mammoscope follow` shows how it goes [default elsewhere]
    #[arg(long)]
    detach: bool,
}

impl FollowArguments {
    pub(super) fn follows(self) -> bool {
        self.follow || (!self.detach && io::stdout().is_terminal() && io::stderr().is_terminal())
    }
}

/// The trainers that were started, and what became of the others.
pub(super) struct StartedTrainers {
    /// The runs that a trainer works through.
    pub(super) at_work: Vec<RunDir>,
    /// The runs of trainers that ended before they took any up, and why.
    pub(super) failed: Vec<(Vec<RunDir>, TrainerError)>,
}

/// Starts a trainer for each share of the runs, all at once, and waits until each has taken up its first run.
pub(super) fn start_trainers(
    engine: &Path,
    shares: Vec<Vec<RunDir>>,
    epochs: Option<u32>,
    interrupted: &dyn Fn() -> bool,
    console: &Console,
) -> anyhow::Result<StartedTrainers> {
    let mut started = StartedTrainers { at_work: Vec::new(), failed: Vec::new() };
    let mut starting = Vec::new();
    for share in shares {
        match TrainerProcess::start(engine, &share, epochs) {
            Ok(trainer) => starting.push((trainer, share)),
            Err(error) => started.failed.push((share, error)),
        }
    }
    for (trainer, share) in starting {
        let pid = trainer.id();
        match trainer.wait_until_at_work(interrupted) {
            // Whether anybody waits for it or not, it is there.
            Ok(()) | Err(TrainerError::Interrupted) => {}
            Err(error @ TrainerError::Silent { .. }) => console.warn(error),
            Err(error) => {
                started.failed.push((share, error));
                continue;
            }
        }
        queue_behind(pid, &share[1..]).context("write status.json")?;
        started.at_work.extend(share);
    }
    Ok(started)
}

impl StartedTrainers {
    /// Says which runs have no trainer, and why.
    pub(super) fn report_failures(&self, console: &Console) {
        for (runs, error) in &self.failed {
            let names: Vec<_> = runs.iter().map(|run| printable(&run.name())).collect();
            console.error(&anyhow::anyhow!("{}: {error}", names.join(", ")));
        }
    }

    /// Follows the runs to their end, or prints their folders where those are wanted.
    pub(super) fn follow_or_print(
        &self,
        follow: FollowArguments,
        prints: bool,
        console: &Console,
    ) -> anyhow::Result<Outcome> {
        if follow.follows() {
            return follow_runs(&self.at_work, console);
        }
        if prints {
            // A script reads these lines: the paths as they are.
            let paths: Vec<_> = self.at_work.iter().map(|run| format!("{}\n", run.path().display())).collect();
            print_result(&paths.concat())?;
        }
        Ok(Outcome::Done)
    }
}
