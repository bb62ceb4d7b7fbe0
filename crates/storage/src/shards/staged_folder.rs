//! Staged folders: outputs that appear in their folder together, or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A folder that is filled beside its destination under a temporary name, and moved into place by
/// [`StagedFolder::commit`]. Dropped without a commit, it leaves nothing behind.
#[derive(Debug)]
pub struct StagedFolder {
    destination: PathBuf,
    temporary: PathBuf,
}

impl StagedFolder {
    /// Starts a folder for `destination`; folders above it are made.
    pub fn create(destination: &Path) -> io::Result<Self> {
        // Follows links, so that the folder behind a link is filled.
        let destination = destination.canonicalize().unwrap_or_else(|_| destination.to_owned());
        if fs::metadata(&destination).is_ok_and(|there| !there.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is not a folder is in its place"));
        }
        let name =
            destination.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a folder name"))?;
        let temporary = destination.with_file_name(temporary_name(name, std::process::id()));
        if let Some(above) = destination.parent().filter(|above| !above.as_os_str().is_empty()) {
            fs::create_dir_all(above)?;
        }
        remove_orphans(&destination, name);
        fs::create_dir(&temporary)?;
        Ok(Self { destination, temporary })
    }

    /// The folder to fill.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Writes a file below the folder, with the folders above it.
    pub fn write(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        let path = self.temporary.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        let mut file = File::create(path)?;
        file.write_all(contents)?;
        file.sync_all()
    }

    /// Moves everything into place. In a folder that exists, files of the same names are replaced one by one, those
    /// named in `last` after all others; the rest of the folder is kept.
    pub fn commit(self, last: &[&str]) -> io::Result<()> {
        if !self.destination.exists() {
            return fs::rename(&self.temporary, &self.destination);
        }
        let mut files = Vec::new();
        files_below(&self.temporary, &mut files)?;
        let is_last = |path: &PathBuf| last.iter().any(|last| self.temporary.join(last) == *path);
        files.sort_by_key(|path| (is_last(path), path.clone()));
        for path in files {
            let below = path.strip_prefix(&self.temporary).expect("a file of the folder");
            let place = self.destination.join(below);
            if let Some(above) = place.parent() {
                fs::create_dir_all(above)?;
            }
            fs::rename(&path, &place)?;
        }
        Ok(())
    }
}

/// Returns `.<name>.<process>.part`.
fn temporary_name(name: &OsStr, process: u32) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{process}.part"));
    hidden
}

/// Removes temporary folders of the same destination whose processes no longer exist.
#[cfg(target_os = "linux")]
fn remove_orphans(destination: &Path, name: &OsStr) {
    let above = destination.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(above) else { return };
    let (prefix, suffix) = ([b".", name.as_encoded_bytes(), b"."].concat(), b".part");
    for entry in entries.flatten() {
        let folder = entry.file_name();
        let process = folder
            .as_encoded_bytes()
            .strip_prefix(prefix.as_slice())
            .and_then(|rest| rest.strip_suffix(suffix))
            .and_then(|number| std::str::from_utf8(number).ok()?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn remove_orphans(_destination: &Path, _name: &OsStr) {}

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        // After a commit the name no longer exists, or only empty folders are left.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_at_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("above/out");
        let staged = StagedFolder::create(&out).unwrap();
        staged.write("CC_R/a.txt", b"half").unwrap();
        assert!(!out.exists());
        drop(staged);
        assert!(names(&folder.path().join("above")).is_empty());
        let staged = StagedFolder::create(&out).unwrap();
        staged.write("CC_R/a.txt", b"whole").unwrap();
        staged.commit(&[]).unwrap();
        assert_eq!(fs::read(out.join("CC_R/a.txt")).unwrap(), b"whole");
        assert_eq!(names(&folder.path().join("above")), ["out"]);
    }

    #[test]
    fn an_existing_folder_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir_all(out.join("CC_R")).unwrap();
        fs::write(out.join("CC_R/a.txt"), b"old").unwrap();
        fs::write(out.join("CC_R/b.txt"), b"kept").unwrap();
        let staged = StagedFolder::create(&out).unwrap();
        staged.write("CC_R/a.txt", b"new").unwrap();
        staged.write("table.csv", b"new").unwrap();
        staged.commit(&["table.csv"]).unwrap();
        assert_eq!(fs::read(out.join("CC_R/a.txt")).unwrap(), b"new");
        assert_eq!((names(&out).len(), names(&out.join("CC_R")).len(), names(folder.path()).len()), (2, 2, 1));
        // No process has this number: it is above the largest that Linux assigns.
        let orphan = folder.path().join(".out.4194999.part");
        fs::create_dir_all(orphan.join("CC_R")).unwrap();
        drop(StagedFolder::create(&out).unwrap());
        assert!(!orphan.exists() || cfg!(not(target_os = "linux")));
        let in_the_way = StagedFolder::create(&out.join("table.csv")).unwrap_err();
        assert_eq!(in_the_way.kind(), io::ErrorKind::AlreadyExists);
    }
}
