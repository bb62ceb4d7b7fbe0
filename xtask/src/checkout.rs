//! The checkout of the project, and the programs that tasks run in it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context as _;

use crate::libtorch::own_libtorch_variable;

/// The checkout of the project.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// The root folder.
    pub(crate) root: PathBuf,
}

impl Checkout {
    /// Finds the checkout in which cargo started this program.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // cargo reports the package's path at run time; the checkout may have moved since the build.
        let package =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = package.parent().context("the package xtask is not in a checkout")?.to_owned();
        Ok(Self { root })
    }

    /// Returns the command `cargo <arguments>` in the checkout.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // cargo sets LIBTORCH from the checkout's configuration for its children. Inherited, it would look like a
        // changed environment to the build, which would then recompile libtorch's bindings.
        if own_libtorch_variable(&self.root).is_none() {
            command.env_remove("LIBTORCH");
        }
        command
    }

    /// Returns the path of a binary of the release build.
    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from);
        // A relative CARGO_TARGET_DIR is relative to the directory where cargo was called, as is this program.
        std::path::absolute(target).unwrap_or_else(|_| self.root.join("target")).join("release").join(name)
    }
}

/// Runs a program to its end; it inherits our output.
pub(crate) fn run_to_end(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.status().with_context(|| format!("start {name}"))
}

/// Converts an exit status to pass on; death by a signal becomes 128 plus its number, as in shells.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
