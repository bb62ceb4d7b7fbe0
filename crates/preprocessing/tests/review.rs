//! Reviews of prepared images: originals, verdicts, and the lock that keeps them apart from a run.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::fs::{self, File};
use std::path::Path;

use image::{GrayImage, Luma};
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_preprocessing::original::original_of;
use mammoscope_preprocessing::picture::OutputBits;
use mammoscope_preprocessing::pseudonym::PseudonymKey;
use mammoscope_preprocessing::record::{PectoralState, Record, Review};
use mammoscope_preprocessing::review::{ReviewError, keep_review, review_order, sources_by_pseudonym};
use mammoscope_preprocessing::run::{Progress, RunPlan, Stage, Summary, run};
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};
use mammoscope_preprocessing::source::Source;

const SIZE: (u32, u32) = (300, 400);

struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: Stage, _sources: usize, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn refused(&self, _number: usize, path: &Path, _sha256: &str, reason: &str) {
        panic!("{}: {reason}", path.display());
    }
}

/// A left oblique view: half an ellipse with texture, a brighter muscle above, and a margin on the right.
fn mammogram() -> GrayImage {
    GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let (across, down) = (f64::from(x) / 210.0, (f64::from(y) - 200.0) / 190.0);
        if across * across + down * down > 1.0 {
            return Luma([0]);
        }
        let texture = (x * 7 + y * 13) % 12;
        let is_muscle = f64::from(x) < 90.0 - 0.5 * f64::from(y);
        Luma([(if is_muscle { 200 } else { 110 + x / 8 } + texture) as u8])
    })
}

fn settings() -> Settings {
    Settings {
        bits: OutputBits::Eight,
        pectoral: PectoralTreatment::Auto,
        grey: GreyRequest::default(),
        source_range: GreyRange::default(),
        force: Vec::new(),
    }
}

fn prepare(folder: &Path, key: &PseudonymKey) -> Summary {
    let plan = RunPlan {
        input: &folder.join("in"),
        output: &folder.join("out"),
        settings: settings(),
        labels: None,
        key,
        program: "test",
        jobs: 1,
        dry_run: false,
        shard: None,
    };
    run(&plan, &Silent, Cancellation::never()).unwrap()
}

/// A prepared image with its source.
fn prepared(folder: &Path) -> (PseudonymKey, Record, Source) {
    fs::create_dir_all(folder.join("in")).unwrap();
    mammogram().save(folder.join("in/7_1_B_MLO_L.png")).unwrap();
    let key = PseudonymKey::from_bytes([3; 32]);
    assert_eq!(prepare(folder, &key).written, 1);
    let record = review_order(&folder.join("out")).unwrap().remove(0);
    let mut sources = sources_by_pseudonym(&folder.join("in"), &folder.join("out"), &key);
    let source = sources.remove(&record.source.path).unwrap();
    (key, record, source)
}

#[test]
fn the_original_is_what_the_source_shows_before_crop_and_fill() {
    let folder = tempfile::tempdir().unwrap();
    let (_, record, source) = prepared(folder.path());
    let original = original_of(&record, &source).unwrap();
    assert_eq!(original.grey.samples(), mammogram().as_raw().as_slice());
    let breast = original.breast.unwrap();
    assert!(breast.pixels()[200 * 300 + 50] && !breast.pixels()[200 * 300 + 280]);
    mammogram().save(&source.path).unwrap();
    fs::write(&source.path, [fs::read(&source.path).unwrap(), vec![0]].concat()).unwrap();
    assert!(matches!(original_of(&record, &source), Err(ReviewError::SourceChanged)));
}

#[test]
fn a_verdict_waits_until_a_run_has_ended_and_survives_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (key, record, source) = prepared(folder.path());
    let out = folder.path().join("out");
    let lock = File::create(out.join(".preprocess.lock")).unwrap();
    lock.lock().unwrap();
    let verdict = || keep_review(&out, &record, Review::Accepted, None);
    assert!(matches!(verdict(), Err(ReviewError::Busy)));
    drop(lock);
    assert_eq!(verdict().unwrap().review, Some(Review::Accepted));

    let curve = serde_json::from_str("[[80.0, 0.0], [0.0, 150.0]]").unwrap();
    let corrected = Review::Corrected { curve };
    let kept = keep_review(&out, &record, corrected.clone(), Some(&source)).unwrap();
    assert_eq!(kept.steps.as_ref().unwrap().pectoral.state, PectoralState::Filled);
    assert_eq!(prepare(folder.path(), &key).unchanged, 1);
    let after = review_order(&out).unwrap().remove(0);
    assert_eq!((after.review, after.steps), (Some(corrected), kept.steps));
}

#[test]
fn settings_are_read_back_from_a_record() {
    let settings = Settings {
        bits: OutputBits::Sixteen,
        pectoral: PectoralTreatment::Keep,
        grey: "1".parse().unwrap(),
        force: vec!["for-processing".parse().unwrap()],
        ..settings()
    };
    let recorded = settings.recorded();
    assert_eq!(Settings::of_record(&recorded).recorded(), recorded);
}
