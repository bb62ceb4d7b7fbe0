//! Detection of files with the same content, cheapest tests first: length, then the first bytes, then all bytes.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use mammoscope_domain::cancellation::Cancellation;

use sha2::{Digest as _, Sha256};

/// Bytes compared first among files of the same length; most differ there.
const BEGINNING: u64 = 1 << 14;

/// The groups of identical files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuplicateAudit {
    /// Groups of at least two files with the same content, in the given order.
    pub groups: Vec<Vec<PathBuf>>,
    /// Number of files compared.
    pub files: usize,
    /// Number of files that could not be read; they are in no group.
    pub unreadable: usize,
}

/// Finds the files with the same content. Files with a unique length are not opened. Returns `None` if
/// cancelled.
#[must_use]
pub fn find_duplicates(paths: Vec<PathBuf>, cancellation: Cancellation<'_>) -> Option<DuplicateAudit> {
    let mut audit = DuplicateAudit { files: paths.len(), ..DuplicateAudit::default() };
    let alike = split(vec![paths], cancellation, &mut audit.unreadable, |path| {
        std::fs::metadata(path).map(|facts| facts.len())
    })?;
    let alike = split(alike, cancellation, &mut audit.unreadable, |path| digest(path, BEGINNING))?;
    audit.groups = split(alike, cancellation, &mut audit.unreadable, |path| digest(path, u64::MAX))?;
    Some(audit)
}

/// Splits groups by a feature and drops those left with one file.
fn split<K: Eq + Hash>(
    groups: Vec<Vec<PathBuf>>,
    cancellation: Cancellation<'_>,
    unreadable: &mut usize,
    feature: impl Fn(&Path) -> io::Result<K>,
) -> Option<Vec<Vec<PathBuf>>> {
    let mut parts = Vec::new();
    for group in groups {
        let mut index_of: HashMap<K, usize> = HashMap::new();
        let mut found: Vec<Vec<PathBuf>> = Vec::new();
        for path in group {
            if cancellation.is_cancelled() {
                return None;
            }
            match feature(&path) {
                Ok(key) => {
                    let index = *index_of.entry(key).or_insert_with(|| {
                        found.push(Vec::new());
                        found.len() - 1
                    });
                    found[index].push(path);
                }
                Err(_) => *unreadable += 1,
            }
        }
        parts.extend(found.into_iter().filter(|alike| alike.len() > 1));
    }
    Some(parts)
}

fn digest(path: &Path, limit: u64) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?.take(limit);
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum.finalize().into()),
            length => sum.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_files_with_the_same_bytes_are_duplicates() {
        let folder = tempfile::tempdir().unwrap();
        let long = |end: u8| {
            let mut bytes = vec![7; BEGINNING as usize + 100];
            bytes.push(end);
            bytes
        };
        let mut paths = Vec::new();
        for (name, bytes) in [
            ("a.png", b"one".to_vec()),
            ("b.png", b"two".to_vec()),
            ("c.png", b"one".to_vec()),
            ("d.png", long(1)),
            ("e.png", long(2)),
            ("f.png", long(1)),
            ("g.png", b"alone".to_vec()),
        ] {
            fs::write(folder.path().join(name), bytes).unwrap();
            paths.push(folder.path().join(name));
        }
        paths.push(folder.path().join("gone.png"));
        let audit = find_duplicates(paths.clone(), Cancellation::never()).unwrap();
        let names: Vec<Vec<String>> = audit
            .groups
            .iter()
            .map(|group| group.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
            .collect();
        assert_eq!(names, [["a.png", "c.png"], ["d.png", "f.png"]]);
        assert_eq!((audit.files, audit.unreadable), (8, 1));
        assert_eq!(find_duplicates(paths, Cancellation::new(&|| true)), None);
    }
}
