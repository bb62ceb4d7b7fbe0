//! `cargo xtask`: the project's own tasks.

mod bench;
mod checkout;
mod demo;
mod dist;
mod gpu_check;
mod libtorch;
mod lint;
mod setup;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use checkout::Checkout;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Download libtorch once into the user's cache, and link it here
    Setup(setup::SetupArguments),
    /// Build everything and run all tests
    Test {
        /// Passed on to `cargo test --workspace`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check formatting, clippy (with and without default features) and the documentation
    Lint,
    /// Build the program and run its demonstration
    Demo {
        /// Passed on to `mammoscope demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Measure forward pass and training, side by side with PyTorch and Keras if they are given
    Bench(bench::BenchArguments),
    /// Pack checks and benchmarks for a machine with a GPU and PyTorch, but without Rust
    GpuCheck(gpu_check::GpuCheckArguments),
    /// Pack the program with its libraries into an archive, for machines without Rust
    Dist(dist::DistArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let checkout = Checkout::find()?;
    match task {
        Task::Setup(arguments) => setup::run(&checkout.root, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Test { arguments } => test::run(&checkout, &arguments),
        Task::Lint => lint::run(&checkout),
        Task::Demo { arguments } => demo::run(&checkout, &arguments),
        Task::Bench(arguments) => bench::run(&checkout, &arguments),
        Task::GpuCheck(arguments) => gpu_check::run(&checkout, &arguments),
        Task::Dist(arguments) => dist::run(&checkout, &arguments),
    }
}
