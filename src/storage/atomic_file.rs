//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file under construction: written beside its destination under a temporary name, and put in place by
/// [`AtomicFile::commit`]. Dropped without a commit, it leaves nothing behind.
///
/// Temporary file → write → fsync → rename → fsync of the directory, so that a crash at any moment leaves the old file
/// or the new one.
#[derive(Debug)]
pub struct AtomicFile {
    destination: PathBuf,
    temporary: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Begins a file that is to stand at `destination`; the directory must exist.
    pub fn create(destination: &Path) -> io::Result<Self> {
        let name = destination
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let temporary = destination.with_file_name(hidden);
        let writer = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        Ok(Self { destination: destination.to_owned(), temporary, writer: Some(writer) })
    }

    /// Puts the file in place, replacing what stood there.
    pub fn commit(mut self) -> io::Result<()> {
        let writer = self.writer.take().expect("the writer is taken here only");
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&self.temporary, &self.destination)?;
        let directory = self.destination.parent().filter(|parent| !parent.as_os_str().is_empty());
        // Some file systems cannot open or sync a directory; the rename itself stands.
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
        // After a commit the name no longer exists; before one, nothing half written is to remain.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a whole file so that it is there whole or not at all.
pub fn write_atomically(destination: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(destination)?;
    file.write_all(contents)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_or_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("figures.json");
        let mut file = AtomicFile::create(&path).expect("a fresh file");
        file.write_all(b"half").expect("room on disk");
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0, "an uncommitted file leaves nothing");
        write_atomically(&path, b"first").expect("written");
        write_atomically(&path, b"second").expect("replaced");
        assert_eq!(fs::read(&path).expect("the file"), b"second");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }
}
