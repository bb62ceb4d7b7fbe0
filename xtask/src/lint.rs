//! `cargo xtask lint`: checks formatting, clippy (with and without the default features) and the documentation. Every
//! check runs to its end, so that one run reports all problems.

use std::env;
use std::process::ExitCode;

use crate::checkout::{Checkout, run_to_end};
use crate::setup;

/// Runs all checks.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let mut documentation = checkout.cargo(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    let mut flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -D warnings");
    documentation.env("RUSTDOCFLAGS", flags.trim());
    let package = ["clippy", "-p", "mammoscope", "--no-default-features", "--all-targets", "--", "-D", "warnings"];
    let without_default_features = checkout.cargo(package);
    let checks = [
        ("cargo fmt", checkout.cargo(["fmt", "--all", "--check"])),
        (
            "cargo clippy",
            checkout.cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
        ),
        ("cargo clippy, without default features", without_default_features),
        ("cargo doc", documentation),
    ];
    let mut failed = Vec::new();
    for (name, mut check) in checks {
        eprintln!("{name}");
        if !run_to_end(&mut check)?.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        eprintln!("no problems found");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("problems found: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}
