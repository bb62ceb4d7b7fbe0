//! `cargo xtask test`: builds everything, then tests everything.

use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::time::Instant;
use std::{env, fs};

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::{libtorch, setup};

/// The variable that names the file to which tests append the lines about what they skip.
const SKIPPED_TESTS: &str = "MAMMOSCOPE_SKIPPED_TESTS";

/// Builds the workspace, so that tests start fresh binaries, and runs `cargo test --workspace`.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let started = Instant::now();
    let built = run_to_end(&mut quiet_threads(checkout.cargo(["build", "--workspace"])))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let folder = tempfile::tempdir()?;
    let record = folder.path().join("skipped-tests.txt");
    let mut tests = quiet_threads(checkout.cargo(["test", "--workspace", "--no-fail-fast"]));
    let tested = run_to_end(tests.env(SKIPPED_TESTS, &record).args(arguments))?;
    let verdict = if tested.success() { "all tests passed" } else { "some tests failed" };
    let record = fs::read_to_string(record).unwrap_or_default();
    let skipped = skipped_tests(&record);
    for line in &skipped {
        eprintln!("{line}");
    }
    let skipped = if skipped.is_empty() { "none skipped".to_owned() } else { format!("{} skipped", skipped.len()) };
    eprintln!("{verdict}, {skipped} ({})", libtorch::short(started.elapsed()));
    Ok(exit_code(tested))
}

/// The lines `skipped: <test>: <reason>`, sorted, each once.
fn skipped_tests(record: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = record.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Makes idle libgomp threads sleep: spinning, several engines on few cores would slow each other down tenfold. A value
/// set by the user wins.
pub(crate) fn quiet_threads(mut command: Command) -> Command {
    if env::var_os("OMP_WAIT_POLICY").is_none() {
        command.env("OMP_WAIT_POLICY", "PASSIVE");
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_skips_twice_counts_once() {
        let record = "skipped: b: no GPU\nskipped: a: no ../shared/seed\nskipped: b: no GPU\n";
        assert_eq!(skipped_tests(record), ["skipped: a: no ../shared/seed", "skipped: b: no GPU"]);
        assert!(skipped_tests("").is_empty());
    }
}
