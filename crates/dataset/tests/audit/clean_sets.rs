//! Clean data sets have no findings.

use std::sync::atomic::{AtomicUsize, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::imageops::crop_imm;
use image::{GrayImage, ImageBuffer, Luma};

use mammoscope_dataset::audit::{AuditOptions, BaselineMethod, Laterality, Pectoral, audit};
use mammoscope_dataset::folder_layout::scan;
use mammoscope_dataset::phantom::{PhantomSettings, PhantomView};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::view::Side;
use mammoscope_test_support::{shared, shipped};

use super::{Planted, SUBJECTS, audited, phantoms, write};

#[test]
fn phantoms_of_all_sizes_and_densities_have_no_findings() {
    for (size, overlap) in [(32, false), (48, true), (64, false), (96, false), (200, true), (300, false)] {
        let settings = PhantomSettings { seed: u64::from(size), size, overlap, confounder: false };
        let folder = tempfile::tempdir().unwrap();
        for (file, view) in phantoms(settings, 24) {
            write(folder.path(), &file, &view.image);
        }
        let report = audited(folder.path(), GreyRange::Auto, None);
        assert!(report.findings.is_empty(), "{size} px: {:#?}", report.findings);
        let known = |side| report.files.iter().filter(|file| file.laterality == Laterality::Of(side)).count();
        assert_eq!([Side::Left, Side::Right].map(known), [48, 48], "{size} px");
        assert!(report.files.iter().all(|file| file.laterality_agrees == Some(true)), "{size} px");
    }
}

/// The smallest part of a picture that contains the breast, and the chest wall's whole edge.
fn cropped(view: &PhantomView) -> GrayImage {
    let inside = || view.breast.enumerate_pixels().filter(|(_, _, level)| level[0] > 0);
    let range = |at: fn((u32, u32, &Luma<u8>)) -> u32| {
        let all = || inside().map(at);
        (all().min().unwrap(), all().max().unwrap() + 1)
    };
    let ((left, right), (top, bottom)) = (range(|pixel| pixel.0), range(|pixel| pixel.1));
    crop_imm(&view.image, left, top, right - left, bottom - top).to_image()
}

#[test]
fn cropped_deep_and_compressed_phantoms_have_no_findings() {
    let settings = PhantomSettings { seed: 9, size: 220, overlap: true, confounder: false };
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    for (file, view) in phantoms(settings, 32) {
        let picture = cropped(&view);
        write(folders[0].path(), &file, &picture);
        let path = folders[1].path().join(&file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let deep = ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
            Luma([u16::from(picture.get_pixel(x, y)[0]) * 257])
        });
        deep.save(path).unwrap();
        let path = folders[2].path().join(&file).with_extension("jpg");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let jpeg = std::fs::File::create(path).unwrap();
        JpegEncoder::new_with_quality(jpeg, 90).encode_image(&view.image).unwrap();
    }
    for (folder, kind) in folders.iter().zip(["cropped", "cropped, 16 bits", "JPEG"]) {
        let report = audited(folder.path(), GreyRange::Auto, None);
        assert!(report.findings.is_empty(), "{kind}: {:#?}", report.findings);
        assert_eq!(report.counts.files, 128);
    }
}

#[test]
fn the_test_set_has_no_findings() {
    let report = audited(&shipped("testset"), GreyRange::Auto, None);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!((report.counts.files, report.counts.subjects, report.counts.errors), (16, 4, 0));
    assert_eq!(report.baseline, None, "one subject per class is too few");
}

#[test]
fn mammograms_of_the_reference_have_no_errors() {
    let Some(seed) = shared("seed/TestSet") else { return };
    let report = audited(&seed, GreyRange::Auto, None);
    assert_eq!(report.counts.errors, 0, "{:#?}", report.findings);
    assert_eq!(report.counts.files, 8);
    for file in &report.files {
        assert_eq!(file.laterality, Laterality::Of(Side::Right), "{}", file.file);
        let expected = if file.file.contains("MLO") { Pectoral::Filled } else { Pectoral::None };
        assert_eq!(file.pectoral, expected, "{}", file.file);
    }
    // Stray strips above and below one breast, and a background that is not 0 in another.
    let of_code = |code: &str| {
        let finding = report.findings.iter().find(|finding| finding.code.name() == code);
        finding.map(|finding| finding.files.join(" ")).unwrap_or_default()
    };
    assert_eq!(of_code("burned-in-letters"), "CC_R/test/D/1346_1_D_CC_R.png");
    assert_eq!(of_code("grey-background"), "CC_R/test/B/1103_1_B_CC_R.png");
    assert_eq!(super::codes(&report), ["missing-views", "missing-views", "grey-background", "burned-in-letters"]);
}

#[test]
fn a_report_has_counts_and_a_baseline() {
    let planted = Planted::new();
    let report = planted.report();
    let counts = &report.counts;
    assert_eq!((counts.files, counts.subjects), (4 * SUBJECTS as usize, SUBJECTS as usize));
    assert_eq!(counts.by_view_and_class["MLO_L"]["C"], 6);
    assert_eq!(counts.by_split["none"], counts.files);
    let baseline = report.baseline.clone().unwrap();
    assert_eq!((baseline.method, baseline.views.len()), (BaselineMethod::CrossValidation, 4));
    assert_eq!(baseline.all.n as usize, counts.files);
    assert!(baseline.all.accuracy > baseline.all.majority_accuracy + 0.2, "{baseline:?}");
    let document = serde_json::to_value(&report).unwrap();
    for key in ["schema", "counts", "files", "findings", "baseline"] {
        assert!(!document[key].is_null(), "{key}");
    }
    let file = &document["files"][0];
    assert_eq!(file["file"], "CC_R/A/1_1_A_CC_R.png");
    assert_eq!((&file["laterality"], &file["laterality_agrees"]), (&"R".into(), &true.into()));
    assert_eq!((&file["pectoral"], &file["split"]), (&"none".into(), &serde_json::Value::Null));
}

#[test]
fn a_cancelled_audit_has_no_report() {
    let planted = Planted::new();
    let done = AtomicUsize::new(0);
    let cancelled = || done.load(Ordering::Relaxed) >= 3;
    let options = AuditOptions {
        grey_range: GreyRange::Auto,
        splits: None,
        preprocessed: None,
        on_image: &|| {
            done.fetch_add(1, Ordering::Relaxed);
        },
        cancellation: Cancellation::new(&cancelled),
    };
    assert!(audit(&scan(planted.root()).unwrap(), options).is_none());
    assert!(done.load(Ordering::Relaxed) < 40, "the rest is not read");
}
