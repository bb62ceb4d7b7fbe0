//! The `mammoscope-engine` program.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mammoscope_engine::bench;
use mammoscope_engine::learning::device;
use mammoscope_engine::thread::serve::serve;

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
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
    /// Print what libtorch, CUDA and the CPU offer, as JSON
    Probe,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Time the forward pass of the network at width 1
    Forward(bench::ForwardArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // First of all: libtorch looks for its CUDA parts at the first question about CUDA, and never again.
    let cuda = device::load_cuda();
    let result = match arguments.command {
        Command::Serve => serve(cuda),
        Command::Bench(Bench::Forward(arguments)) => bench::forward(&arguments, &cuda),
        Command::Probe => {
            serde_json::to_string(&device::probe(cuda)).map(|json| println!("{json}")).map_err(Into::into)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
