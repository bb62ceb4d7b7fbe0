//! The checkout that the tasks work on, and the programs that they start in it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context as _;

use crate::libtorch::own_libtorch_variable;

/// The checkout.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// Its top folder.
    pub(crate) root: PathBuf,
}

impl Checkout {
    /// The checkout that this program was started in by cargo.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // At run time cargo says where the package lies; the checkout may have moved since the build.
        let package =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = package.parent().context("the package xtask lies in no checkout")?.to_owned();
        Ok(Self { root })
    }

    /// `cargo <arguments>` in the checkout.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // cargo sets LIBTORCH from the checkout's configuration for what it runs; handed down, it would look like a
        // change of the environment to the build, and libtorch's bindings would be compiled again.
        if own_libtorch_variable(&self.root).is_none() {
            command.env_remove("LIBTORCH");
        }
        command
    }

    /// A binary of the release build.
    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from);
        // A relative CARGO_TARGET_DIR counts from where cargo was called, which is where this program runs, too.
        std::path::absolute(target).unwrap_or_else(|_| self.root.join("target")).join("release").join(name)
    }
}

/// Runs a program to its end, its output going where ours goes.
pub(crate) fn run_to_end(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.status().with_context(|| format!("start {name}"))
}

/// The exit status to pass on; a program that was ended by a signal counts as failed, with the shell's number.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
