//! `cargo xtask gpu-check`: packs a folder of checks for a machine with a GPU and PyTorch, but without Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::setup;

const PROGRAMS: [&str; 3] = ["mammoscope", "mammoscope-engine", "mammoscope-engine-bench"];
const SCRIPTS: [&str; 3] = ["run.sh", "gpu_check.py", "peer.py"];
/// The largest folder that is packed: connections to such machines can be slow.
const MAX_FOLDER: u64 = 60_000_000;

/// Arguments of `cargo xtask gpu-check`.
#[derive(Debug, clap::Args)]
pub(crate) struct GpuCheckArguments {
    /// The folder to pack into [default: target/gpu-check]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Run the script here right away
    #[arg(long)]
    run: bool,
}

/// Builds the release binaries and packs them with the scripts; `--run` passes on the script's exit status.
pub(crate) fn run(checkout: &Checkout, arguments: &GpuCheckArguments) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let built = run_to_end(&mut checkout.cargo(["build", "--release", "--workspace"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let folder = arguments.folder.clone().unwrap_or_else(|| checkout.root.join("target/gpu-check"));
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    let scripts = checkout.root.join("xtask/gpu_check");
    let sources =
        PROGRAMS.map(|name| checkout.release_binary(name)).into_iter().chain(SCRIPTS.map(|name| scripts.join(name)));
    let mut bytes = 0;
    for source in sources {
        bytes += pack(&source, &folder)?;
    }
    let megabytes = bytes as f64 / 1e6;
    if bytes > MAX_FOLDER {
        bail!("{} has {megabytes:.1} MB, more than {} MB", folder.display(), MAX_FOLDER / 1_000_000);
    }
    eprintln!("{} has {megabytes:.1} MB; on the machine with the GPU: ./run.sh", folder.display());
    println!("{}", folder.display());
    if !arguments.run {
        return Ok(ExitCode::SUCCESS);
    }
    run_to_end(&mut Command::new(folder.join("run.sh"))).map(exit_code)
}

/// Copies a file with its permissions and returns its size.
fn pack(source: &Path, folder: &Path) -> anyhow::Result<u64> {
    let name = source.file_name().context("a file has a name")?;
    let destination = folder.join(name);
    // A running program cannot be overwritten, but it can be replaced.
    let _ = fs::remove_file(&destination);
    fs::copy(source, &destination).with_context(|| format!("copy {} to {}", source.display(), destination.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_packed_and_valid() {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("gpu_check");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in SCRIPTS {
            // Twice: the second time replaces a file.
            let first = pack(&scripts.join(name), folder.path()).expect("copied");
            assert_eq!(pack(&scripts.join(name), folder.path()).expect("copied"), first);
        }
        let read_only = Command::new("sh").arg("-n").arg(folder.path().join("run.sh")).status().expect("a shell");
        assert!(read_only.success());
        let error = pack(&scripts.join("absent"), folder.path()).expect_err("no such file");
        assert!(format!("{error:#}").contains("absent"), "{error:#}");
    }
}
