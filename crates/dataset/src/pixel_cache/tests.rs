use std::fs::File;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use image::ExtendedColorType;
use proptest::prelude::*;

use super::*;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::resize::resize;

const SIZE: usize = 8;

fn first_level(image: &Raster<u8>) -> Option<f64> {
    image.samples().first().copied().map(f64::from)
}

/// A PNG of 13 × 9 pixels.
fn write_image(path: &Path, seed: usize, color: ExtendedColorType) {
    let level = |at: usize| (at * (seed + 5) % 251) as u8;
    let samples: Vec<u8> = match color {
        ExtendedColorType::Rgb8 => (0..13 * 9 * 3).map(level).collect(),
        _ => (0..13 * 9).map(level).collect(),
    };
    image::save_buffer(path, &samples, 13, 9, color).unwrap();
}

/// An image file written a while ago.
fn write_old_image(path: &Path, seed: usize, color: ExtendedColorType) {
    write_image(path, seed, color);
    let then = SystemTime::now() - Duration::from_secs(60);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

/// A folder of grey images with a subfolder for the cache.
struct Fixture {
    folder: tempfile::TempDir,
    samples: Vec<PathBuf>,
}

impl Fixture {
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let samples: Vec<_> = (0..count).map(|seed| folder.path().join(format!("{seed}.png"))).collect();
        for (seed, path) in samples.iter().enumerate() {
            write_old_image(path, seed, ExtendedColorType::L8);
        }
        Self { folder, samples }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn open_with(
        &self,
        on_progress: &(dyn Fn(CacheProgress) + Sync),
        cancellation: Cancellation<'_>,
    ) -> Result<CachedImages, PixelCacheError> {
        let (folder, route) = (&self.cache(), InputRoute::Training);
        PixelCache {
            folder,
            size: SIZE,
            route,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            threads: 2,
            measure: first_level,
            on_progress,
            cancellation,
        }
        .open_or_build(&self.samples)
    }

    /// The images and the number of images decoded for them.
    fn open(&self) -> (CachedImages, usize) {
        let decoded = AtomicUsize::new(0);
        let count = |progress: CacheProgress| {
            decoded.fetch_add(usize::from(progress.stage == CacheStage::Decoding), Ordering::Relaxed);
        };
        let images = self.open_with(&count, Cancellation::never()).unwrap();
        (images, decoded.into_inner())
    }

    fn cache_files(&self) -> Vec<PathBuf> {
        let paths = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "pixels")).collect()
    }

    fn assert_correct(&self, images: &CachedImages) {
        assert_eq!((images.len(), images.size()), (self.samples.len(), SIZE));
        for (path, record) in self.samples.iter().zip(images.records()) {
            let record = record.as_ref().unwrap();
            let image = decode_file(path).unwrap().into_8_bit();
            assert_eq!((record.facts.width, record.facts.height), (13, 9));
            assert_eq!(record.facts.grey_deviation, first_level(&image));
            assert_eq!(record.file_len, fs::metadata(path).unwrap().len());
            let resized = resize(&image, SIZE, InputRoute::Training);
            let each = images.channels() / image.channels().count();
            let expected: Vec<u8> = resized.samples().iter().flat_map(|&level| vec![level; each]).collect();
            assert_eq!(images.pixels(record.slot), expected, "{}", path.display());
        }
    }
}

#[test]
fn images_are_decoded_once_whatever_their_order_and_paths() {
    let mut fixture = Fixture::new(40);
    let (images, decoded) = fixture.open();
    assert_eq!((decoded, images.channels()), (40, 1));
    fixture.assert_correct(&images);
    let first = images.records().to_vec();
    let (images, decoded) = fixture.open();
    assert_eq!((decoded, images.records()), (0, &*first));
    fixture.samples.reverse();
    let moved = fixture.folder.path().join("moved.png");
    fs::rename(&fixture.samples[3], &moved).unwrap();
    fixture.samples[3] = moved;
    let copy = fixture.folder.path().join("copy.png");
    fs::copy(&fixture.samples[0], &copy).unwrap();
    fixture.samples.push(copy);
    let (images, decoded) = fixture.open();
    assert_eq!((decoded, fixture.cache_files().len()), (0, 1));
    fixture.assert_correct(&images);
    let slot = |index: usize| images.records()[index].as_ref().unwrap().slot;
    assert_eq!(slot(0), slot(40), "copies share their pixels");
}

#[test]
fn one_coloured_image_makes_all_images_rgb() {
    for colored in [0, 20, 39] {
        let fixture = Fixture::new(40);
        write_image(&fixture.samples[colored], 99, ExtendedColorType::Rgb8);
        for decoded in [40, 0] {
            let (images, counted) = fixture.open();
            assert_eq!((images.channels(), counted), (3, decoded));
            fixture.assert_correct(&images);
        }
    }
}

#[test]
fn unreadable_images_are_reported_and_the_others_cached() {
    let fixture = Fixture::new(6);
    let png = fs::read(&fixture.samples[0]).unwrap();
    fs::write(&fixture.samples[1], b"").unwrap();
    fs::write(&fixture.samples[2], &png[..png.len() / 2]).unwrap();
    fs::remove_file(&fixture.samples[3]).unwrap();
    fs::remove_file(&fixture.samples[4]).unwrap();
    fs::create_dir(&fixture.samples[4]).unwrap();
    // The second time they come from the cache.
    for _ in 0..2 {
        let (images, _) = fixture.open();
        let reason = |record: &Result<ImageRecord, UnusableImage>| record.as_ref().err().map(UnusableImage::to_string);
        let reasons: Vec<_> = images.records().iter().map(reason).collect();
        assert!(reasons[0].is_none() && reasons[5].is_none());
        assert_eq!(reasons[1].as_deref(), Some("is empty (0 bytes)"));
        assert!(reasons[2].as_ref().unwrap().starts_with("is a truncated PNG"), "{reasons:?}");
        assert!(reasons[3].as_ref().unwrap().starts_with("cannot be read: "), "{reasons:?}");
        assert_eq!(reasons[4].as_deref(), Some("is a folder, not a file"));
    }
}

#[test]
fn a_cache_may_be_empty() {
    let mut fixture = Fixture::new(1);
    fs::write(&fixture.samples[0], b"no image").unwrap();
    let (images, _) = fixture.open();
    assert!(images.records()[0].is_err() && !images.is_empty());
    fixture.samples.clear();
    assert!(fixture.open().0.is_empty());
}

#[test]
fn every_size_and_route_has_its_own_cache() {
    let fixture = Fixture::new(3);
    let folder = &fixture.cache();
    for (size, route, files) in
        [(8, InputRoute::Training, 1), (9, InputRoute::Training, 2), (8, InputRoute::GradCamNotebook, 3)]
    {
        let (on_progress, cancellation) = (&|_| (), Cancellation::never());
        let cache = PixelCache {
            folder,
            size,
            route,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            threads: 1,
            measure: |_| None,
            on_progress,
            cancellation,
        };
        let images = cache.open_or_build(&fixture.samples).unwrap();
        let record = images.records()[1].as_ref().unwrap();
        let image = decode_file(&fixture.samples[1]).unwrap().into_8_bit();
        assert_eq!(images.pixels(record.slot), resize(&image, size, route).samples());
        assert_eq!(fixture.cache_files().len(), files);
    }
}

#[test]
fn a_changed_image_is_read_again() {
    let fixture = Fixture::new(3);
    let (before, _) = fixture.open();
    write_old_image(&fixture.samples[1], 77, ExtendedColorType::L8);
    let (after, _) = fixture.open();
    fixture.assert_correct(&after);
    assert_ne!(before.records()[1], after.records()[1]);
    // The cache opened before is unchanged.
    let first = before.records()[0].as_ref().unwrap();
    assert_eq!(before.pixels(first.slot), after.pixels(after.records()[0].as_ref().unwrap().slot));
}

#[test]
fn an_image_that_changes_meanwhile_is_reported_and_read_the_next_time() {
    let fixture = Fixture::new(3);
    let rewrite = |progress: CacheProgress| {
        if progress.stage == CacheStage::Hashing && progress.done == progress.total {
            write_image(&fixture.samples[2], 50, ExtendedColorType::L8);
        }
    };
    let images = fixture.open_with(&rewrite, Cancellation::never()).unwrap();
    assert_eq!(images.records()[2], Err(UnusableImage::Changed));
    assert!(images.records()[..2].iter().all(Result::is_ok));
    fixture.assert_correct(&fixture.open().0);
}

#[test]
fn a_cancelled_build_leaves_nothing() {
    let fixture = Fixture::new(40);
    for stage in [CacheStage::Hashing, CacheStage::Decoding] {
        let stop = AtomicUsize::new(0);
        let on_progress = |progress: CacheProgress| {
            stop.fetch_add(usize::from(progress.stage == stage && progress.done == 3), Ordering::Relaxed);
        };
        let outcome = fixture.open_with(&on_progress, Cancellation::new(&|| stop.load(Ordering::Relaxed) > 0));
        assert!(matches!(outcome, Err(PixelCacheError::Cancelled)));
        let left = fs::read_dir(fixture.cache()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| name == "files.json"));
    }
    assert_eq!(fixture.open().1, 40);
}

#[test]
fn progress_counts_every_image() {
    let fixture = Fixture::new(5);
    let reported = Mutex::new(Vec::new());
    fixture.open_with(&|progress| reported.lock().unwrap().push(progress), Cancellation::never()).unwrap();
    let mut reported = reported.into_inner().unwrap();
    assert!(reported[..5].iter().all(|progress| progress.stage == CacheStage::Hashing));
    reported.sort_by_key(|progress| (progress.stage == CacheStage::Decoding, progress.done));
    assert!(reported.iter().all(|progress| progress.total == 5));
    assert_eq!(reported.iter().map(|progress| progress.done).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
}

#[test]
fn several_threads_may_build_the_same_cache() {
    let fixture = Fixture::new(40);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| fixture.assert_correct(&fixture.open().0));
        }
    });
    let (images, decoded) = fixture.open();
    fixture.assert_correct(&images);
    assert_eq!((decoded, fixture.cache_files().len()), (0, 1));
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    let fixture = Fixture::new(1);
    fs::write(fixture.cache(), b"in the way").unwrap();
    let error = fixture.open_with(&|_| (), Cancellation::never()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("write the pixel cache {}: ", fixture.cache().display())), "{error}");
}

#[test]
fn changes_of_a_file_are_detected_by_its_pixels() {
    let fixture = Fixture::new(2);
    let (images, _) = fixture.open();
    let (path, record) = (&fixture.samples[1], images.records()[1].as_ref().unwrap());
    assert_eq!(verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto), None);
    // Written again with the same pixels.
    write_image(path, 1, ExtendedColorType::L8);
    assert_eq!(verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto), None);
    write_image(path, 60, ExtendedColorType::L8);
    assert_eq!(
        verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto).unwrap(),
        "its pixels have changed since the run began"
    );
    fs::write(path, b"no image").unwrap();
    assert_eq!(
        verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto).unwrap(),
        "is not a PNG, JPEG or TIFF image"
    );
    fs::remove_file(path).unwrap();
    assert!(
        verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto)
            .unwrap()
            .starts_with("cannot be read: ")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_or_truncated_cache_is_rebuilt(position in 0.0..1.0_f64, bit in 0_u8..8, truncated: bool) {
        let fixture = Fixture::new(3);
        let whole = {
            fixture.open();
            fs::read(&fixture.cache_files()[0]).unwrap()
        };
        let at = (position * whole.len() as f64) as usize;
        let mut damaged = whole.clone();
        if truncated {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 1 << bit;
        }
        fs::write(&fixture.cache_files()[0], damaged).unwrap();
        let (images, decoded) = fixture.open();
        prop_assert_eq!(decoded, 3);
        fixture.assert_correct(&images);
        prop_assert_eq!(fs::read(&fixture.cache_files()[0]).unwrap(), whole);
    }
}
