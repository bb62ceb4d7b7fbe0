//! What can be typed: the subcommands and the options that all of them have.

use clap::{Parser, Subcommand};

use super::completions::CompletionsArguments;
use super::demo::DemoArguments;
use super::doctor::DoctorArguments;
use super::evaluate::EvaluateArguments;
use super::import::ImportArguments;
use super::man::ManArguments;
use super::model::ModelArguments;
use super::phantom::PhantomArguments;
use super::predict::PredictArguments;
use super::show::ShowArguments;

/// Predict and evaluate mammographic breast density from the terminal.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// Print results only: no progress, no remarks
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// In the order of their use, which `--help` keeps.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Demo(DemoArguments),
    Doctor(DoctorArguments),
    Phantom(PhantomArguments),
    Show(ShowArguments),
    Import(ImportArguments),
    Model(ModelArguments),
    Predict(PredictArguments),
    Evaluate(EvaluateArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
}
