//! The SHA-256 of image files. A file is read again only if it may have changed.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::image_record::UnusableImage;
use super::{CacheStage, Counter, PixelCache, PixelCacheError};
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_imaging::decode::{ImageError, read_file};

const INDEX_NAME: &str = "files.json";
/// The most files of other data sets in the index; if there are more, all of them are dropped and hashed again when needed.
const MAX_OTHER_FILES: usize = 100_000;
/// A file written less than this before it was read is not indexed: it may be written again within the clock's resolution,
/// with the same times (the race that git calls "racily clean").
const SETTLED: Duration = Duration::from_secs(2);

/// The SHA-256 of a file's bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ContentHash(String);

impl ContentHash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(hexadecimal(&Sha256::digest(bytes)))
    }

    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

/// The content of a file when it was read.
pub(super) struct FileContent {
    pub(super) content: ContentHash,
    pub(super) length: u64,
    pub(super) modified: SystemTime,
}

/// Metadata that change whenever a file is written or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileStamp {
    length: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// The inode's change time, which programs cannot set.
    changed: (i64, i64),
    inode: u64,
}

impl FileStamp {
    fn of(file: &Metadata) -> Self {
        Self {
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
            inode: file.ino(),
        }
    }

    /// True if the file had not been changed for a while at this time.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let latest = self.modified.max(self.changed).0;
        u64::try_from(latest).map_or(true, |latest| Duration::from_secs(latest) + SETTLED < now)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct IndexedFile {
    #[serde(flatten)]
    stamp: FileStamp,
    content: ContentHash,
}

/// Files by path. Files whose paths are not UTF-8 are not indexed.
type Index = HashMap<String, IndexedFile>;

/// Hashes all files; those that cannot be read are errors of their own.
pub(super) fn hash_files(
    cache: &PixelCache,
    samples: &[PathBuf],
) -> Result<Vec<Result<FileContent, UnusableImage>>, PixelCacheError> {
    let index = read_index(cache.folder);
    let counter = Counter::new(cache, CacheStage::Hashing, samples.len());
    let started = SystemTime::now();
    let found = samples
        .par_iter()
        .map(|path| {
            counter.check_cancelled()?;
            let found = content_of(path, path.to_str().and_then(|path| index.get(path)));
            counter.step();
            Ok(found)
        })
        .collect::<Result<Vec<_>, PixelCacheError>>()?;
    let fresh = samples.iter().zip(&found).filter_map(|(path, found)| {
        let (indexed, _) = found.as_ref().ok()?;
        indexed.stamp.is_settled(started).then(|| Some((path.to_str()?.to_owned(), indexed.clone())))?
    });
    update_index(cache.folder, &index, &fresh.collect());
    let content = |(indexed, modified): (IndexedFile, SystemTime)| FileContent {
        content: indexed.content,
        length: indexed.stamp.length,
        modified,
    };
    let unreadable = |error: ImageError| UnusableImage::Undecodable(error.to_string());
    Ok(found.into_iter().map(|found| found.map(content).map_err(unreadable)).collect())
}

/// What these files contained when they were last read; `None` if one of them is not in the index.
pub(super) fn known_files(cache: &PixelCache, samples: &[PathBuf]) -> Option<Vec<FileContent>> {
    let index = read_index(cache.folder);
    let known = |path: &PathBuf| {
        let IndexedFile { stamp, content } = index.get(path.to_str()?)?.clone();
        let (seconds, nanoseconds) = stamp.modified;
        let since_epoch = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?);
        Some(FileContent { content, length: stamp.length, modified: SystemTime::UNIX_EPOCH + since_epoch })
    };
    samples.iter().map(known).collect()
}

fn content_of(path: &Path, known: Option<&IndexedFile>) -> Result<(IndexedFile, SystemTime), ImageError> {
    let file = fs::metadata(path)?;
    let (stamp, modified) = (FileStamp::of(&file), file.modified()?);
    let content = match known {
        Some(known) if known.stamp == stamp => known.content.clone(),
        _ => ContentHash::of(&read_file(path)?),
    };
    Ok((IndexedFile { stamp, content }, modified))
}

/// Reads the index; a missing or damaged one is empty.
fn read_index(folder: &Path) -> Index {
    fs::read(folder.join(INDEX_NAME)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Adds files to the index. On failure they are hashed again the next time. If two processes do this at the same time, the
/// last one wins.
fn update_index(folder: &Path, known: &Index, fresh: &Index) {
    let is_known = |(path, file): (&String, &IndexedFile)| {
        known.get(path).is_some_and(|known| known.stamp == file.stamp && known.content == file.content)
    };
    if fresh.iter().all(is_known) {
        return;
    }
    let others = known.iter().filter(|(path, _)| !fresh.contains_key(*path));
    let others = others.clone().take(if others.count() <= MAX_OTHER_FILES { MAX_OTHER_FILES } else { 0 });
    let index: BTreeMap<&String, &IndexedFile> = others.chain(fresh).collect();
    let write = || -> Option<()> {
        let text = serde_json::to_vec(&index).ok()?;
        let mut file = tempfile::Builder::new().suffix(super::disk_room::PART).tempfile_in(folder).ok()?;
        file.write_all(&text).ok()?;
        file.persist(folder.join(INDEX_NAME)).ok().map(drop)
    };
    let _ = write();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str, seconds: i64) -> IndexedFile {
        let stamp = FileStamp { length: 3, modified: (seconds, 1), changed: (seconds, 2), inode: 7 };
        IndexedFile { stamp, content: ContentHash(content.to_owned()) }
    }

    #[test]
    fn the_index_keeps_old_and_new_files() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_index(folder.path()).is_empty());
        update_index(folder.path(), &Index::new(), &Index::from([("/a".to_owned(), file("1", 5))]));
        let known = read_index(folder.path());
        update_index(folder.path(), &known, &Index::from([("/b".to_owned(), file("2", 5))]));
        let known = read_index(folder.path());
        assert_eq!(known.len(), 2);
        assert_eq!(known["/a"].stamp, file("1", 5).stamp);
        assert_eq!(known["/b"].content.digits(), "2");
        fs::write(folder.path().join(INDEX_NAME), b"{\"/a\":").unwrap();
        assert!(read_index(folder.path()).is_empty(), "a damaged index is empty");
    }

    #[test]
    fn too_many_files_of_other_data_sets_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let many: Index = (0..=MAX_OTHER_FILES).map(|number| (format!("/{number}"), file("1", 5))).collect();
        update_index(folder.path(), &many, &Index::from([("/new".to_owned(), file("2", 5))]));
        assert_eq!(read_index(folder.path()).into_keys().collect::<Vec<_>>(), ["/new"]);
    }

    #[test]
    fn a_recently_written_file_is_not_settled() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let stamp = file("1", 100).stamp;
        assert!(!stamp.is_settled(at(99)) && !stamp.is_settled(at(102)) && stamp.is_settled(at(103)));
    }

    #[test]
    fn a_file_with_the_same_stamp_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        fs::write(&path, b"bytes").unwrap();
        let (found, _) = content_of(&path, None).unwrap();
        assert_eq!(found.content, ContentHash::of(b"bytes"));
        let known = IndexedFile { content: ContentHash("from the index".to_owned()), ..found };
        assert_eq!(content_of(&path, Some(&known)).unwrap().0.content, known.content);
        fs::write(&path, b"longer bytes").unwrap();
        assert_eq!(content_of(&path, Some(&known)).unwrap().0.content, ContentHash::of(b"longer bytes"));
    }
}
