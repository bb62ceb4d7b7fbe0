//! A directory that stays within reach of this process when it is renamed or moved.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::io::{FdFlags, dup2, fcntl_setfd};

/// The system's mark at the end of the path of a directory that was removed.
const REMOVED: &[u8] = b" (deleted)";

/// A directory that this process holds open.
#[derive(Debug)]
pub(super) struct HeldDirectory {
    descriptor: Mutex<OwnedFd>,
    /// `/proc/self/fd/N`: the system follows it to the open directory itself, whatever its name is by then, and never to
    /// another one that has taken its place.
    link: PathBuf,
    /// The path at which it was opened.
    opened_at: PathBuf,
    /// The path at which it was last found.
    last_path: Mutex<PathBuf>,
}

impl HeldDirectory {
    /// `None` if the directory cannot be opened, or the system has no such links.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let directory = File::open(path).ok()?;
        let link = link_of(&directory);
        let leads_there = is_same(&fs::metadata(&link).ok()?, &directory.metadata().ok()?);
        leads_there.then(|| Self {
            descriptor: Mutex::new(directory.into()),
            link,
            opened_at: path.to_owned(),
            last_path: Mutex::new(path.to_owned()),
        })
    }

    /// The path by which this process reaches the directory.
    pub(super) fn link(&self) -> &Path {
        &self.link
    }

    /// True if the path at which it was opened no longer leads to it.
    pub(super) fn has_moved(&self) -> bool {
        !self.is_at(&self.opened_at)
    }

    /// The path of the directory, or the last known one if it cannot be found: it was removed, or its file system is away.
    pub(super) fn shown_path(&self) -> PathBuf {
        let mut last = self.last_path.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = self.present_path() {
            *last = path;
        }
        last.clone()
    }

    /// True if the directory was removed.
    pub(super) fn is_removed(&self) -> bool {
        match fs::metadata(&self.link) {
            // Some file systems keep the number of links of a removed directory, others have none for any.
            Ok(facts) => (facts.nlink() == 0 || self.is_marked_as_removed()) && self.present_path().is_none(),
            // A file server that restarts gives errors, too, but does not say that there is nothing.
            Err(_) => is_missing(&self.shown_path()),
        }
    }

    fn is_marked_as_removed(&self) -> bool {
        fs::read_link(&self.link).is_ok_and(|target| target.as_os_str().as_bytes().ends_with(REMOVED))
    }

    fn present_path(&self) -> Option<PathBuf> {
        // As it was opened, if possible: the system's own path has no links.
        let candidates = [Some(self.opened_at.clone()), fs::read_link(&self.link).ok()];
        candidates.into_iter().flatten().find(|path| self.is_at(path))
    }

    /// Opens the directory again at its last path if the descriptor leads nowhere, as after its file system was mounted
    /// again, and if `is_own` recognises it.
    pub(super) fn reopen_if_stale(&self, is_own: impl FnOnce(&Path) -> bool) -> io::Result<()> {
        if self.link.is_dir() {
            return Ok(());
        }
        let directory = File::open(self.shown_path())?;
        if is_own(&link_of(&directory)) {
            // The number stays the same, and with it the link.
            let mut descriptor = self.descriptor.lock().unwrap_or_else(PoisonError::into_inner);
            dup2(&directory, &mut descriptor)?;
            fcntl_setfd(&*descriptor, FdFlags::CLOEXEC)?;
        }
        Ok(())
    }

    fn is_at(&self, path: &Path) -> bool {
        let facts = (fs::metadata(path), fs::metadata(&self.link));
        matches!(facts, (Ok(there), Ok(held)) if is_same(&there, &held))
    }
}

/// True if there is nothing at a path, as far as the system can say.
pub(super) fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn link_of(directory: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_reached_by_any_name_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (old, other) = (folder.path().join("old"), folder.path().join("other"));
        fs::create_dir(&old).unwrap();
        let held = HeldDirectory::open(&old).unwrap();
        assert_eq!((held.shown_path(), held.has_moved(), held.is_removed()), (old.clone(), false, false));

        // Another directory takes its place, and its new name looks like that of a removed one.
        let new = other.join("new (deleted)");
        fs::create_dir(&other).unwrap();
        fs::rename(&old, &new).unwrap();
        fs::create_dir(&old).unwrap();
        fs::write(held.link().join("file"), b"").unwrap();
        assert!(new.join("file").exists() && !old.join("file").exists());
        assert_eq!((held.shown_path(), held.has_moved(), held.is_removed()), (new.clone(), true, false));

        // The folder above it is renamed.
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&other, &elsewhere).unwrap();
        let new = elsewhere.join("new (deleted)");
        assert_eq!((held.shown_path(), held.is_removed()), (new.clone(), false));
        fs::remove_dir_all(&new).unwrap();
        assert_eq!((held.shown_path(), held.has_moved(), held.is_removed()), (new.clone(), true, true));
        fs::create_dir(&new).unwrap();
        assert!(held.is_removed(), "another one of its last name");
        assert!(fs::write(held.link().join("file"), b"").is_err());
        assert!(HeldDirectory::open(&folder.path().join("none")).is_none());
    }

    #[test]
    fn a_stale_descriptor_is_replaced_if_the_directory_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), b"own").unwrap();
        let held = HeldDirectory::open(&path).unwrap();
        // A descriptor of a pipe stands for one whose file system was unmounted: it leads to no directory.
        let (_, pipe) = std::io::pipe().unwrap();
        dup2(&pipe, &mut held.descriptor.lock().unwrap()).unwrap();
        held.reopen_if_stale(|_| false).unwrap();
        assert!(!held.link().join("file").exists() && !held.is_removed() && held.shown_path() == path);
        held.reopen_if_stale(|directory| fs::read(directory.join("file")).unwrap() == b"own").unwrap();
        assert!(held.link().join("file").exists() && !held.has_moved());
        held.reopen_if_stale(|_| panic!("it is not stale")).unwrap();
    }
}
