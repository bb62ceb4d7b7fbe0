//! The cache file: pixels, then a table of contents, then a trailer.
//!
//! `pixels (slots × size × size × channels bytes) · contents (JSON) · length of the contents (u64) · their CRC-32C (u32)
//! · MAGIC`, numbers little-endian. The pixels come first, so that they are page-aligned; the contents come last, since
//! they are complete only after all images have been decoded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::content_index::ContentHash;
use super::image_record::PreparedImage;
use super::{CacheStage, Counter, PixelCache, PixelCacheError, disk_room};
use mammoscope_domain::run::dataset_manifest::PixelFacts;
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::raster::{Channels, Raster};

const MAGIC: [u8; 8] = *b"MSPIXELS";
const TRAILER: usize = 8 + 4 + MAGIC.len();
const BUFFER: usize = 1 << 20;

/// The result of decoding an image file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum CachedContent {
    Pixels { slot: usize, facts: PixelFacts, signature: Option<PictureSignature> },
    Undecodable { reason: String },
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    size: usize,
    channels: usize,
    /// CRC-32C of the pixels in every slot.
    checksums: Vec<u32>,
    images: BTreeMap<ContentHash, CachedContent>,
}

impl Contents {
    fn bytes_per_slot(&self) -> Option<usize> {
        self.size.checked_mul(self.size)?.checked_mul(self.channels)
    }

    /// True if the contents are consistent with images of `size` in a file with this number of bytes of pixels.
    fn match_file(&self, size: usize, pixels: usize) -> bool {
        let slots = self.checksums.len();
        self.size == size
            && matches!(self.channels, 1 | 3)
            && self.bytes_per_slot().and_then(|bytes| bytes.checked_mul(slots)) == Some(pixels)
            && self.images.values().all(|image| match image {
                CachedContent::Pixels { slot, .. } => *slot < slots,
                CachedContent::Undecodable { .. } => true,
            })
    }
}

/// A memory-mapped cache file.
#[derive(Debug)]
pub(super) struct CacheFile {
    path: PathBuf,
    map: Mmap,
    contents: Contents,
}

impl CacheFile {
    /// Opens the file at this path; `None` if it is missing or damaged. The pixels are not verified yet.
    pub(super) fn open(path: &Path, size: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        // Marks the file as used: the least recently used one is removed first. A read-only folder is fine.
        let _ = file.set_modified(SystemTime::now());
        Self::of(&file, path, size)
    }

    fn of(file: &File, path: &Path, size: usize) -> Option<Self> {
        // SAFETY: a cache file gets its name when it is complete. It may be replaced or removed, but is never written to
        // again.
        let map = unsafe { Mmap::map(file) }.ok()?;
        let (before, trailer) = map.split_at_checked(map.len().checked_sub(TRAILER)?)?;
        let (length, trailer) = trailer.split_first_chunk::<8>()?;
        let (checksum, magic) = trailer.split_first_chunk::<4>()?;
        let pixels = before.len().checked_sub(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let json = &before[pixels..];
        if magic != MAGIC || crc32c::crc32c(json) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let contents: Contents = serde_json::from_slice(json).ok()?;
        contents.match_file(size, pixels).then(|| Self { path: path.to_owned(), map, contents })
    }

    /// Verifies the checksums of all pixels.
    pub(super) fn is_intact(&self, cache: &PixelCache) -> Result<bool, PixelCacheError> {
        let checksums = &self.contents.checksums;
        let counter = Counter::new(cache, CacheStage::Verifying, checksums.len());
        let intact = checksums.par_iter().enumerate().map(|(slot, checksum)| {
            counter.check_cancelled()?;
            let intact = crc32c::crc32c(self.pixels(slot)) == *checksum;
            counter.step();
            Ok(intact)
        });
        intact.try_reduce(|| true, |one, other| Ok(one && other))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn size(&self) -> usize {
        self.contents.size
    }

    pub(super) fn channels(&self) -> usize {
        self.contents.channels
    }

    pub(super) fn content(&self, content: &ContentHash) -> Option<&CachedContent> {
        self.contents.images.get(content)
    }

    pub(super) fn pixels(&self, slot: usize) -> &[u8] {
        assert!(slot < self.contents.checksums.len(), "there is no image {slot}");
        let bytes = self.contents.bytes_per_slot().expect("checked when the file was opened");
        &self.map[slot * bytes..(slot + 1) * bytes]
    }
}

/// A cache file under construction, with a temporary name. It is removed on drop.
pub(super) struct CacheWriter {
    folder: PathBuf,
    file: BufWriter<File>,
    /// Removes the file unless it is put in place.
    temporary: TempPath,
    contents: Contents,
}

impl CacheWriter {
    /// Creates a file for grey images.
    pub(super) fn create(folder: &Path, size: usize) -> io::Result<Self> {
        let contents = Contents { size, channels: 1, checksums: Vec::new(), images: BTreeMap::new() };
        let (file, temporary) = temporary_file(folder)?;
        Ok(Self { folder: folder.to_owned(), file, temporary, contents })
    }

    /// True if these are the first coloured pixels.
    pub(super) fn widens_for(&self, pixels: &Raster<u8>) -> bool {
        self.contents.channels == 1 && pixels.channels() == Channels::Rgb
    }

    /// Adds the result of a file. Files that have changed are left out.
    pub(super) fn add(&mut self, content: &ContentHash, image: PreparedImage) -> io::Result<()> {
        let cached = match image {
            PreparedImage::Changed => return Ok(()),
            PreparedImage::Undecodable { reason } => CachedContent::Undecodable { reason },
            PreparedImage::Decoded { pixels, facts, signature } => {
                if self.widens_for(&pixels) {
                    self.widen()?;
                }
                let slot = self.contents.checksums.len();
                if self.contents.channels > pixels.channels().count() {
                    self.append(&tripled(pixels.samples()))?;
                } else {
                    self.append(pixels.samples())?;
                }
                CachedContent::Pixels { slot, facts, signature }
            }
        };
        self.contents.images.insert(content.clone(), cached);
        Ok(())
    }

    /// The hashes of the files that were added, in order.
    pub(super) fn contents(&self) -> impl Iterator<Item = &ContentHash> {
        self.contents.images.keys()
    }

    /// Puts the file in place and maps it.
    pub(super) fn finish(mut self, path: &Path) -> io::Result<CacheFile> {
        let json = serde_json::to_vec(&self.contents)?;
        self.file.write_all(&json)?;
        self.file.write_all(&(json.len() as u64).to_le_bytes())?;
        self.file.write_all(&crc32c::crc32c(&json).to_le_bytes())?;
        self.file.write_all(&MAGIC)?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        // A full disk should fail here, not later as unreadable pages.
        file.sync_all()?;
        // Maps this file, not the one of that name: another process may replace or remove it meanwhile.
        self.temporary.persist(path).map_err(|error| error.error)?;
        CacheFile::of(&file, path, self.contents.size)
            .ok_or_else(|| io::Error::other("the written file cannot be read back"))
    }

    fn append(&mut self, pixels: &[u8]) -> io::Result<()> {
        self.contents.checksums.push(crc32c::crc32c(pixels));
        self.file.write_all(pixels)
    }

    /// Rewrites all pixels with three channels instead of one.
    fn widen(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let (file, temporary) = temporary_file(&self.folder)?;
        let mut grey = std::mem::replace(&mut self.file, file);
        let _removed_at_the_end = std::mem::replace(&mut self.temporary, temporary);
        grey.rewind()?;
        let mut grey = BufReader::with_capacity(BUFFER, grey.get_mut());
        let mut pixels = vec![0; self.contents.size * self.contents.size];
        let slots = std::mem::take(&mut self.contents.checksums).len();
        self.contents.channels = 3;
        for _ in 0..slots {
            grey.read_exact(&mut pixels)?;
            self.append(&tripled(&pixels))?;
        }
        Ok(())
    }
}

fn tripled(grey: &[u8]) -> Vec<u8> {
    grey.iter().flat_map(|&level| [level; 3]).collect()
}

/// A file and what removes it. Its errors are those of the system, which say whether trying again may help; a
/// `NamedTempFile` would wrap them.
fn temporary_file(folder: &Path) -> io::Result<(BufWriter<File>, TempPath)> {
    let create = |path: &Path| {
        let mut options = File::options();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.read(true).write(true).create_new(true).open(path)
    };
    let (file, temporary) = tempfile::Builder::new().suffix(disk_room::PART).make_in(folder, create)?.into_parts();
    // The lock tells other processes that the writer is alive; on file systems without locks they go by the file's age.
    let _ = file.try_lock();
    Ok((BufWriter::with_capacity(BUFFER, file), temporary))
}
