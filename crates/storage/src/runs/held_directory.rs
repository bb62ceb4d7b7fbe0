//! A directory that stays within reach of this process when it is renamed or moved.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The system's mark at the end of the path of a directory that was removed.
const REMOVED: &[u8] = b" (deleted)";

/// A directory that this process holds open.
#[derive(Debug)]
pub(super) struct HeldDirectory {
    /// The path at which it was opened.
    opened_at: PathBuf,
    /// `/proc/self/fd/N`: the system follows it to the open directory itself, whatever its name is by then, and never to
    /// another one that has taken its place.
    link: PathBuf,
    _descriptor: File,
}

impl HeldDirectory {
    /// `None` if the directory cannot be opened, or the system has no such links.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let descriptor = File::open(path).ok()?;
        let link = PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        let leads_there = is_same(&fs::metadata(&link).ok()?, &descriptor.metadata().ok()?);
        leads_there.then(|| Self { opened_at: path.to_owned(), link, _descriptor: descriptor })
    }

    /// The path by which this process reaches the directory.
    pub(super) fn link(&self) -> &Path {
        &self.link
    }

    /// True if the path at which it was opened no longer leads to it.
    pub(super) fn has_moved(&self) -> bool {
        !self.is_at(&self.opened_at)
    }

    /// The path that the directory has now; of one that was removed, its last path.
    pub(super) fn shown_path(&self) -> PathBuf {
        if !self.has_moved() {
            // As it was given, which may lead through links.
            return self.opened_at.clone();
        }
        match fs::read_link(&self.link) {
            Ok(path) if self.is_at(&path) => path,
            Ok(path) => without_mark(&path).unwrap_or(path),
            Err(_) => self.opened_at.clone(),
        }
    }

    /// True if the directory was removed.
    pub(super) fn is_removed(&self) -> bool {
        match fs::metadata(&self.link) {
            // Some file systems keep the number of links of a removed directory.
            Ok(facts) => {
                let target = fs::read_link(&self.link).unwrap_or_default();
                facts.nlink() == 0 || (without_mark(&target).is_some() && !self.is_at(&target))
            }
            // A file server that restarts gives errors, too, but does not say that there is nothing.
            Err(_) => is_missing(&self.opened_at),
        }
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

/// The path of a removed directory; `None` without the system's mark.
fn without_mark(path: &Path) -> Option<PathBuf> {
    path.as_os_str().as_bytes().strip_suffix(REMOVED).map(|bytes| OsStr::from_bytes(bytes).into())
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
}
