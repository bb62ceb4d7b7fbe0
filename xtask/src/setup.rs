//! `cargo xtask setup`: everything that the build needs and cargo does not bring.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use crate::libtorch::{
    self, LIBTORCH_VERSION, Libtorch, Machine, Parts, Wanted, has_nvidia_driver, own_libtorch_variable,
};

const OTHER_WAYS: &str = "\
Other ways to libtorch:
  LIBTORCH=DIR cargo xtask setup             a libtorch 2.11.0 that is unpacked in DIR (include/, lib/)
  LIBTORCH_USE_PYTORCH=1 cargo xtask setup   the libtorch in Python's torch 2.11
  PIP_INDEX_URL=URL cargo xtask setup        another package index
  cargo xtask setup --from DIR               wheels that were downloaded elsewhere (docs/libtorch.md says which)";

/// Where libtorch is to come from, where the user says so.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SetupArguments {
    /// With the CUDA libraries (2.5 GB to download), even where no NVIDIA driver is found
    #[arg(long, conflicts_with = "cpu")]
    cuda: bool,
    /// For the CPU alone, even where an NVIDIA driver is found
    #[arg(long)]
    cpu: bool,
    /// Take libtorch from DIR, which is an unpacked libtorch or holds its wheels, instead of the network
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

/// Sets up as asked.
pub(crate) fn run(checkout: &Path, arguments: &SetupArguments) -> anyhow::Result<()> {
    require_cxx_compiler()?;
    if let Some((libtorch, by)) = Libtorch::from_environment(own_libtorch_variable(checkout))? {
        eprintln!("{by} is set: using that libtorch");
        return use_it(checkout, &libtorch);
    }
    if let Some(folder) = &arguments.from
        && folder.join("lib").is_dir()
    {
        return use_it(checkout, &Libtorch::at(folder)?);
    }
    let chosen = if arguments.cuda { Some(Parts::Cuda) } else { arguments.cpu.then_some(Parts::Cpu) };
    let parts = chosen.unwrap_or_else(|| if has_nvidia_driver() { Parts::Cuda } else { Parts::Cpu });
    if chosen.is_none()
        && arguments.from.is_none()
        && let Some(libtorch) = libtorch::current(checkout)
        && (parts == Parts::Cpu || libtorch.has_cuda())
    {
        say_ready(&libtorch);
        return Ok(());
    }
    let wheels = arguments.from.clone();
    let folder = Machine::here()
        .and_then(|machine| libtorch::fetch(&Wanted { machine, parts, wheels }))
        .map_err(|error| anyhow!("{error:#}\n\n{OTHER_WAYS}"))?;
    use_it(checkout, &Libtorch::at(&folder.join("torch"))?)
}

/// Sets up where nothing usable is there yet; what was chosen before stays.
pub(crate) fn ensure(checkout: &Path) -> anyhow::Result<()> {
    require_cxx_compiler()?;
    let asked_for = Libtorch::from_environment(own_libtorch_variable(checkout))?.is_some();
    if !asked_for && let Some(libtorch) = libtorch::current(checkout) {
        if has_nvidia_driver() && !libtorch.has_cuda() {
            eprintln!("an NVIDIA driver is here, but libtorch is for the CPU: `cargo xtask setup --cuda` changes that");
        }
        return Ok(());
    }
    run(checkout, &SetupArguments::default())
}

fn use_it(checkout: &Path, libtorch: &Libtorch) -> anyhow::Result<()> {
    libtorch::link_into_checkout(checkout, libtorch)?;
    say_ready(libtorch);
    Ok(())
}

fn say_ready(libtorch: &Libtorch) {
    let kind = if libtorch.has_cuda() { "with CUDA" } else { "for the CPU" };
    let library = libtorch.libraries.join("libtorch_cpu.so");
    let real = library.canonicalize().unwrap_or(library);
    eprintln!("libtorch {LIBTORCH_VERSION} {kind} is ready: {}", real.display());
}

/// An error that says what to install where the engine's small C++ part could not be compiled.
fn require_cxx_compiler() -> anyhow::Result<()> {
    if env::var_os("CXX").is_some() {
        return Ok(()); // The user's choice; the build says if it does not work.
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join("c++").exists()) {
        return Ok(());
    }
    bail!("no C++ compiler (c++) is installed; the build needs one (Debian, Ubuntu: `apt-get install g++`)")
}
