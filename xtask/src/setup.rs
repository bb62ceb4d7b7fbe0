//! `cargo xtask setup`: provides what the build needs and cargo does not fetch.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use crate::libtorch::{
    self, LIBTORCH_VERSION, Libtorch, Machine, Parts, Wanted, has_nvidia_driver, own_libtorch_variable,
};

const OTHER_WAYS: &str = "\
Other ways to libtorch:
  LIBTORCH=DIR cargo xtask setup             libtorch 2.11.0, unpacked in DIR (include/, lib/)
  LIBTORCH_USE_PYTORCH=1 cargo xtask setup   the libtorch of PyTorch 2.11
  PIP_INDEX_URL=URL cargo xtask setup        another package index
  cargo xtask setup --from DIR               wheels downloaded elsewhere (docs/libtorch.md lists them)";

/// Arguments of `cargo xtask setup`: the origin of libtorch.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SetupArguments {
    /// Include the CUDA libraries (2.5 GB to download) even if no NVIDIA driver is found
    #[arg(long, conflicts_with = "cpu")]
    cuda: bool,
    /// Only for the CPU, even if an NVIDIA driver is found
    #[arg(long)]
    cpu: bool,
    /// Take libtorch from DIR, an unpacked libtorch or a folder of its wheels, instead of downloading it
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

/// Sets up libtorch as requested.
pub(crate) fn run(checkout: &Path, arguments: &SetupArguments) -> anyhow::Result<()> {
    require_cxx_compiler()?;
    if let Some((libtorch, by)) = Libtorch::from_environment(own_libtorch_variable(checkout))? {
        eprintln!("{by} is set: using that libtorch");
        return use_libtorch(checkout, &libtorch);
    }
    if let Some(folder) = &arguments.from
        && folder.join("lib").is_dir()
    {
        return use_libtorch(checkout, &Libtorch::at(folder)?);
    }
    let chosen = if arguments.cuda { Some(Parts::Cuda) } else { arguments.cpu.then_some(Parts::Cpu) };
    let parts = chosen.unwrap_or_else(|| if has_nvidia_driver() { Parts::Cuda } else { Parts::Cpu });
    if chosen.is_none()
        && arguments.from.is_none()
        && let Some(libtorch) = libtorch::current(checkout)
        && (parts == Parts::Cpu || libtorch.has_cuda())
    {
        report_ready(&libtorch);
        return Ok(());
    }
    let wheels = arguments.from.clone();
    let folder = Machine::here()
        .and_then(|machine| libtorch::fetch(&Wanted { machine, parts, wheels }))
        .map_err(|error| anyhow!("{error:#}\n\n{OTHER_WAYS}"))?;
    use_libtorch(checkout, &Libtorch::at(&folder.join("torch"))?)
}

/// Sets up libtorch if none is usable yet; an earlier choice is kept.
pub(crate) fn ensure(checkout: &Path) -> anyhow::Result<()> {
    require_cxx_compiler()?;
    let is_requested = Libtorch::from_environment(own_libtorch_variable(checkout))?.is_some();
    if !is_requested && let Some(libtorch) = libtorch::current(checkout) {
        if has_nvidia_driver() && !libtorch.has_cuda() {
            eprintln!(
                "there is an NVIDIA driver, but libtorch is for the CPU: `cargo xtask setup --cuda` changes that"
            );
        }
        return Ok(());
    }
    run(checkout, &SetupArguments::default())
}

fn use_libtorch(checkout: &Path, libtorch: &Libtorch) -> anyhow::Result<()> {
    libtorch::link_into_checkout(checkout, libtorch)?;
    report_ready(libtorch);
    Ok(())
}

fn report_ready(libtorch: &Libtorch) {
    let kind = if libtorch.has_cuda() { "with CUDA" } else { "for the CPU" };
    let library = libtorch.libraries.join("libtorch_cpu.so");
    let real = library.canonicalize().unwrap_or(library);
    eprintln!("libtorch {LIBTORCH_VERSION} {kind} is ready: {}", real.display());
}

/// Fails with installation advice if there is no compiler for the engine's small C++ part.
fn require_cxx_compiler() -> anyhow::Result<()> {
    if env::var_os("CXX").is_some() {
        return Ok(()); // The user's choice; the build reports it if it does not work.
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join("c++").exists()) {
        return Ok(());
    }
    bail!("no C++ compiler (c++) is installed; the build needs one (Debian, Ubuntu: `apt-get install g++`)")
}
