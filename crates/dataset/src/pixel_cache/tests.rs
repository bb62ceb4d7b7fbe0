use std::fs::File;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use image::ExtendedColorType;
use proptest::prelude::*;

use super::*;
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

/// An image file that was written a while ago.
fn write_old_image(path: &Path, seed: usize, color: ExtendedColorType) {
    write_image(path, seed, color);
    let then = SystemTime::now() - Duration::from_secs(60);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

/// A folder of grey images, and an empty one for the cache beside it.
struct Bench {
    folder: tempfile::TempDir,
    samples: Vec<PathBuf>,
}

impl Bench {
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
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<CachedImages, PixelCacheError> {
        let (folder, route) = (&self.cache(), InputRoute::One);
        PixelCache {
            folder,
            size: SIZE,
            route,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            threads: 2,
            measure: first_level,
            on_progress,
            cancelled,
        }
        .open_or_build(&self.samples)
    }

    /// The images, and how many were decoded for them.
    fn open(&self) -> (CachedImages, usize) {
        let decoded = AtomicUsize::new(0);
        let count = |progress: CacheProgress| {
            decoded.fetch_add(usize::from(progress.stage == CacheStage::Decoding), Ordering::Relaxed);
        };
        let images = self.open_with(&count, &|| false).unwrap();
        (images, decoded.into_inner())
    }

    fn cache_files(&self) -> Vec<PathBuf> {
        let paths = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "pixels")).collect()
    }

    fn assert_right(&self, images: &CachedImages) {
        assert_eq!((images.len(), images.size()), (self.samples.len(), SIZE));
        for (path, record) in self.samples.iter().zip(images.records()) {
            let record = record.as_ref().unwrap();
            let image = decode_file(path).unwrap().into_8_bit();
            assert_eq!((record.facts.width, record.facts.height), (13, 9));
            assert_eq!(record.facts.grey_deviation, first_level(&image));
            assert_eq!(record.file_len, fs::metadata(path).unwrap().len());
            let resized = resize(&image, SIZE, InputRoute::One);
            let each = images.channels() / image.channels().count();
            let expected: Vec<u8> = resized.samples().iter().flat_map(|&level| vec![level; each]).collect();
            assert_eq!(images.pixels(record.slot), expected, "{}", path.display());
        }
    }
}

#[test]
fn images_are_decoded_once_in_whatever_order_and_place() {
    let mut bench = Bench::new(40);
    let (images, decoded) = bench.open();
    assert_eq!((decoded, images.channels()), (40, 1));
    bench.assert_right(&images);
    let first = images.records().to_vec();
    let (images, decoded) = bench.open();
    assert_eq!((decoded, images.records()), (0, &*first));
    bench.samples.reverse();
    let moved = bench.folder.path().join("moved.png");
    fs::rename(&bench.samples[3], &moved).unwrap();
    bench.samples[3] = moved;
    let copy = bench.folder.path().join("copy.png");
    fs::copy(&bench.samples[0], &copy).unwrap();
    bench.samples.push(copy);
    let (images, decoded) = bench.open();
    assert_eq!((decoded, bench.cache_files().len()), (0, 1));
    bench.assert_right(&images);
    let slot = |index: usize| images.records()[index].as_ref().unwrap().slot;
    assert_eq!(slot(0), slot(40), "copies share their pixels");
}

#[test]
fn one_image_with_colours_gives_all_three_channels() {
    for colored in [0, 20, 39] {
        let bench = Bench::new(40);
        write_image(&bench.samples[colored], 99, ExtendedColorType::Rgb8);
        for decoded in [40, 0] {
            let (images, counted) = bench.open();
            assert_eq!((images.channels(), counted), (3, decoded));
            bench.assert_right(&images);
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_goes_on() {
    let bench = Bench::new(6);
    let png = fs::read(&bench.samples[0]).unwrap();
    fs::write(&bench.samples[1], b"").unwrap();
    fs::write(&bench.samples[2], &png[..png.len() / 2]).unwrap();
    fs::remove_file(&bench.samples[3]).unwrap();
    fs::remove_file(&bench.samples[4]).unwrap();
    fs::create_dir(&bench.samples[4]).unwrap();
    // The second time from the cache.
    for _ in 0..2 {
        let (images, _) = bench.open();
        let reasons: Vec<_> = images.records().iter().map(|record| record.as_ref().err().cloned()).collect();
        assert!(reasons[0].is_none() && reasons[5].is_none());
        assert_eq!(reasons[1].as_deref(), Some("is empty (0 bytes)"));
        assert!(reasons[2].as_ref().unwrap().starts_with("is a truncated PNG"), "{reasons:?}");
        assert!(reasons[3].as_ref().unwrap().starts_with("cannot be read: "), "{reasons:?}");
        assert_eq!(reasons[4].as_deref(), Some("is a folder, not a file"));
    }
}

#[test]
fn no_image_at_all_is_an_empty_cache() {
    let mut bench = Bench::new(1);
    fs::write(&bench.samples[0], b"no image").unwrap();
    let (images, _) = bench.open();
    assert!(images.records()[0].is_err() && !images.is_empty());
    bench.samples.clear();
    assert!(bench.open().0.is_empty());
}

#[test]
fn another_size_or_route_is_another_cache() {
    let bench = Bench::new(3);
    let folder = &bench.cache();
    for (size, route, files) in [(8, InputRoute::One, 1), (9, InputRoute::One, 2), (8, InputRoute::Two, 3)] {
        let (on_progress, cancelled) = (&|_| (), &|| false);
        let cache = PixelCache {
            folder,
            size,
            route,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            threads: 1,
            measure: |_| None,
            on_progress,
            cancelled,
        };
        let images = cache.open_or_build(&bench.samples).unwrap();
        let record = images.records()[1].as_ref().unwrap();
        let image = decode_file(&bench.samples[1]).unwrap().into_8_bit();
        assert_eq!(images.pixels(record.slot), resize(&image, size, route).samples());
        assert_eq!(bench.cache_files().len(), files);
    }
}

#[test]
fn a_changed_image_is_read_anew() {
    let bench = Bench::new(3);
    let (before, _) = bench.open();
    write_old_image(&bench.samples[1], 77, ExtendedColorType::L8);
    let (after, _) = bench.open();
    bench.assert_right(&after);
    assert_ne!(before.records()[1], after.records()[1]);
    // What was opened before is as it was.
    let first = before.records()[0].as_ref().unwrap();
    assert_eq!(before.pixels(first.slot), after.pixels(after.records()[0].as_ref().unwrap().slot));
}

#[test]
fn an_image_that_changes_meanwhile_is_told_and_read_the_next_time() {
    let bench = Bench::new(3);
    let rewrite = |progress: CacheProgress| {
        if progress.stage == CacheStage::Hashing && progress.done == progress.total {
            write_image(&bench.samples[2], 50, ExtendedColorType::L8);
        }
    };
    let images = bench.open_with(&rewrite, &|| false).unwrap();
    assert_eq!(images.records()[2], Err("changed while the images were read".to_owned()));
    assert!(images.records()[..2].iter().all(Result::is_ok));
    bench.assert_right(&bench.open().0);
}

#[test]
fn a_cancelled_build_leaves_nothing() {
    let bench = Bench::new(40);
    for stage in [CacheStage::Hashing, CacheStage::Decoding] {
        let stop = AtomicUsize::new(0);
        let on_progress = |progress: CacheProgress| {
            stop.fetch_add(usize::from(progress.stage == stage && progress.done == 3), Ordering::Relaxed);
        };
        let outcome = bench.open_with(&on_progress, &|| stop.load(Ordering::Relaxed) > 0);
        assert!(matches!(outcome, Err(PixelCacheError::Cancelled)));
        let left = fs::read_dir(bench.cache()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| name == "files.json"));
    }
    assert_eq!(bench.open().1, 40);
}

#[test]
fn progress_counts_every_image() {
    let bench = Bench::new(5);
    let heard = Mutex::new(Vec::new());
    bench.open_with(&|progress| heard.lock().unwrap().push(progress), &|| false).unwrap();
    let mut heard = heard.into_inner().unwrap();
    assert!(heard[..5].iter().all(|progress| progress.stage == CacheStage::Hashing));
    heard.sort_by_key(|progress| (progress.stage == CacheStage::Decoding, progress.done));
    assert!(heard.iter().all(|progress| progress.total == 5));
    assert_eq!(heard.iter().map(|progress| progress.done).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
}

#[test]
fn two_that_build_the_same_cache_both_end_well() {
    let bench = Bench::new(40);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| bench.assert_right(&bench.open().0));
        }
    });
    let (images, decoded) = bench.open();
    bench.assert_right(&images);
    assert_eq!((decoded, bench.cache_files().len()), (0, 1));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let bench = Bench::new(1);
    fs::write(bench.cache(), b"in the way").unwrap();
    let error = bench.open_with(&|_| (), &|| false).unwrap_err().to_string();
    assert!(error.starts_with(&format!("write the pixel cache {}: ", bench.cache().display())), "{error}");
}

#[test]
fn in_mid_run_a_file_is_looked_at_where_it_may_have_changed() {
    let bench = Bench::new(2);
    let (images, _) = bench.open();
    let (path, record) = (&bench.samples[1], images.records()[1].as_ref().unwrap());
    assert_eq!(verify_unchanged(record, path, mammoscope_domain::image::grey_range::GreyRange::Auto), None);
    // Written again, with the same pixels.
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
    fn a_damaged_or_truncated_cache_is_built_anew(place in 0.0..1.0_f64, bit in 0_u8..8, truncated: bool) {
        let bench = Bench::new(3);
        let whole = {
            bench.open();
            fs::read(&bench.cache_files()[0]).unwrap()
        };
        let at = (place * whole.len() as f64) as usize;
        let mut damaged = whole.clone();
        if truncated {
            damaged.truncate(at);
        } else {
            damaged[at] ^= 1 << bit;
        }
        fs::write(&bench.cache_files()[0], damaged).unwrap();
        let (images, decoded) = bench.open();
        prop_assert_eq!(decoded, 3);
        bench.assert_right(&images);
        prop_assert_eq!(fs::read(&bench.cache_files()[0]).unwrap(), whole);
    }
}
