//! What can be typed: the subcommands and the options that all of them have.

use clap::{Parser, Subcommand};

use super::completions::CompletionsArguments;
use super::doctor::DoctorArguments;
use super::evaluate::EvaluateArguments;
use super::man::ManArguments;
use super::phantom::PhantomArguments;

/// Train, evaluate and explain a mammographic breast-density classifier from the terminal.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// Print results only: no progress, no remarks
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Show(super::show::ShowArguments),
    Evaluate(EvaluateArguments),
    /// Make synthetic mammograms with known truth
    Phantom(PhantomArguments),
    Doctor(DoctorArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
}
