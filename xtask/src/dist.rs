//! `cargo xtask dist`: packs the program and its libraries into an archive for machines without Rust.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::{libtorch, setup};

const PROGRAMS: [&str; 2] = ["mammoscope", "mammoscope-engine"];
/// The libraries that the engine loads on a machine without CUDA. libtorch's CPU part requires two small ones of CUDA.
const LIBRARIES: [&str; 5] = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"];
/// Libraries that libtorch lacks on some machines, or takes from the system.
const OPTIONAL: [&str; 3] = ["libgomp.so.1", "libcudart.so.13", "libcupti.so.13"];
const FOLDERS: [&str; 3] = ["docs", "models", "testset"];
const FILES: [&str; 5] = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE-APACHE", "LICENSE-MIT"];
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Arguments of `cargo xtask dist`.
#[derive(Debug, clap::Args)]
pub(crate) struct DistArguments {
    /// The folder to pack into [default: target/dist]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Builds the release binaries and packs them with libtorch's CPU libraries, models, completions and manual pages into
/// `mammoscope-VERSION-ARCH-OS/{bin,lib,share}` and a `.tar.gz` of it.
pub(crate) fn run(checkout: &Checkout, arguments: &DistArguments) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let built = run_to_end(&mut checkout.cargo(["build", "--release"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let name = format!("mammoscope-{}-{ARCH}-{OS}", env!("CARGO_PKG_VERSION"));
    let folder = arguments.folder.clone().unwrap_or_else(|| checkout.root.join("target/dist"));
    let top = folder.join(&name);
    if top.exists() {
        fs::remove_dir_all(&top).with_context(|| format!("remove the earlier {}", top.display()))?;
    }
    let [bin, lib, share] = ["bin", "lib", "share"].map(|part| top.join(part));
    for program in PROGRAMS {
        copy(&checkout.release_binary(program), &bin)?;
    }
    let libtorch = libtorch::current(&checkout.root).context("no libtorch is linked here: run `cargo xtask setup`")?;
    for (library, source) in libraries(&libtorch.libraries)? {
        copy_as(&source, &lib.join(library))?;
    }
    for folder in FOLDERS {
        copy_folder(&checkout.root.join(folder), &share.join(folder))?;
    }
    for file in FILES {
        copy(&checkout.root.join(file), &top)?;
    }
    let program = bin.join(PROGRAMS[0]);
    output_of(Command::new(&program).arg("man").arg(share.join("man/man1")))?;
    for shell in SHELLS {
        let script = output_of(Command::new(&program).args(["completions", shell]))?;
        write(&share.join("completions").join(format!("mammoscope.{shell}")), &script)?;
    }
    // Tests the packed libraries: without the variable, those of the build would be found first on this machine.
    output_of(Command::new(bin.join(PROGRAMS[1])).arg("probe").env("LD_LIBRARY_PATH", &lib))
        .context("the packed engine does not start with the packed libraries")?;
    let archive = folder.join(format!("{name}.tar.gz"));
    let packed = run_to_end(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(&folder).arg(&name))?;
    if !packed.success() {
        bail!("tar could not write {}", archive.display());
    }
    let megabytes = fs::metadata(&archive).map_or(0.0, |metadata| metadata.len() as f64 / 1e6);
    eprintln!("{megabytes:.0} MB; unpack it anywhere, and run bin/mammoscope");
    println!("{}", archive.display());
    Ok(ExitCode::SUCCESS)
}

/// Finds the libraries: beside libtorch, or in the folder where its wheels put CUDA's.
fn libraries(beside: &Path) -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
    // `.libtorch/lib` holds links; the other libraries are beside their targets.
    let real = beside.join(LIBRARIES[0]);
    let real = real.canonicalize().with_context(|| format!("find {}", real.display()))?;
    let folder = real.parent().context("a library is in a folder")?;
    let folders = [folder.to_owned(), folder.join("../../nvidia/cu13/lib")];
    let mut found = Vec::new();
    for library in LIBRARIES {
        match folders.iter().map(|folder| folder.join(library)).find(|path| path.is_file()) {
            Some(path) => found.push((library, path)),
            None if OPTIONAL.contains(&library) => {}
            None => bail!("{library} is not in {}", folder.display()),
        }
    }
    Ok(found)
}

fn copy(source: &Path, folder: &Path) -> anyhow::Result<()> {
    copy_as(source, &folder.join(source.file_name().context("a file has a name")?))
}

fn copy_as(source: &Path, destination: &Path) -> anyhow::Result<()> {
    let folder = destination.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    fs::copy(source, destination)
        .map(|_| ())
        .with_context(|| format!("copy {} to {}", source.display(), destination.display()))
}

/// Copies a folder recursively.
fn copy_folder(source: &Path, destination: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(source).with_context(|| format!("read {}", source.display()))? {
        let entry = entry?;
        let to = destination.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            copy_as(&entry.path(), &to)?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    fs::write(path, content).with_context(|| format!("write {}", path.display()))
}

/// Runs a program and returns its stdout; if it fails, the error contains its stderr.
fn output_of(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("start {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        write(path, b"a library").expect("written");
    }

    #[test]
    fn libraries_are_found_beside_the_targets_of_links() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (torch, cuda, links) =
            (root.path().join("torch/lib"), root.path().join("nvidia/cu13/lib"), root.path().join("links"));
        for path in [torch.join("libtorch_cpu.so"), torch.join("libc10.so"), cuda.join("libcudart.so.13")] {
            touch(&path);
        }
        fs::create_dir_all(&links).expect("a folder");
        std::os::unix::fs::symlink(torch.join("libtorch_cpu.so"), links.join("libtorch_cpu.so")).expect("a link");
        let names: Vec<&str> = libraries(&links).expect("found").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["libtorch_cpu.so", "libc10.so", "libcudart.so.13"]);
        fs::remove_file(torch.join("libc10.so")).expect("removed");
        let error = libraries(&links).expect_err("one is missing");
        assert!(error.to_string().contains("libc10.so is not in"), "{error}");
    }

    #[test]
    fn packed_files_and_folders_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout");
        assert!(FILES.iter().all(|file| root.join(file).is_file()));
        assert!(FOLDERS.iter().all(|folder| root.join(folder).is_dir()));
    }

    #[test]
    fn folders_are_copied_recursively() {
        let root = tempfile::tempdir().expect("a temporary folder");
        touch(&root.path().join("a/b/c"));
        touch(&root.path().join("a/d"));
        copy_folder(&root.path().join("a"), &root.path().join("e")).expect("copied");
        assert!(root.path().join("e/b/c").is_file() && root.path().join("e/d").is_file());
    }
}
