//! A cache of decoded and resized images in memory-mapped files.
//!
//! A cache file is named by the SHA-256 of everything that its pixels depend on: the contents of the image files
//! (regardless of their names and folders), the size, the route, the grey range, and the version of the code. It is
//! therefore never out of date; if an image changes, the name of the cache file changes as well. The least recently used
//! files are removed.

mod cache_file;
mod content_index;
mod disk_room;
mod image_record;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use self::cache_file::{CacheFile, CacheWriter, CachedContent};
use self::content_index::{ContentHash, FileContent, hash_files, known_files};
use self::disk_room::{cache_path, keep_within_budget, make_room, remove_orphans};
pub use self::image_record::{ImageRecord, UnusableImage, verify_unchanged};
use self::image_record::{PreparedImage, prepare_image};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::raster::Raster;

/// The version of the pixels and the file format. Increased when decoding, resizing or the measured feature give different
/// values, or when the format changes.
const VERSION: u32 = 3;
/// Images decoded per thread before they are written: enough that threads seldom wait for the slowest one.
const IMAGES_PER_THREAD: usize = 8;

/// The settings of a pixel cache.
#[derive(Clone, Copy)]
pub struct PixelCache<'a> {
    /// The folder of the cache files; created if missing.
    pub folder: &'a Path,
    /// Side of a cached image in pixels; not zero.
    pub size: usize,
    /// The resizing algorithm.
    pub route: InputRoute,
    pub grey_range: GreyRange,
    /// Number of threads for reading and decoding; 0 uses all cores.
    pub threads: usize,
    /// Computes [`PixelFacts::grey_deviation`](mammoscope_domain::run::dataset_manifest::PixelFacts::grey_deviation) of a
    /// decoded image before resizing.
    pub measure: fn(&Raster<u8>) -> Option<f64>,
    /// Called after every image, from many threads.
    pub on_progress: &'a (dyn Fn(CacheProgress) + Sync),
    /// Called before every image; once it returns true, the work ends with [`PixelCacheError::Cancelled`].
    pub cancellation: Cancellation<'a>,
}

/// The progress of the work. `Hashing → (Verifying | Decoding | Verifying → Decoding)`: hashing skips files that have not
/// changed since the last time, and a damaged cache file is built again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheProgress {
    pub stage: CacheStage,
    /// Number of images processed in this stage.
    pub done: usize,
    /// Number of images in this stage.
    pub total: usize,
}

/// A stage of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStage {
    /// Hashing of the image files.
    Hashing,
    /// Verification of the checksums in the cache file.
    Verifying,
    /// Decoding and resizing of the images.
    Decoding,
}

/// An error of the cache as a whole. Single images that cannot be read are in [`CachedImages::records`].
#[derive(Debug, thiserror::Error)]
pub enum PixelCacheError {
    #[error("write the pixel cache {}: {error}", printable_path(path))]
    Write { path: PathBuf, error: io::Error },
    /// The disk has too little free space. `needed` includes a margin for other files.
    #[error(
        "the pixel cache in {} needs {needed} bytes, but only {free} bytes are free; free up space on that disk, or choose \
         a smaller image size",
        printable_path(folder)
    )]
    NoRoom { folder: PathBuf, needed: u64, free: u64 },
    #[error("start threads that decode images: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error("interrupted while reading images")]
    Cancelled,
}

/// The cached pixels of a list of image files.
#[derive(Debug)]
pub struct CachedImages {
    file: CacheFile,
    records: Vec<Result<ImageRecord, UnusableImage>>,
}

impl PixelCache<'_> {
    /// Opens the cache file for these image files (absolute paths), building it if necessary.
    ///
    /// Safe to run in several processes at the same time.
    ///
    /// # Panics
    /// If the size is zero.
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
                Some(file) if file.is_intact(self)? => file,
                _ => self.build(&path, &contents)?,
            };
            keep_within_budget(self.folder, file.path());
            Ok(CachedImages::new(file, files))
        })
    }

    /// Opens the cache file of these image files without looking at them, by what they contained when they were last read.
    /// `None` if one of them was never read, or the cache file is missing or damaged. The caller has to compare the facts of
    /// the pixels with what it expects.
    #[must_use]
    pub fn open_known(&self, samples: &[PathBuf]) -> Option<CachedImages> {
        let files = known_files(self, samples)?;
        let contents: BTreeSet<&ContentHash> = files.iter().map(|file| &file.content).collect();
        let path = cache_path(self.folder, self.size, &self.key(contents.into_iter()));
        let file = CacheFile::open(&path, self.size)?;
        let is_intact = file.is_intact(self).ok()?;
        is_intact.then(|| CachedImages::new(file, files.into_iter().map(Ok).collect()))
    }

    fn build(&self, path: &Path, contents: &BTreeMap<&ContentHash, &Path>) -> Result<CacheFile, PixelCacheError> {
        remove_orphans(self.folder);
        // Assumes that all images are grey, which is nearly always true.
        make_room(self.folder, path, (contents.len() * self.size * self.size) as u64)?;
        let mut writer = CacheWriter::create(self.folder, self.size).map_err(|error| self.unwritable(error))?;
        let counter = Counter::new(self, CacheStage::Decoding, contents.len());
        let contents: Vec<_> = contents.iter().collect();
        for part in contents.chunks(IMAGES_PER_THREAD * rayon::current_num_threads()) {
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
                    // The grey file exists beside the coloured one until that is complete.
                    make_room(self.folder, path, (3 * counter.total * self.size * self.size) as u64)?;
                }
                writer.add(content, image).map_err(|error| self.unwritable(error))?;
            }
        }
        // Files that have changed since they were hashed are not in it, so that its name may be a different one.
        let path = cache_path(self.folder, self.size, &self.key(writer.contents()));
        writer.finish(&path).map_err(|error| self.unwritable(error))
    }

    /// The checksum of everything that the pixels depend on.
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
    fn new(file: CacheFile, files: Vec<Result<FileContent, UnusableImage>>) -> Self {
        let record = |found: FileContent| match file.content(&found.content) {
            Some(CachedContent::Pixels { slot, facts, signature }) => Ok(ImageRecord {
                slot: *slot,
                facts: facts.clone(),
                signature: signature.clone(),
                file_len: found.length,
                modified: found.modified,
            }),
            Some(CachedContent::Undecodable { reason }) => Err(UnusableImage::Undecodable(reason.clone())),
            None => Err(UnusableImage::Changed),
        };
        let records = files.into_iter().map(|found| found.and_then(record)).collect();
        Self { file, records }
    }

    /// The records of all files, in the order in which they were given.
    pub fn records(&self) -> &[Result<ImageRecord, UnusableImage>] {
        &self.records
    }

    /// The number of files, including unusable ones.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Side of an image in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.file.size()
    }

    /// Samples per pixel: 1 if no image has colours, otherwise 3 for all of them.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.file.channels()
    }

    /// The pixels of an image, size × size × channels (HWC).
    ///
    /// # Panics
    /// If no record has this slot.
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
        if self.cache.cancellation.is_cancelled() { Err(PixelCacheError::Cancelled) } else { Ok(()) }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        (self.cache.on_progress)(CacheProgress { stage: self.stage, done, total: self.total });
    }
}

#[cfg(test)]
mod tests;
