//! `cargo xtask demo`: from a fresh checkout to the running program.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::setup;

/// Builds the release binaries, runs `mammoscope demo` and passes on its exit status.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let built = run_to_end(&mut checkout.cargo(["build", "--release"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let mut demo = Command::new(checkout.release_binary("mammoscope"));
    run_to_end(demo.args(["demo", "--plain"]).args(arguments).current_dir(&checkout.root)).map(exit_code)
}
