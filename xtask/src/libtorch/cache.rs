//! The folder for libtorch in the user's cache, its lock, and its disk space.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::DecimalBytes;

/// Returns `mammoscope/libtorch` in `$XDG_CACHE_HOME`, or in `~/.cache` if that is not set.
pub(super) fn cache_folder() -> anyhow::Result<PathBuf> {
    // The XDG specification: relative paths must be ignored.
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let cache = match named {
        Some(folder) => folder,
        None => env::home_dir().context("no cache folder: neither XDG_CACHE_HOME nor HOME is set")?.join(".cache"),
    };
    Ok(cache.join("mammoscope").join("libtorch"))
}

/// A lock held while libtorch is fetched; a second set-up waits for the first. The system releases it when the process
/// ends in any way.
#[derive(Debug)]
pub(super) struct SetupLock {
    _file: File,
}

impl SetupLock {
    /// Creates the folder and acquires its lock, waiting while another process holds it.
    pub(super) fn acquire(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create the folder {}", folder.display()))?;
        let path = folder.join("lock");
        let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("another set-up is running in {}: waiting for it", folder.display());
                file.lock().with_context(|| format!("lock {}", path.display()))?;
            }
            // A file system without locks, such as some NFS mounts: concurrent set-ups are then merely slower.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", path.display())),
        }
        Ok(Self { _file: file })
    }
}

/// Fails if the disk of `folder` has less than `bytes` free for this user.
pub(super) fn require_space(folder: &Path, bytes: u64) -> anyhow::Result<()> {
    let disk =
        rustix::fs::statvfs(folder).with_context(|| format!("determine the free space under {}", folder.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < bytes {
        bail!(
            "not enough disk space: libtorch needs {} under {}, {} are free; free some, or set XDG_CACHE_HOME to \
             a folder on another disk",
            DecimalBytes(bytes),
            folder.display(),
            DecimalBytes(free)
        );
    }
    Ok(())
}

/// Flushes everything written under `folder` to disk, so that after a crash the following rename never refers to
/// missing data.
pub(super) fn flush_to_disk(folder: &Path) -> anyhow::Result<()> {
    let folder_file = File::open(folder).with_context(|| format!("open {}", folder.display()))?;
    rustix::fs::syncfs(&folder_file).with_context(|| format!("flush {} to the disk", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_reported_with_both_figures() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        require_space(folder.path(), 1).expect("one byte is free");
        let error = require_space(folder.path(), u64::MAX).expect_err("no disk is that large").to_string();
        assert!(error.contains("not enough disk space") && error.contains("are free"), "{error}");
    }

    #[test]
    fn the_lock_is_released_when_dropped() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = SetupLock::acquire(folder.path()).expect("the first lock");
        let file = File::open(folder.path().join("lock")).expect("the lock's file");
        assert!(matches!(file.try_lock(), Err(TryLockError::WouldBlock)), "a second one must wait");
        drop(first);
        file.try_lock().expect("free again");
    }
}
