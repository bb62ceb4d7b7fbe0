//! The cache file: all pixels, then what they are, then where that begins.
//!
//! `pixels (slots × size × size × channels bytes) · contents (JSON) · length of the contents (u64) · their CRC-32C (u32)
//! · MAGIC`, numbers little-endian. The pixels stand first, so that they begin on a page; the contents come last, because
//! only then it is known what they are.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::content_index::ContentHash;
use super::image_record::PreparedImage;
use super::{CacheStage, Counter, PixelCache, PixelCacheError, disk_room};
use mammoscope_domain::run::dataset_manifest::PixelFacts;
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::raster::{Channels, Raster};

const MAGIC: [u8; 8] = *b"MSPIXELS";
const TRAILER: usize = 8 + 4 + MAGIC.len();
const BUFFER: usize = 1 << 20;

/// What an image file came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum CachedContent {
    /// Its pixels are kept.
    Pixels { slot: usize, facts: PixelFacts, signature: Option<PictureSignature> },
    /// It is no image.
    Undecodable { reason: String },
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    size: usize,
    channels: usize,
    /// CRC-32C of the pixels of every slot.
    checksums: Vec<u32>,
    images: BTreeMap<ContentHash, CachedContent>,
}

impl Contents {
    fn bytes_a_slot(&self) -> Option<usize> {
        self.size.checked_mul(self.size)?.checked_mul(self.channels)
    }

    fn fit(&self, size: usize, pixels: usize) -> bool {
        let slots = self.checksums.len();
        self.size == size
            && matches!(self.channels, 1 | 3)
            && self.bytes_a_slot().and_then(|bytes| bytes.checked_mul(slots)) == Some(pixels)
            && self.images.values().all(|image| match image {
                CachedContent::Pixels { slot, .. } => *slot < slots,
                CachedContent::Undecodable { .. } => true,
            })
    }
}

/// A cache file in memory.
#[derive(Debug)]
pub(super) struct CacheFile {
    path: PathBuf,
    map: Mmap,
    contents: Contents,
}

impl CacheFile {
    /// The file at this path; `None` where there is none, or it is not what was once written there. The pixels are not
    /// looked at yet.
    pub(super) fn open(path: &Path, size: usize) -> Option<Self> {
        let file = File::open(path).ok()?;
        // What was not used for longest is removed first. A folder that cannot be written to is as good for reading.
        let _ = file.set_modified(SystemTime::now());
        Self::of(&file, path, size)
    }

    fn of(file: &File, path: &Path, size: usize) -> Option<Self> {
        // SAFETY: a cache file gets its name when it is whole, and is replaced or removed, but never written to again.
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
        contents.fit(size, pixels).then(|| Self { path: path.to_owned(), map, contents })
    }

    /// Whether all pixels are as they were written.
    pub(super) fn is_whole(&self, cache: &PixelCache) -> Result<bool, PixelCacheError> {
        let checksums = &self.contents.checksums;
        let counter = Counter::new(cache, CacheStage::Verifying, checksums.len());
        let fits = checksums.par_iter().enumerate().map(|(slot, checksum)| {
            counter.check_cancelled()?;
            let fits = crc32c::crc32c(self.pixels(slot)) == *checksum;
            counter.step();
            Ok(fits)
        });
        fits.try_reduce(|| true, |one, other| Ok(one && other))
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
        let bytes = self.contents.bytes_a_slot().expect("checked when the file was opened");
        &self.map[slot * bytes..(slot + 1) * bytes]
    }
}

/// A cache file under construction, with a temporary name; nothing remains of it when it is dropped.
pub(super) struct CacheWriter {
    folder: PathBuf,
    file: BufWriter<NamedTempFile>,
    contents: Contents,
}

impl CacheWriter {
    /// Begins a file for grey images.
    pub(super) fn create(folder: &Path, size: usize) -> io::Result<Self> {
        let contents = Contents { size, channels: 1, checksums: Vec::new(), images: BTreeMap::new() };
        Ok(Self { folder: folder.to_owned(), file: temporary_file(folder)?, contents })
    }

    /// Whether these are the first pixels with colours.
    pub(super) fn widens_for(&self, pixels: &Raster<u8>) -> bool {
        self.contents.channels == 1 && pixels.channels() == Channels::Rgb
    }

    /// Adds what a file came to. One that has changed is left out.
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

    /// The contents of the files that were added, in order.
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
        // A disk that turns out to be full is to say so now, and not by pages that cannot be read.
        file.as_file().sync_all()?;
        // The file in hand is mapped, not that of the name: another process may replace or remove that meanwhile.
        let file = file.persist(path).map_err(|error| error.error)?;
        CacheFile::of(&file, path, self.contents.size)
            .ok_or_else(|| io::Error::other("what was written cannot be read back"))
    }

    fn append(&mut self, pixels: &[u8]) -> io::Result<()> {
        self.contents.checksums.push(crc32c::crc32c(pixels));
        self.file.write_all(pixels)
    }

    /// From one channel to three: everything that was written is written again.
    fn widen(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let mut grey = std::mem::replace(&mut self.file, temporary_file(&self.folder)?);
        grey.rewind()?;
        let mut grey = BufReader::with_capacity(BUFFER, grey.get_mut().as_file_mut());
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

fn temporary_file(folder: &Path) -> io::Result<BufWriter<NamedTempFile>> {
    let file = tempfile::Builder::new().suffix(disk_room::PART).tempfile_in(folder)?;
    // By the lock others know that its writer is alive; on a file system without locks its age has to do.
    let _ = file.as_file().try_lock();
    Ok(BufWriter::with_capacity(BUFFER, file))
}
