//! The `mammoscope-engine` program.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mammoscope_domain::training::training_changes::{ChangedSettings, TrainingChanges};
use mammoscope_engine::learning::{device, host_memory};
use mammoscope_engine::thread::serve::serve;
use mammoscope_engine::thread::train::{TrainerTask, train};
use mammoscope_storage::runs::run_dir::RunDir;

/// The libtorch engine of mammoscope. `mammoscope` starts it; there is no need to call it yourself.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the commands of a `mammoscope` on stdin, in frames
    Serve,
    /// Train runs one after another, detached from the terminal; each run logs to its own log.txt
    Train(TrainArguments),
    /// Print the capabilities of libtorch, CUDA and the CPU as JSON
    Probe,
}

#[derive(Debug, Args)]
struct TrainArguments {
    /// Run directories, in training order
    #[arg(value_name = "RUN_DIR", required = true)]
    runs: Vec<PathBuf>,
    /// Epochs to train to, in place of the number in each run's configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Settings to change for the rest of each run
    #[arg(long, value_name = "KEY=VALUE,…", default_value = "")]
    set: ChangedSettings,
    /// Stay in this session and report to stderr, as the process of a Slurm job
    #[arg(long)]
    foreground: bool,
}

fn main() {
    host_memory::keep_freed_memory();
    let status = i32::from(!run(Arguments::parse()));
    let _ = std::io::stdout().flush();
    // SAFETY: ends the process at once. libtorch's destructors would take another tenth of a second to free memory that
    // the system takes back anyway; everything that must be on disk is there.
    unsafe { libc::_exit(status) }
}

/// True if the command has succeeded.
fn run(arguments: Arguments) -> bool {
    let result = match arguments.command {
        Command::Train(TrainArguments { runs, epochs, set: settings, foreground: in_foreground }) => {
            let runs = runs.into_iter().map(RunDir::new).collect();
            let changes = TrainingChanges { epochs, settings };
            match train(TrainerTask { runs, changes, in_foreground }, device::load_cuda) {
                Ok(true) => Ok(()),
                // The reasons are in the runs' own records.
                Ok(false) => return false,
                Err(error) => Err(error),
            }
        }
        Command::Serve => serve(device::load_cuda),
        Command::Probe => serde_json::to_string(&device::probe(device::load_cuda()))
            .map(|json| println!("{json}"))
            .map_err(Into::into),
    };
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    result.is_ok()
}
