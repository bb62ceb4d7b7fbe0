//! The disk space of the cache: less than is free, and within its budget.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::PixelCacheError;

/// The suffix of files under construction.
pub(super) const PART: &str = ".part";
const CACHE: &str = "pixels";
/// The most bytes of all cache files apart from the one in use; the least recently used are removed first. Enough for four
/// views of 15,000 grey images of 650 × 650 pixels.
const BUDGET: u64 = 32 << 30;
/// Bytes needed besides the pixels: the table of contents, and space for checkpoints.
const MARGIN: u64 = 4 << 20;
/// An unlocked file under construction that has not been written to for this long is abandoned.
const ABANDONED: Duration = Duration::from_secs(600);

/// The path of a cache file by its key: `650px-0f3a….pixels`.
pub(super) fn cache_path(folder: &Path, size: usize, key: &str) -> PathBuf {
    folder.join(format!("{size}px-{key}.{CACHE}"))
}

/// Ensures that an eighth more than `bytes` can be written, removing cache files other than `keep` if necessary.
pub(super) fn make_room(folder: &Path, keep: &Path, bytes: u64) -> Result<(), PixelCacheError> {
    make_room_within(folder, keep, bytes, || free_bytes(folder))
}

fn make_room_within(
    folder: &Path,
    keep: &Path,
    bytes: u64,
    free: impl Fn() -> Option<u64>,
) -> Result<(), PixelCacheError> {
    let needed = bytes + bytes / 8 + MARGIN;
    let mut others = other_caches(folder, keep).into_iter();
    loop {
        match free() {
            Some(free) if free < needed => match others.next() {
                // If it cannot be removed, the next one is tried.
                Some(oldest) => drop(fs::remove_file(oldest.path)),
                None => return Err(PixelCacheError::NoRoom { folder: folder.to_owned(), needed, free }),
            },
            // If the free space is unknown, writing is simply tried.
            _ => return Ok(()),
        }
    }
}

/// Removes the least recently used cache files other than `keep` until the rest is within the budget. A process that has
/// mapped a removed file keeps its pixels.
pub(super) fn keep_within_budget(folder: &Path, keep: &Path) {
    keep_within(folder, keep, BUDGET);
}

fn keep_within(folder: &Path, keep: &Path, budget: u64) {
    let others = other_caches(folder, keep);
    let mut total: u64 = others.iter().map(|cache| cache.length).sum();
    for cache in others {
        if total <= budget {
            break;
        }
        if fs::remove_file(&cache.path).is_ok() {
            total -= cache.length;
        }
    }
}

/// Removes the unfinished files of killed processes.
pub(super) fn remove_orphans(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_old = || {
            let modified = entry.metadata().and_then(|file| file.modified()).ok()?;
            Some(SystemTime::now().duration_since(modified).ok()? > ABANDONED)
        };
        let is_part = entry.file_name().as_encoded_bytes().ends_with(PART.as_bytes());
        if is_part && is_old() == Some(true) && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

struct OtherCache {
    used: SystemTime,
    length: u64,
    path: PathBuf,
}

/// All cache files except `keep`, the least recently used first.
fn other_caches(folder: &Path, keep: &Path) -> Vec<OtherCache> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut caches: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == CACHE) && path != keep)
        .filter_map(|path| {
            let file = fs::metadata(&path).ok()?;
            Some(OtherCache { used: file.modified().ok()?, length: file.len(), path })
        })
        .collect();
    caches.sort_by_key(|cache| cache.used);
    caches
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cache files of 10 bytes, the least recently used first.
    fn caches(folder: &Path) -> [PathBuf; 3] {
        ["a", "b", "c"].map(|key| {
            let path = cache_path(folder, 8, key);
            fs::write(&path, [0; 10]).unwrap();
            let age = Duration::from_secs(300 - 100 * u64::from(key.as_bytes()[0] - b'a'));
            File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
            path
        })
    }

    #[test]
    fn the_least_recently_used_are_removed_first() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = caches(folder.path());
        keep_within(folder.path(), &a, 20);
        assert!(a.exists() && b.exists() && c.exists());
        keep_within(folder.path(), &a, 19);
        assert!(a.exists() && !b.exists() && c.exists());
        keep_within(folder.path(), &a, 0);
        assert!(a.exists() && !c.exists());
    }

    #[test]
    fn no_more_caches_are_removed_than_needed() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = caches(folder.path());
        let free = || Some(MARGIN + if a.exists() { 0 } else { 90 });
        make_room_within(folder.path(), &c, 80, free).unwrap();
        assert!(!a.exists() && b.exists() && c.exists());
        let error = make_room_within(folder.path(), &c, 81, free).unwrap_err().to_string();
        assert!(!b.exists() && c.exists());
        let (needed, free) = (MARGIN + 91, MARGIN + 90);
        assert!(error.contains(&format!("needs {needed} bytes, but only {free} bytes are free")), "{error}");
        make_room_within(folder.path(), &c, 1 << 60, || None).unwrap();
    }

    #[test]
    fn free_space_is_read_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let too_much = make_room(folder.path(), Path::new("none"), 1 << 60).unwrap_err();
        assert!(matches!(too_much, PixelCacheError::NoRoom { free, .. } if free > 0));
    }

    #[test]
    fn only_abandoned_parts_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * ABANDONED;
        let part = |name: &str, modified: SystemTime| {
            let path = folder.path().join(name);
            let file = File::create(&path).unwrap();
            file.set_modified(modified).unwrap();
            (path, file)
        };
        let (killed, _) = part("killed.part", old);
        let (alive, locked) = part("alive.part", old);
        locked.try_lock().unwrap();
        let (fresh, _) = part("fresh.part", SystemTime::now());
        let (other, _) = part("files.json", old);
        remove_orphans(folder.path());
        assert!(!killed.exists() && alive.exists() && fresh.exists() && other.exists());
    }
}
