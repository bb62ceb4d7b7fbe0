//! `cargo xtask bench`.
use crate::checkout::Checkout;
use std::process::ExitCode;
/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArguments {}
/// Measures.
pub(crate) fn run(_checkout: &Checkout, _arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
