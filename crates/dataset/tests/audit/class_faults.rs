//! Features of images that go with the class.

use std::fs;
use std::path::Path;

use image::GrayImage;
use image::imageops::{FilterType, resize};

use mammoscope_dataset::audit::finding::FindingCode;
use mammoscope_dataset::audit::{AuditReport, PREPROCESS_MANIFEST};
use mammoscope_dataset::phantom::PhantomSettings;
use mammoscope_domain::image::grey_range::GreyRange;

use super::{Planted, SIZE, audited, clean_phantoms, codes, phantoms, show_muscles, write};

fn message(report: &AuditReport, code: FindingCode) -> &str {
    let finding = report.findings.iter().find(|finding| finding.code == code);
    &finding.unwrap_or_else(|| panic!("{:#?}", report.findings)).message
}

fn class_of(file: &Path) -> char {
    file.iter().nth(1).unwrap().to_str().unwrap().chars().next().unwrap()
}

fn number_of(file: &Path) -> u32 {
    file.file_name().unwrap().to_str().unwrap().split('_').next().unwrap().parse().unwrap()
}

#[test]
fn sizes_and_shapes_that_go_with_the_class_are_found() {
    let planted = Planted::new();
    for (file, _) in clean_phantoms().iter().filter(|(file, _)| class_of(file) >= 'C') {
        planted.change(file.to_str().unwrap(), |picture| resize(&picture, SIZE, SIZE + 30, FilterType::CatmullRom));
    }
    let report = planted.report();
    assert_eq!(codes(&report), ["size-with-class", "size-with-class", "aspect-with-class"], "{:#?}", report.findings);
    let text = message(&report, FindingCode::SizeWithClass);
    let expected = "the size goes with the class (Cramér's V 1.00 over 24 subjects, p < 0.001): 128 × 128 in 100 % of A, \
                    128 × 128 in 100 % of B, 128 × 158 in 100 % of C, 128 × 158 in 100 % of D";
    assert_eq!(text, expected);
}

#[test]
fn sizes_that_are_independent_of_the_class_are_not_found() {
    let planted = Planted::new();
    // Every second subject of each class.
    for (file, _) in clean_phantoms().iter().filter(|(file, _)| ((number_of(file) - 1) / 4).is_multiple_of(2)) {
        planted.change(file.to_str().unwrap(), |picture| resize(&picture, SIZE, SIZE + 30, FilterType::CatmullRom));
    }
    assert!(planted.report().findings.is_empty(), "{:#?}", planted.report().findings);
}

#[test]
fn a_marker_that_reveals_the_class_is_found() {
    let settings = PhantomSettings { seed: 4, size: SIZE, overlap: false, confounder: true };
    let folder = tempfile::tempdir().unwrap();
    for (file, view) in phantoms(settings, 24) {
        write(folder.path(), &file, &view.image);
    }
    let report = audited(folder.path(), GreyRange::Auto, None);
    assert_eq!(codes(&report), ["marks-with-class", "burned-in-letters"], "{:#?}", report.findings);
    assert!(
        message(&report, FindingCode::MarksWithClass).starts_with("the area of bright marks outside the breast goes")
    );
}

#[test]
fn a_background_that_goes_with_the_class_is_found() {
    let planted = Planted::new();
    for (file, _) in clean_phantoms().iter().filter(|(file, _)| class_of(file) == 'A') {
        planted.change(file.to_str().unwrap(), |picture| {
            GrayImage::from_fn(SIZE, SIZE, |x, y| image::Luma([picture.get_pixel(x, y)[0].max(6)]))
        });
    }
    let report = planted.report();
    assert_eq!(codes(&report), ["background-with-class", "grey-background"], "{:#?}", report.findings);
}

#[test]
fn filled_muscles_that_go_with_the_class_are_found() {
    let planted = Planted::new();
    show_muscles(&planted, |file| class_of(file) >= 'C');
    let report = planted.report();
    assert_eq!(codes(&report), ["muscle-with-class", "mixed-muscle"], "{:#?}", report.findings);
}

/// A manifest in which the source of each image depends on subject and class.
fn write_manifest(planted: &Planted, source: impl Fn(u32, char) -> serde_json::Value) {
    let mut lines = String::new();
    for (file, _) in clean_phantoms() {
        let mut line = source(number_of(file), class_of(file));
        line["output"] = file.to_str().unwrap().into();
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    fs::write(planted.path(PREPROCESS_MANIFEST), lines).unwrap();
}

#[test]
fn scanners_and_windows_that_go_with_the_class_are_found() {
    let planted = Planted::new();
    write_manifest(&planted, |number, class| {
        let model = if class == 'D' { "Alpha" } else { "Beta" };
        serde_json::json!({
            "scanner": { "manufacturer": "Acme", "model": model },
            "steps": {
                "grey": { "kind": if class == 'A' { "lut" } else { "window" }, "center": 500 + number, "width": 900 },
                "original_size": if class < 'C' { [2294, 1914] } else { [4096, 3328] },
            },
        })
    });
    let report = planted.report();
    assert_eq!(
        codes(&report),
        ["scanner-with-class", "window-with-class", "size-with-class"],
        "{:#?}",
        report.findings
    );
    assert!(
        message(&report, FindingCode::ScannerWithClass).contains("Acme Beta in 100 % of C, Acme Alpha in 100 % of D")
    );

    // Two scanners that both examine women of all classes.
    write_manifest(&planted, |number, _| {
        let model = if (number - 1) / 4 % 2 == 0 { "Alpha" } else { "Beta" };
        serde_json::json!({ "scanner": { "manufacturer": "Acme", "model": model }, "steps": { "original_size": [4096, 3328] } })
    });
    assert!(planted.report().findings.is_empty(), "{:#?}", planted.report().findings);
}
