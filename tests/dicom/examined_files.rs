//! `mammoscope dicom` on every shared file: decision, view, side and exit status as its reference says.

use std::fs;
use std::path::Path;

use mammoscope_test_support::{mammoscope, shared, stderr_of};
use serde_json::Value;

/// What `mammoscope dicom --json` prints about a file, and its exit status.
fn examine(file: &Path, options: &[&str]) -> (Value, i32) {
    let output = mammoscope().arg("dicom").arg(file).arg("--json").args(options).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{}: {error}: {}", file.display(), stderr_of(&output));
    });
    (document, output.status.code().unwrap())
}

#[test]
fn every_shared_file_is_judged_as_its_reference_says() {
    let Some(root) = shared("dicom") else { return };
    let expected: Value = serde_json::from_slice(&fs::read(root.join("expected.json")).unwrap()).unwrap();
    let mut problems = Vec::new();
    for (name, expected) in expected["files"].as_object().unwrap() {
        let (found, status) = examine(&root.join(name), &[]);
        let (wanted, decision) = (expected["decision"].as_str().unwrap(), found["decision"].as_str().unwrap());
        let agrees = match wanted {
            "refuse-or-accept" | "refuse-or-warn" => true,
            // A directory of files has no image to accept.
            "skip" => decision == "refuse" && found["reason"].as_str().unwrap().contains("DICOMDIR"),
            _ => wanted == decision,
        };
        if !agrees {
            problems.push(format!("{name}: {decision} instead of {wanted}: {}", found["reason"]));
        }
        assert_eq!(status, i32::from(decision == "refuse"), "{name}");
        assert_eq!(decision == "accept", found["reason"].is_null(), "{name}: a reason beside {decision}");
        if wanted != "accept" {
            continue;
        }
        for key in ["view", "laterality", "photometric", "bits_stored", "transfer_syntax"] {
            if found[key] != expected[key] {
                problems.push(format!("{name}: {key} is {} instead of {}", found[key], expected[key]));
            }
        }
        if let Some(voi) = expected["voi"].as_object() {
            for (key, value) in
                voi.iter().filter(|(key, _)| ["kind", "index", "center", "width", "function"].contains(&key.as_str()))
            {
                let same = found["grey"][key] == *value
                    || found["grey"][key].as_f64().is_some_and(|number| Some(number) == value.as_f64());
                if !same {
                    problems.push(format!("{name}: grey.{key} is {} instead of {value}", found["grey"][key]));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn forced_files_are_rendered_and_still_called_refused() {
    let Some(root) = shared("dicom") else { return };
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("out.png");
    let file = root.join("synthetic-mg/for-processing.dcm");
    let (refused, status) = examine(&file, &["--png", png.to_str().unwrap()]);
    assert_eq!((refused["decision"].as_str(), status, png.exists()), (Some("refuse"), 1, false));
    let (other, _) = examine(&file, &["--force", "tomosynthesis", "--png", png.to_str().unwrap()]);
    assert_eq!((other["forced"].as_bool(), png.exists()), (Some(false), false), "another kind is forced");
    let (forced, status) = examine(&file, &["--force", "for-processing", "--png", png.to_str().unwrap()]);
    assert_eq!((forced["decision"].as_str(), forced["forced"].as_bool(), status), (Some("refuse"), Some(true), 0));
    assert!(image::open(&png).is_ok());
}

#[test]
fn a_window_is_chosen_by_its_number_and_missing_ones_are_refused() {
    let Some(root) = shared("dicom") else { return };
    let file = root.join("synthetic-mg/three-windows.dcm");
    let (second, status) = examine(&file, &["--window", "1"]);
    assert_eq!((second["grey"]["index"].as_u64(), status), (Some(1), 0));
    let (third, _) = examine(&file, &["--window", "2"]);
    assert_ne!(second["grey"]["width"], third["grey"]["width"]);
    let (none, status) = examine(&file, &["--window", "3"]);
    assert_eq!(status, 1);
    assert!(none["reason"].as_str().unwrap().contains("3 usable windows"), "{}", none["reason"]);
    let (range, _) = examine(&file, &["--window", "range"]);
    assert_eq!(range["grey"]["kind"], "range");
    let (lut, status) = examine(&file, &["--window", "lut"]);
    assert!(status == 1 && lut["reason"].as_str().unwrap().contains("no usable VOI lookup table"));
}

#[test]
fn the_text_says_what_would_happen() {
    let Some(root) = shared("dicom") else { return };
    let text = |name: &str| {
        let output = mammoscope().arg("dicom").arg(root.join(name)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let accepted = text("synthetic-mg/voi-lut-and-windows-sigmoid-m1.dcm");
    for part in [
        "accepted",
        "CC, by View Code Sequence",
        "inverted",
        "lookup table 0",
        "the file has 2 lookup tables and 3 windows",
    ] {
        assert!(accepted.contains(part), "{part}:\n{accepted}");
    }
    let refused = text("synthetic-mg/for-processing.dcm");
    assert!(refused.contains("--force for-processing"), "{refused}");
}
