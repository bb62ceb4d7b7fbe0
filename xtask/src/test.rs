//! `cargo xtask test`: builds everything, then tests everything.

use std::collections::{BTreeMap, BTreeSet};
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
    for (test, reasons) in &skipped {
        eprintln!("skipped: {test}: {}", reasons.iter().copied().collect::<Vec<_>>().join("; "));
    }
    let skipped = if skipped.is_empty() { "none skipped".to_owned() } else { format!("{} skipped", skipped.len()) };
    eprintln!("{verdict}, {skipped} ({})", libtorch::short(started.elapsed()));
    Ok(exit_code(tested))
}

/// The skipped tests with their reasons, from lines `skipped: <test>: <reason>`.
fn skipped_tests(record: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut tests = BTreeMap::<&str, BTreeSet<&str>>::new();
    for line in record.lines().filter_map(|line| line.strip_prefix("skipped: ")) {
        let (test, reason) = line.split_once(": ").unwrap_or((line, "for no stated reason"));
        tests.entry(test).or_default().insert(reason);
    }
    tests
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
    fn a_test_counts_once_however_often_it_skips() {
        let record =
            "skipped: b::x: no GPU\nskipped: a: no ../shared/seed\nskipped: b::x: no GPU\nskipped: a: no TensorBoard\n";
        let skipped = skipped_tests(record);
        assert_eq!(skipped.keys().copied().collect::<Vec<_>>(), ["a", "b::x"]);
        assert_eq!(skipped["a"].iter().copied().collect::<Vec<_>>(), ["no ../shared/seed", "no TensorBoard"]);
        assert!(skipped_tests("").is_empty());
    }
}
