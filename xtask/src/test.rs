//! `cargo xtask test`: everything is built, then everything is tested.

use std::env;
use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::{libtorch, setup};

/// Builds the workspace, so that the binaries which tests start are fresh, and runs `cargo test --workspace`.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let started = Instant::now();
    let built = run_to_end(&mut quiet_threads(checkout.cargo(["build", "--workspace"])))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let tested = run_to_end(quiet_threads(checkout.cargo(["test", "--workspace", "--no-fail-fast"])).args(arguments))?;
    let verdict = if tested.success() { "all tests passed" } else { "some tests failed" };
    eprintln!("{verdict} ({})", libtorch::short(started.elapsed()));
    Ok(exit_code(tested))
}

/// Several engines at once on few cores: idle libgomp threads that spin would slow each other down tenfold. A value of
/// the user's own stands.
pub(crate) fn quiet_threads(mut command: Command) -> Command {
    if env::var_os("OMP_WAIT_POLICY").is_none() {
        command.env("OMP_WAIT_POLICY", "PASSIVE");
    }
    command
}
