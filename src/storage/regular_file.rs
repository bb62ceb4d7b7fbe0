//! Whole files into memory, with a limit: never a pipe that waits for its writer, or a device that has no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a regular file of at most `limit` bytes.
pub fn read_regular_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for its writer.
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
    // A file that grows meanwhile is read to the limit and no further.
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_within_the_limit_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(read_regular_file(&path, 4).unwrap(), b"1234");
        assert!(read_regular_file(&path, 3).unwrap_err().to_string().contains("4 bytes"));
        assert!(read_regular_file(folder.path(), 9).unwrap_err().to_string().contains("folder"));
        assert_eq!(read_regular_file(&folder.path().join("gone"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_refused_without_reading() {
        assert!(read_regular_file(Path::new("/dev/zero"), 9).unwrap_err().to_string().contains("device"));
    }
}
