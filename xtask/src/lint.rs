//! `cargo xtask lint`: formatting, clippy and the documentation, each to its end, so that one run shows all.

use std::env;
use std::process::ExitCode;

use crate::checkout::{Checkout, run_to_end};
use crate::setup;

/// Runs the three checks.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let mut documentation = checkout.cargo(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    let mut flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -D warnings");
    documentation.env("RUSTDOCFLAGS", flags.trim());
    let checks = [
        ("cargo fmt", checkout.cargo(["fmt", "--all", "--check"])),
        ("cargo clippy", checkout.cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
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
        eprintln!("nothing to remark");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("not clean: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}
