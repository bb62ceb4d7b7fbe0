//! Follows trainers that were started, or leaves them in the background.

use std::io::{self, IsTerminal as _};

use clap::Args;

use super::console::{Console, Outcome, print_result};
use super::follow::follow_runs;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::training_start::StartedTrainers;
use mammoscope_storage::runs::run_dir::RunDir;

/// The most runs that an error names.
const MAX_NAMED: usize = 4;

/// The options for what happens once the trainers are running.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FollowArguments {
    /// Show the progress until the end; Ctrl-C asks whether to leave the runs running [default on a terminal]
    #[arg(long, conflicts_with = "detach")]
    follow: bool,
    /// Print the runs' folders and return; `mammoscope follow` shows the progress [default elsewhere]
    #[arg(long)]
    detach: bool,
    /// Train in this process, one run after another, as the process of a batch job; logs are in the runs' folders
    #[arg(long, conflicts_with_all = ["follow", "detach"])]
    foreground: bool,
}

impl FollowArguments {
    /// True if this process is to become the trainer.
    pub(super) fn in_foreground(self) -> bool {
        self.foreground
    }

    pub(super) fn follows(self) -> bool {
        self.follow || (!self.detach && io::stdout().is_terminal() && io::stderr().is_terminal())
    }
}

/// The command line's handling of trainers that were started.
pub(super) trait StartedTrainersExt {
    /// Reports the runs whose trainer could not be started, with the reason.
    fn report_failures(&self, console: &Console);

    /// Follows the runs to their end, if requested.
    fn follow(&self, follow: FollowArguments, console: &Console) -> anyhow::Result<Outcome>;
}

impl StartedTrainersExt for StartedTrainers {
    fn report_failures(&self, console: &Console) {
        for (runs, error) in &self.failed {
            let names: Vec<_> = runs.iter().map(|run| printable(&run.name())).collect();
            console.error(&anyhow::anyhow!("{}: {error}", names.join(", ")));
        }
    }

    fn follow(&self, follow: FollowArguments, console: &Console) -> anyhow::Result<Outcome> {
        if follow.follows() { follow_runs(&self.running, console) } else { Ok(Outcome::Done) }
    }
}

/// Prints the folders of runs that are being trained, as [`print_folders`] does. An error says where they are.
pub(super) fn print_paths(runs: &[RunDir]) -> anyhow::Result<()> {
    print_folders(runs).map_err(|error| started_without_output(error, runs))
}

/// Prints the runs' folders for scripts, one unescaped path per line.
pub(super) fn print_folders(runs: &[RunDir]) -> anyhow::Result<()> {
    let paths: Vec<_> = runs.iter().map(|run| format!("{}\n", run.path().display())).collect();
    print_result(&paths.concat())
}

/// The error of printing where runs are that have been started all the same.
pub(super) fn started_without_output(error: anyhow::Error, runs: &[RunDir]) -> anyhow::Error {
    let mut places: Vec<_> = runs.iter().take(MAX_NAMED).map(|run| printable_path(run.path())).collect();
    if runs.len() > MAX_NAMED {
        places.push(format!("{} more", runs.len() - MAX_NAMED));
    }
    error.context(format!("training was started in {}, but this cannot be printed", places.join(", ")))
}
