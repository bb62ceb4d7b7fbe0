//! Trainers that were started are followed or left alone.

use std::io::{self, IsTerminal as _};

use clap::Args;

use super::console::{Console, Outcome, print_result};
use super::follow::follow_runs;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::training_start::StartedTrainers;
use mammoscope_storage::runs::run_dir::RunDir;

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

/// What the command line does with trainers that were started.
pub(super) trait TrainersAtWork {
    /// Says which runs have no trainer, and why.
    fn report_failures(&self, console: &Console);

    /// Follows the runs to their end, where that is wanted.
    fn follow(&self, follow: FollowArguments, console: &Console) -> anyhow::Result<Outcome>;
}

impl TrainersAtWork for StartedTrainers {
    fn report_failures(&self, console: &Console) {
        for (runs, error) in &self.failed {
            let names: Vec<_> = runs.iter().map(|run| printable(&run.name())).collect();
            console.error(&anyhow::anyhow!("{}: {error}", names.join(", ")));
        }
    }

    fn follow(&self, follow: FollowArguments, console: &Console) -> anyhow::Result<Outcome> {
        if follow.follows() { follow_runs(&self.at_work, console) } else { Ok(Outcome::Done) }
    }
}

/// Prints the runs' folders. A script reads these lines: the paths as they are.
pub(super) fn print_paths(runs: &[RunDir]) -> anyhow::Result<()> {
    let paths: Vec<_> = runs.iter().map(|run| format!("{}\n", run.path().display())).collect();
    print_result(&paths.concat())
}
