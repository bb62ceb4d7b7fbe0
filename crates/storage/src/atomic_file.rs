//! Atomic files: complete, or not there at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file that is written beside its destination under a temporary name and moved into place by [`AtomicFile::commit`].
/// Dropped without a commit, it leaves nothing behind.
///
/// Temporary file → write → fsync → rename → fsync of the directory: a crash at any moment leaves either the old file
/// or the new one.
#[derive(Debug)]
pub struct AtomicFile {
    destination: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Starts a file for `destination`, whose directory must exist.
    pub fn create(destination: &Path) -> io::Result<Self> {
        // So that the file behind a link is replaced. Pipes and devices must not be replaced by a file.
        let destination = &behind_links(destination);
        if std::fs::metadata(destination).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something that is not a file is in its place"));
        }
        let name =
            destination.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a file name"))?;
        let temporary = temporary_name(destination, name);
        remove_orphans(destination, name);
        let writer = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        Ok(Self { destination: destination.to_owned(), temporary, writer: Some(writer) })
    }

    /// Flushes everything written so far to disk, which fails if the disk is full. [`AtomicFile::commit`] does the
    /// same; call this to act between the two.
    pub fn sync(&mut self) -> io::Result<()> {
        let writer = self.writer.as_mut().expect("the writer is taken by commit only");
        writer.flush()?;
        writer.get_ref().sync_all()
    }

    /// Moves the file into place, replacing an existing one.
    pub fn commit(mut self) -> io::Result<()> {
        self.sync()?;
        drop(self.writer.take());
        fs::rename(&self.temporary, &self.destination)?;
        let directory = self.destination.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Some file systems cannot open or sync a directory; the rename is done all the same.
        if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
            let _ = directory.sync_all();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().expect("the writer is taken by commit only").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().expect("the writer is taken by commit only").flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After a commit the name no longer exists; without one, the half-written file goes.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// The existing file to which a path leads by links. The folder stays as it was given: its name may change at any time.
fn behind_links(path: &Path) -> PathBuf {
    let mut file = path.to_owned();
    // The system refuses chains of more links than that.
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&file) else { break };
        file = file.with_file_name(target);
    }
    if file.exists() { file } else { path.to_owned() }
}

/// Returns `.<name>.<process>-<number>.part` beside the destination. The number keeps two threads apart that write the
/// same file at the same time.
fn temporary_name(destination: &Path, name: &OsStr) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{}.part", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    destination.with_file_name(hidden)
}

/// Removes temporary files of the same destination whose processes no longer exist.
#[cfg(target_os = "linux")]
fn remove_orphans(destination: &Path, name: &OsStr) {
    let folder = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return };
    let (prefix, suffix) = ([b".", name.as_encoded_bytes(), b"."].concat(), b".part");
    for entry in entries.flatten() {
        let file = entry.file_name();
        let process = file
            .as_encoded_bytes()
            .strip_prefix(prefix.as_slice())
            .and_then(|rest| rest.strip_suffix(suffix))
            .and_then(|number| std::str::from_utf8(number).ok()?.split_once('-')?.0.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn remove_orphans(_destination: &Path, _name: &OsStr) {}

/// Writes a whole file atomically.
pub fn write_atomically(destination: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(destination)?;
    file.write_all(contents)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_appear_at_the_commit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("figures.json");
        let mut file = AtomicFile::create(&path).expect("a fresh file");
        file.write_all(b"half").expect("room on disk");
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "an uncommitted file leaves nothing");
        write_atomically(&path, b"first").expect("written");
        write_atomically(&path, b"second").expect("replaced");
        assert_eq!(fs::read(&path).expect("the file"), b"second");
        let folder_in_the_way = AtomicFile::create(folder.path()).expect_err("a folder is not a file");
        assert_eq!(folder_in_the_way.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn orphans_of_killed_processes_are_removed_and_links_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.csv"), folder.path().join("link.csv"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        // No process has this number: it is above the largest that Linux assigns.
        fs::write(folder.path().join(".real.csv.4194999-7.part"), b"orphan").unwrap();
        let ours = folder.path().join(format!(".real.csv.{}-7.part", std::process::id()));
        fs::write(&ours, b"under construction").unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(link.is_symlink() && ours.exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        // A chain of links, the second of which starts from its own folder.
        let chained = folder.path().join("chained.csv");
        std::os::unix::fs::symlink("link.csv", &chained).unwrap();
        write_atomically(&chained, b"newest").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"newest");
        assert!(chained.is_symlink() && link.is_symlink());
    }

    #[test]
    fn concurrent_writers_of_a_file_do_not_collide() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        let mut files = ["one", "two"].map(|text| (AtomicFile::create(&path).unwrap(), text));
        for (file, text) in &mut files {
            file.write_all(text.as_bytes()).unwrap();
            file.sync().unwrap();
        }
        for (file, text) in files {
            file.commit().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
