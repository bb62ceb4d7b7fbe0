//! Python packages that tests compare with.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{skipped, stderr_of};

/// Installs packages once into a folder of the build called `name`, which serves as a `PYTHONPATH`. Uses pip alone,
/// which the build needs anyway; venv is another package on Debian. Returns `None` and records a skip if that fails.
pub fn python_packages(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = temporary_folder().join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let fresh = tempfile::tempdir_in(temporary_folder()).unwrap();
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
    // Another test may have installed the same packages meanwhile.
    if fs::rename(&fresh, &folder).is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    folder.is_dir().then_some(folder)
}

/// The build's folder for files that tests keep.
fn temporary_folder() -> PathBuf {
    let folder = crate::program().ancestors().nth(2).unwrap().join("tmp");
    fs::create_dir_all(&folder).unwrap();
    folder
}
