//! Packages of Python that tests compare with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{skipped, stderr_of};

/// A folder with these packages among the build's, made once and named `name`, for `PYTHONPATH`. With pip alone, which
/// the build needs anyway; venv is another package on Debian. `None`, and a line that says why, where it cannot be had.
pub(crate) fn python_packages(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--target"]);
    let installed = match pip.arg(fresh.path()).args(packages).output() {
        Ok(installed) => installed,
        Err(error) => {
            skipped(&format!("{name}: python3: {error}"));
            return None;
        }
    };
    if !installed.status.success() {
        skipped(&format!("{name}: {}", stderr_of(&installed).trim()));
        return None;
    }
    let fresh = fresh.keep();
    // Another test of the same packages may have been quicker.
    if fs::rename(&fresh, &folder).is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    folder.is_dir().then_some(folder)
}
