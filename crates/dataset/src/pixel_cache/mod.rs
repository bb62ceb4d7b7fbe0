//! Images that are decoded and resized once, and then read from the memory-mapped file that they were kept in.
//!
//! A cache file is named by the SHA-256 of what is in it: the contents of the image files, whatever they are called and
//! wherever they lie, the size, the route, and the version of the code that made the pixels. So it is never out of date;
//! when an image changes, another file is looked for. Files that were not used for long are removed.

mod cache_file;
mod content_index;
mod disk_room;
mod image_record;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use self::cache_file::{CacheFile, CacheWriter, CachedContent};
use self::content_index::{ContentHash, FileContent, hash_files};
use self::disk_room::{cache_path, keep_within_budget, make_room, remove_orphans};
pub use self::image_record::{ImageRecord, verify_unchanged};
use self::image_record::{PreparedImage, prepare_image};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::raster::Raster;

/// Raised when decoding, resizing or the measured feature give other values than before, or the file's layout changes.
const VERSION: u32 = 3;
/// Images a thread that are decoded before they are written: enough that threads seldom wait for the slowest of them.
const IMAGES_A_THREAD: usize = 8;

/// How images are cached, and where.
#[derive(Clone, Copy)]
pub struct PixelCache<'a> {
    /// Where the files are kept; made when it is not there.
    pub folder: &'a Path,
    /// Rows and columns of a cached image; not zero.
    pub size: usize,
    /// How an image is resized.
    pub route: InputRoute,
    /// What is white in images of 16 bits.
    pub grey_range: GreyRange,
    /// Threads that read and decode; 0 takes all cores.
    pub threads: usize,
    /// What [`PixelFacts::grey_deviation`](mammoscope_domain::run::dataset_manifest::PixelFacts::grey_deviation) is, of an image
    /// as it was decoded.
    pub measure: fn(&Raster<u8>) -> Option<f64>,
    /// Hears after every image how far the work is, from many threads.
    pub on_progress: &'a (dyn Fn(CacheProgress) + Sync),
    /// Asked before every image; once it says yes, the work ends with [`PixelCacheError::Cancelled`].
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// How far the work is. `Hashing → (Verifying | Decoding | Verifying → Decoding)`: files that have not changed since
/// they were hashed last are done at once, and a cache file that is damaged is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheProgress {
    /// What is being done.
    pub stage: CacheStage,
    /// Images that are done.
    pub done: usize,
    /// Of how many.
    pub total: usize,
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStage {
    /// Image files are read for their checksums.
    Hashing,
    /// The pixels of the cache file are read for their checksums.
    Verifying,
    /// Images are decoded and resized.
    Decoding,
}

/// Why there are no cached images. An image that cannot be read is none of these: see [`CachedImages::records`].
#[derive(Debug, thiserror::Error)]
pub enum PixelCacheError {
    /// A file or folder cannot be made or written.
    #[error("write the pixel cache {}: {error}", printable_path(path))]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The disk is too full.
    #[error(
        "the pixel cache in {} needs {needed} bytes, and {free} bytes are free there; make room on that disk, or take a \
         smaller image size",
        printable_path(folder)
    )]
    NoRoom {
        /// Where.
        folder: PathBuf,
        /// Bytes that are needed, with a margin for what else is written.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The system gives no threads.
    #[error("start threads that decode images: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// It was to end.
    #[error("interrupted while images were read")]
    Cancelled,
}

/// The pixels of some image files.
#[derive(Debug)]
pub struct CachedImages {
    file: CacheFile,
    records: Vec<Result<ImageRecord, String>>,
}

impl PixelCache<'_> {
    /// The pixels of these files (absolute paths), from a cache file that has them, else from one that is made now.
    ///
    /// Several processes may do this at the same time; each ends with whole images.
    ///
    /// # Panics
    /// When the size is zero.
    pub fn open_or_build(&self, samples: &[PathBuf]) -> Result<CachedImages, PixelCacheError> {
        fs::create_dir_all(self.folder).map_err(|error| self.unwritable(error))?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build()?;
        pool.install(|| {
            let files = hash_files(self, samples)?;
            let mut contents = BTreeMap::new();
            for (path, file) in samples.iter().zip(&files) {
                if let Ok(file) = file {
                    contents.entry(&file.content).or_insert(path.as_path());
                }
            }
            let path = cache_path(self.folder, self.size, &self.key(contents.keys().copied()));
            let file = match CacheFile::open(&path, self.size) {
                Some(file) if file.is_whole(self)? => file,
                _ => self.build(&path, &contents)?,
            };
            keep_within_budget(self.folder, file.path());
            Ok(CachedImages::new(file, files))
        })
    }

    fn build(&self, path: &Path, contents: &BTreeMap<&ContentHash, &Path>) -> Result<CacheFile, PixelCacheError> {
        remove_orphans(self.folder);
        // As if all were grey, which they nearly always are.
        make_room(self.folder, path, (contents.len() * self.size * self.size) as u64)?;
        let mut writer = CacheWriter::create(self.folder, self.size).map_err(|error| self.unwritable(error))?;
        let counter = Counter::new(self, CacheStage::Decoding, contents.len());
        let contents: Vec<_> = contents.iter().collect();
        for part in contents.chunks(IMAGES_A_THREAD * rayon::current_num_threads()) {
            let prepared = part
                .par_iter()
                .map(|(content, path)| {
                    counter.check_cancelled()?;
                    let image = prepare_image(self, content, path);
                    counter.step();
                    Ok(image)
                })
                .collect::<Result<Vec<_>, PixelCacheError>>()?;
            for ((content, _), image) in part.iter().zip(prepared) {
                if matches!(&image, PreparedImage::Decoded { pixels, .. } if writer.widens_for(pixels)) {
                    // The grey file stands beside the coloured one until that is whole.
                    make_room(self.folder, path, (3 * counter.total * self.size * self.size) as u64)?;
                }
                writer.add(content, image).map_err(|error| self.unwritable(error))?;
            }
        }
        // Named by what is in it: a file that changed since it was hashed is not.
        let path = cache_path(self.folder, self.size, &self.key(writer.contents()));
        writer.finish(&path).map_err(|error| self.unwritable(error))
    }

    /// Checksum of everything that the pixels depend on.
    fn key<'c>(&self, contents: impl Iterator<Item = &'c ContentHash>) -> String {
        let mut hasher = Sha256::new();
        let Self { size, route, grey_range, .. } = self;
        hasher.update(format!("mammoscope pixel cache {VERSION}\n{size}\n{route}\n{grey_range}\n"));
        for content in contents {
            hasher.update(content.digits());
        }
        hexadecimal(&hasher.finalize())
    }

    fn unwritable(&self, error: io::Error) -> PixelCacheError {
        PixelCacheError::Write { path: self.folder.to_owned(), error }
    }
}

impl CachedImages {
    fn new(file: CacheFile, files: Vec<Result<FileContent, String>>) -> Self {
        let record = |found: FileContent| match file.content(&found.content) {
            Some(CachedContent::Pixels { slot, facts, signature }) => Ok(ImageRecord {
                slot: *slot,
                facts: facts.clone(),
                signature: signature.clone(),
                file_len: found.length,
                modified: found.modified,
            }),
            Some(CachedContent::Undecodable { reason }) => Err(reason.clone()),
            None => Err("changed while the images were read".to_owned()),
        };
        let records = files.into_iter().map(|found| found.and_then(record)).collect();
        Self { file, records }
    }

    /// Of every file, in the order in which they were asked for, what it is or why it cannot be used.
    pub fn records(&self) -> &[Result<ImageRecord, String>] {
        &self.records
    }

    /// How many files were asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none was asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Rows and columns of an image.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.size()
    }

    /// Samples a pixel: 1 when no image has colours, else 3 for all of them.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.file.channels()
    }

    /// The pixels of an image, size × size × channels, row by row with the channels innermost.
    ///
    /// # Panics
    /// When no record has this slot.
    #[must_use]
    pub fn pixels(&self, slot: usize) -> &[u8] {
        self.file.pixels(slot)
    }
}

/// Counts images across threads.
struct Counter<'a> {
    cache: &'a PixelCache<'a>,
    stage: CacheStage,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Counter<'a> {
    fn new(cache: &'a PixelCache<'a>, stage: CacheStage, total: usize) -> Self {
        Self { cache, stage, done: AtomicUsize::new(0), total }
    }

    fn check_cancelled(&self) -> Result<(), PixelCacheError> {
        if (self.cache.cancelled)() { Err(PixelCacheError::Cancelled) } else { Ok(()) }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.cache.on_progress)(CacheProgress { stage: self.stage, done, total: self.total });
    }
}

#[cfg(test)]
mod tests;
