//! Reads whole files into memory, with a size limit and without blocking on pipes or endless devices.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use mammoscope_domain::text::foreign_file::ForeignFile;

/// Reads a regular file of at most `limit` bytes. A stand-in, such as a Git LFS pointer or the web page of a failed
/// download, is an error that names it.
pub fn read_regular_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Checked before opening: opening a pipe waits for its writer.
    let kind = std::fs::metadata(path)?;
    let refuse = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
    if kind.is_dir() {
        return Err(refuse("is a folder, not a file".to_owned()));
    }
    if !kind.is_file() {
        return Err(refuse("is a pipe or device, not a file".to_owned()));
    }
    if kind.len() > limit {
        return Err(refuse(format!("has {} bytes; files up to {limit} bytes are read here", kind.len())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(kind.len()).unwrap_or(0));
    // A file that grows in the meantime is read up to the limit.
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if let Some(file) = ForeignFile::of(&bytes).filter(|file| file.is_placeholder()) {
        return Err(refuse(format!("is {file}; {}", file.advice())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(read_regular_file(&path, 4).unwrap(), b"1234");
        assert!(read_regular_file(&path, 3).unwrap_err().to_string().contains("4 bytes"));
        std::fs::write(&path, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n").unwrap();
        let pointer = read_regular_file(&path, 100).unwrap_err().to_string();
        assert_eq!(pointer, "is a Git LFS pointer; fetch the file itself with `git lfs pull`");
        std::fs::write(&path, b"<html><title>Sign in</title>").unwrap();
        assert!(read_regular_file(&path, 100).unwrap_err().to_string().starts_with("is an HTML page; "));
        assert!(read_regular_file(folder.path(), 9).unwrap_err().to_string().contains("folder"));
        assert_eq!(read_regular_file(&folder.path().join("gone"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_refused_without_reading() {
        assert!(read_regular_file(Path::new("/dev/zero"), 9).unwrap_err().to_string().contains("device"));
    }
}
