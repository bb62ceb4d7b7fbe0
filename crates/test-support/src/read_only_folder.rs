//! Folders that cannot be written to, for this user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::{names_in, skipped};

/// The attempts to make the file system read-only.
const ATTEMPTS: usize = 100;

/// A copy of a folder that can only be read, until it is dropped.
pub struct ReadOnlyCopy {
    path: PathBuf,
    is_mounted: bool,
}

impl ReadOnlyCopy {
    /// Copies `folder` to `path`, which must not exist: on a file system of its own, mounted read-only, or, where that is
    /// not permitted, without the permission to write. Returns `None` and reports a skip if neither holds for this user.
    pub fn make(folder: &Path, path: &Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mut copy = Self { path: path.to_owned(), is_mounted: false };
        let is_mounted = mount(&["-t", "tmpfs", "-o", "size=64m", "none"], path);
        copy_folder(folder, path);
        // A process that another test has just started may still have a file open that was being written here.
        let remount = || (0..ATTEMPTS).any(|_| mount(&["-o", "remount,ro"], path) || pause());
        copy.is_mounted = is_mounted && remount();
        if is_mounted && !copy.is_mounted {
            let _ = Command::new("umount").arg(path).stderr(Stdio::null()).status();
            copy_folder(folder, path);
        }
        if !copy.is_mounted {
            let _ = Command::new("chmod").args(["-R", "a-w"]).arg(path).status();
        }
        if fs::write(path.join("probe"), "").is_ok() {
            skipped("this user can neither mount a read-only file system nor be kept from writing");
            return None;
        }
        Some(copy)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ReadOnlyCopy {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg(&self.path).status();
        } else {
            let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&self.path).status();
        }
    }
}

fn pause() -> bool {
    std::thread::sleep(Duration::from_millis(20));
    false
}

fn mount(options: &[&str], path: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(options).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names_in(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
