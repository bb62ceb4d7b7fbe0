//! Copies of a picture in two splits under different names are found by content, however the file was altered, and
//! nothing else is taken for a copy.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};

use image::GrayImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, flip_horizontal, resize};
use mammoscope_dataset::copied_images::{CopiedImage, CopyKind, copied_files, copied_pictures};
use mammoscope_dataset::folder_layout::scan;
use mammoscope_dataset::manifest::build_manifests;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_dataset::pixel_cache::PixelCache;
use mammoscope_dataset::split::SplitPlan;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::training_fixture::{TrainingFixture, failure};
use mammoscope_test_support::{shared, stderr_of};

const SIZE: u32 = 256;

/// One picture per subject, all of one view.
fn phantoms(subjects: u32, view: View, size: u32) -> Vec<GrayImage> {
    let settings = PhantomSettings { seed: 11, size, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).unwrap();
    let picture = |number| generator.view(&generator.subject(number), view).image;
    (1..=subjects).map(picture).collect()
}

fn save(root: &Path, split: &str, subject: u32, picture: &GrayImage) -> PathBuf {
    let class = ["A", "B"][subject as usize % 2];
    let path = root.join(format!("CC_R/{split}/{class}/{subject}_1_{class}_CC_R.png"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(&path).unwrap();
    path
}

fn as_jpeg(picture: &GrayImage, quality: u8) -> GrayImage {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    image::load_from_memory(&bytes).unwrap().into_luma8()
}

/// The copies in a data set that is read as for training.
fn copies(root: &Path, size: usize) -> Vec<CopiedImage> {
    let scanned = scan(root).unwrap();
    let plan = SplitPlan::FoldersOrDrawn { seed: 1 };
    let mut manifest = build_manifests(&scanned, &ViewSelection::All, plan, false).unwrap().manifests.remove(0);
    let paths: Vec<PathBuf> = manifest.paths().collect();
    let folder = tempfile::tempdir().unwrap();
    let cache = PixelCache {
        folder: folder.path(),
        size,
        route: InputRoute::Training,
        grey_range: GreyRange::Auto,
        threads: 2,
        measure: |_| None,
        on_progress: &|_| {},
        cancellation: Cancellation::never(),
    };
    let cache = cache.open_or_build(&paths).unwrap();
    for (sample, record) in manifest.samples.iter_mut().zip(cache.records()) {
        sample.pixels = record.as_ref().ok().map(|record| record.facts.clone());
    }
    let signature = |at: usize| cache.records()[at].as_ref().ok()?.signature.as_ref();
    copied_pictures(&manifest, &signature, Cancellation::never()).unwrap()
}

fn names(copy: &CopiedImage) -> [&str; 2] {
    copy.places.each_ref().map(|(path, _)| path.file_stem().unwrap().to_str().unwrap())
}

#[test]
fn altered_copies_are_found() {
    let pictures = phantoms(8, View::CcR, SIZE);
    let changed: [(CopyKind, GrayImage); 6] = [
        (CopyKind::Pixels, pictures[0].clone()),
        (CopyKind::Alike, as_jpeg(&pictures[1], 90)),
        (CopyKind::Alike, as_jpeg(&pictures[2], 30)),
        (CopyKind::Alike, resize(&pictures[3], SIZE / 2, SIZE / 2, FilterType::CatmullRom)),
        (CopyKind::Mirrored, flip_horizontal(&pictures[4])),
        (CopyKind::Mirrored, as_jpeg(&flip_horizontal(&pictures[5]), 60)),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (number, picture) in (1..).zip(&pictures) {
        save(folder.path(), "train", number, picture);
    }
    for (number, (_, picture)) in (101..).zip(&changed) {
        save(folder.path(), if number % 2 == 0 { "test" } else { "validation" }, number, picture);
    }
    for size in [250, 32] {
        let mut found = copies(folder.path(), size);
        found.sort_by_key(|copy| names(copy)[0].to_owned());
        let kinds: Vec<CopyKind> = found.iter().map(|copy| copy.kind).collect();
        let expected: Vec<CopyKind> = changed.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, expected, "{size} px");
        for (number, copy) in (1..).zip(&found) {
            let name = |number: usize| format!("{number}_1_{}_CC_R", ["A", "B"][number % 2]);
            assert_eq!(names(copy), [name(number), name(number + 100)]);
        }
    }
}

#[test]
fn copies_within_a_split_and_flat_pictures_are_not_reported() {
    let picture = &phantoms(1, View::CcR, 128)[0];
    let folder = tempfile::tempdir().unwrap();
    for subject in [1, 2] {
        save(folder.path(), "train", subject, picture);
    }
    save(folder.path(), "train", 3, &GrayImage::new(90, 90));
    save(folder.path(), "test", 4, &GrayImage::new(90, 90));
    assert_eq!(copies(folder.path(), 64), []);
}

#[test]
fn different_phantoms_are_not_copies() {
    // 3,600 pairs of phantoms across splits in either view, and as many mirrored.
    for view in [View::CcR, View::MloL] {
        let folder = tempfile::tempdir().unwrap();
        for (number, picture) in (1..).zip(&phantoms(120, view, 128)) {
            save(folder.path(), if number % 4 < 2 { "train" } else { "test" }, number, picture);
        }
        assert_eq!(copies(folder.path(), 64), [], "{view}");
    }
}

#[test]
fn different_mammograms_are_not_copies() {
    let mut real: Vec<PathBuf> = Vec::new();
    for folder in ["dicom/real-mlo/images", "seed/TestSet"].into_iter().filter_map(shared) {
        let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
        real.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "png")));
    }
    if real.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, path) in (1..).zip(&real) {
        let picture = image::open(path).unwrap().into_luma8();
        save(folder.path(), if number % 4 < 2 { "train" } else { "test" }, number, &picture);
    }
    assert_eq!(copies(folder.path(), 64), []);
    // One of them mirrored and compressed again.
    let picture = image::open(&real[0]).unwrap().into_luma8();
    save(folder.path(), "test", 900, &as_jpeg(&flip_horizontal(&picture), 75));
    let found = copies(folder.path(), 64);
    assert_eq!(found.iter().map(|copy| copy.kind).collect::<Vec<_>>(), [CopyKind::Mirrored]);
}

/// A data set with a picture for training and its copy for test.
fn fixture_with_copy(copy: &GrayImage, original: &GrayImage) -> TrainingFixture {
    let fixture = TrainingFixture::new();
    original.save(fixture.image("train", "A", 0)).unwrap();
    copy.save(fixture.image("test", "A", 12)).unwrap();
    fixture
}

#[test]
fn a_copied_file_prevents_training() {
    let picture = &phantoms(1, View::CcR, 128)[0];
    let fixture = fixture_with_copy(picture, picture);
    let output = fixture.train(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let expected = "error: CC_R: 1 picture is in two splits: CC_R/train/A/0_1_A_CC_R.png (train) and \
                CC_R/test/A/12_1_A_CC_R.png (test) are the same file; remove one of each, or say --allow-duplicates";
    assert!(stderr_of(&output).contains(expected), "{}", stderr_of(&output));
    assert!(
        !fixture.workspace.join("runs").exists() || fs::read_dir(fixture.workspace.join("runs")).unwrap().count() == 0
    );
}

#[test]
fn a_mirrored_copy_fails_the_run_unless_allowed() {
    let picture = &phantoms(1, View::CcR, 128)[0];
    let fixture = fixture_with_copy(&flip_horizontal(picture), picture);
    let output = fixture.train(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let run = fixture.run();
    let expected = "1 picture is in two splits: CC_R/train/A/0_1_A_CC_R.png (train) and CC_R/test/A/12_1_A_CC_R.png (test) \
                    are the same picture, mirrored; remove one of each, or train with --allow-duplicates";
    assert!(failure(&run).contains(expected), "{}", failure(&run));
    // Resuming checks again.
    assert_eq!(fixture.resume(&run, &[]).status.code(), Some(1));
    assert!(failure(&run).contains("mirrored"));
    fs::remove_dir_all(run.path()).unwrap();

    let output = fixture.train_command(&[], &["--follow", "--allow-duplicates"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let allowed = "are the same picture, mirrored; allowed by --allow-duplicates";
    assert!(stderr_of(&output).contains(allowed), "{}", stderr_of(&output));
}

#[test]
fn copied_files_are_found_without_decoding() {
    let folder = tempfile::tempdir().unwrap();
    for (split, subject, text) in [("train", 1, "same"), ("train", 2, "same"), ("test", 3, "same"), ("test", 4, "diff")]
    {
        let class = ["A", "B"][subject % 2];
        let path = folder.path().join(format!("CC_R/{split}/{class}/{subject}_1_{class}_CC_R.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let plan = SplitPlan::FoldersOrDrawn { seed: 1 };
    let set = build_manifests(&scan(folder.path()).unwrap(), &ViewSelection::All, plan, false).unwrap();
    let found = copied_files(&set.manifests[0], Cancellation::never()).unwrap();
    assert_eq!(found.len(), 1, "the copy is reported once: {found:?}");
    assert_eq!(found[0].kind, CopyKind::Bytes);
    assert_eq!(copied_files(&set.manifests[0], Cancellation::new(&|| true)), None);
}
