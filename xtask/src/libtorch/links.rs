//! `.libtorch` in the checkout: a link to a small folder in the user's cache with the layout that `torch-sys` expects.
//!
//! That folder contains `include`, `build-version` (which `torch-sys` compares with its own release) and `lib` with
//! links to the CPU libraries only: one binary serves machines with and without a GPU, and the engine loads the CUDA
//! libraries itself if there is a GPU.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::cache::cache_folder;
use super::fetch::is_intact;
use super::installed::Libtorch;
use super::sha256::sha256_of_bytes;
use super::wheels::LIBTORCH_VERSION;

/// The name of the link, to which `.cargo/config.toml` points the build.
const LINK: &str = ".libtorch";

/// Returns `LIBTORCH` if the user has set it: cargo itself sets it to `.libtorch` for its children.
pub(crate) fn own_libtorch_variable(checkout: &Path) -> Option<PathBuf> {
    let value = PathBuf::from(env::var_os("LIBTORCH").filter(|value| !value.is_empty())?);
    let is_the_link = value.file_name().is_some_and(|name| name == LINK)
        && value.parent().and_then(|parent| parent.canonicalize().ok()) == checkout.canonicalize().ok();
    (!is_the_link).then_some(value)
}

/// Returns the libtorch behind `.libtorch`, if it is complete and of the supported release.
pub(crate) fn current(checkout: &Path) -> Option<Libtorch> {
    Libtorch::at(&checkout.join(LINK)).ok().filter(is_intact)
}

/// Makes `.libtorch` in the checkout point to a libtorch.
pub(crate) fn link_into_checkout(checkout: &Path, libtorch: &Libtorch) -> anyhow::Result<()> {
    let link = checkout.join(LINK);
    if fs::symlink_metadata(&link).is_ok_and(|metadata| metadata.is_dir()) {
        bail!("{} is a folder, not a link that this set-up made: move it away, or set LIBTORCH to it", link.display());
    }
    let folder = link_folder(&cache_folder()?, libtorch)?;
    let fresh = checkout.join(format!("{LINK}.{}", std::process::id()));
    symlink(&folder, &fresh).with_context(|| format!("create the link {}", fresh.display()))?;
    fs::rename(&fresh, &link).with_context(|| format!("replace the link {}", link.display()))
}

/// Recreates the folder of links for a libtorch, so that a build script that watches `build-version` notices the
/// changed link.
fn link_folder(cache: &Path, libtorch: &Libtorch) -> anyhow::Result<PathBuf> {
    let folder = cache.join("links").join(key_of(libtorch));
    let mut fresh = OsString::from(&folder);
    fresh.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let lib = fresh.join("lib");
    remove_if_present(&fresh)?;
    fs::create_dir_all(&lib).with_context(|| format!("create the folder {}", lib.display()))?;
    let links = [
        (libtorch.include.clone(), fresh.join("include")),
        (libtorch.libraries.join("libtorch_cpu.so"), lib.join("libtorch_cpu.so")),
        (libtorch.libraries.join("libc10.so"), lib.join("libc10.so")),
        // The linker needs a `torch`; the real one would only pull in the CUDA libraries.
        (PathBuf::from("libtorch_cpu.so"), lib.join("libtorch.so")),
    ];
    for (target, name) in links {
        symlink(&target, &name).with_context(|| format!("create the link {}", name.display()))?;
    }
    let version = fresh.join("build-version");
    fs::write(&version, LIBTORCH_VERSION).with_context(|| format!("write {}", version.display()))?;
    remove_if_present(&folder)?;
    fs::rename(&fresh, &folder).with_context(|| format!("move {} to {}", fresh.display(), folder.display()))?;
    Ok(folder)
}

fn remove_if_present(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Returns the name of the folder of links, which depends only on the two folders.
fn key_of(libtorch: &Libtorch) -> String {
    let mut folders = libtorch.include.as_os_str().as_encoded_bytes().to_vec();
    folders.push(0);
    folders.extend(libtorch.libraries.as_os_str().as_encoded_bytes());
    sha256_of_bytes(&folders)[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libtorch::installed::tests::fake_libtorch;

    #[test]
    fn the_folder_of_links_is_itself_a_libtorch() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("a libtorch");
        fake_libtorch(&root, [2, 11, 0]);
        let libtorch = Libtorch::at(&root).expect("whole");
        let cache = folder.path().join("cache");
        let links = link_folder(&cache, &libtorch).expect("made");
        assert_eq!(link_folder(&cache, &libtorch).expect("made again"), links);
        Libtorch::at(&links).expect("the files for torch-sys exist");
        let real = fs::canonicalize(links.join("lib/libtorch.so")).expect("it has a target");
        assert_eq!(real, fs::canonicalize(root.join("lib/libtorch_cpu.so")).expect("there"));
        assert_eq!(fs::read_to_string(links.join("build-version")).expect("there"), "2.11.0");
        assert_eq!(fs::read_dir(cache.join("links")).expect("there").count(), 1, "nothing temporary remains");
    }

    #[test]
    fn a_folder_named_like_the_link_is_left_alone() {
        let checkout = tempfile::tempdir().expect("a temporary folder");
        fake_libtorch(&checkout.path().join(LINK), [2, 11, 0]);
        let libtorch = current(checkout.path()).expect("usable as it is");
        let error = link_into_checkout(checkout.path(), &libtorch).expect_err("not replaced").to_string();
        assert!(error.contains("move it away"), "{error}");
        assert!(checkout.path().join(LINK).join("lib/libc10.so").exists());
    }
}
