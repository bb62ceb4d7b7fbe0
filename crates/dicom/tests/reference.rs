//! Every file of the shared DICOM set, against what its reference says: decision, stored values and rendering.

use std::fs;
use std::path::Path;

use mammoscope_dicom::examination::{Examination, Force};
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_dicom::header::finding::Finding;
use mammoscope_test_support::{shared, skipped};
use serde_json::Value;

/// Files whose refusal needs the pixels' side, which this crate does not judge.
const BY_PIXELS: [&str; 1] = ["synthetic-mg/laterality-tag-wrong.dcm"];

fn decision(examination: &Examination) -> &'static str {
    match examination.faults.first() {
        Some(fault) if fault.is_directory() => "skip",
        Some(_) => "refuse",
        None if examination.findings.iter().any(Finding::is_warning) => "accept-with-warning",
        None => "accept",
    }
}

fn crc32(bytes: impl IntoIterator<Item = u8>) -> String {
    let bytes: Vec<u8> = bytes.into_iter().collect();
    format!("{:08x}", crc32fast::hash(&bytes))
}

fn check(root: &Path, name: &str, expected: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let bytes = fs::read(root.join(name)).expect("a readable file");
    let examination = Examination::of(bytes.clone(), GreyRequest::Auto, &[]);
    let wanted = expected["decision"].as_str().expect("a decision");
    let found = decision(&examination);
    let agrees = match wanted {
        "refuse-or-accept" => found != "skip",
        "refuse-or-warn" => true,
        _ => found == wanted || BY_PIXELS.contains(&name),
    };
    if !agrees {
        let faults: Vec<_> = examination.faults.iter().map(ToString::to_string).collect();
        problems.push(format!("decision {found} instead of {wanted}: {}", faults.join("; ")));
    }
    let forced = Examination::of(bytes, GreyRequest::Auto, &[Force::All]);
    let Some(stored) = expected["stored"].as_object() else { return problems };
    let Some(image) = &forced.image else {
        let faults: Vec<_> = forced.faults.iter().map(ToString::to_string).collect();
        problems.push(format!("not decoded: {}", faults.join("; ")));
        return problems;
    };
    let tolerance = expected["rendering"]["tolerance_grey_levels"].as_u64();
    let is_lossy = tolerance == Some(2) && expected["voi"]["kind"] != "range" || lossy(name);
    if !is_lossy {
        let found = crc32(image.pixels.words.iter().flat_map(|word| word.to_le_bytes()));
        if Some(found.as_str()) != stored["crc32_u16le"].as_str() {
            let words = &image.pixels.words;
            let values = words.iter().map(|&word| image.pixels.value(word));
            let (low, high) = (values.clone().min(), values.max());
            problems.push(format!("stored values {low:?}..{high:?} differ from {}", expected["stored"]));
        }
    }
    if let (Some(tolerance), Some(png)) = (tolerance, expected["rendering"]["png8"].as_str()) {
        let wanted = image::open(root.join(png)).expect("a rendering").into_luma8();
        let rendered = image.rendering.to_8_bits(&image.pixels);
        if (wanted.width() as usize, wanted.height() as usize) == (image.pixels.columns, image.pixels.rows) {
            let worst = wanted.as_raw().iter().zip(&rendered).map(|(a, b)| a.abs_diff(*b)).max();
            if worst.is_none_or(|worst| u64::from(worst) > tolerance) {
                problems.push(format!("the rendering is off by {worst:?} grey levels ({tolerance} allowed)"));
            }
        }
    }
    problems
}

/// Encodings that lose information.
fn lossy(name: &str) -> bool {
    [
        "J2KI",
        "lossy",
        "baseline",
        "extended",
        "JPGExtended",
        "JPEG2000.dcm",
        "NearLossless",
        "near-lossless",
        "JLSN",
        "JPLY",
        "JPEG2000",
    ]
    .iter()
    .any(|word| name.contains(word))
}

#[test]
fn every_file_is_judged_and_rendered_as_its_reference_says() {
    let Some(root) = shared("dicom") else { return skipped("the shared DICOM files are absent") };
    let expected: Value =
        serde_json::from_slice(&fs::read(root.join("expected.json")).expect("expected.json")).expect("JSON");
    let files = expected["files"].as_object().expect("files");
    let mut problems = Vec::new();
    for (name, expected) in files {
        problems.extend(check(&root, name, expected).into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(files.len() > 100, "only {} files", files.len());
    assert!(problems.is_empty(), "{} problems in {} files:\n{}", problems.len(), files.len(), problems.join("\n"));
}
