//! Identifiers of the shared files, which are invented words: none of them reaches anything that is printed or written.

use std::fs;
use std::path::Path;

use mammoscope_test_support::{mammoscope, shared};
use serde_json::Value;
use walkdir::WalkDir;

fn canaries(root: &Path) -> Vec<String> {
    let expected: Value = serde_json::from_slice(&fs::read(root.join("expected.json")).unwrap()).unwrap();
    expected["canaries"].as_object().unwrap().values().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn assert_clean(what: &str, bytes: &[u8], canaries: &[String]) {
    for canary in canaries {
        let found = bytes.windows(canary.len()).any(|window| window.eq_ignore_ascii_case(canary.as_bytes()));
        assert!(!found, "{canary} in {what}");
    }
}

#[test]
fn no_identifier_leaves_the_files() {
    let Some(root) = shared("dicom") else { return };
    let canaries = canaries(&root);
    assert!(canaries.len() >= 8);
    let folder = tempfile::tempdir().unwrap();
    let (out, home) = (folder.path().join("out"), folder.path().join("home"));
    let labels = folder.path().join("labels.csv");
    fs::write(&labels, "subject,class\nZQXSH77001,A\nZQXSH77001,B\n").unwrap();
    for input in ["synthetic-mg", "bad"] {
        for options in [&["--dry-run"][..], &[], &["--verify"], &["--labels", labels.to_str().unwrap()]] {
            let output = mammoscope()
                .env("XDG_DATA_HOME", &home)
                .env("RUST_LOG", "trace")
                .env("RUST_BACKTRACE", "full")
                .arg("preprocess")
                .arg(root.join(input))
                .arg(out.join(input))
                .args(options)
                .output()
                .unwrap();
            let what = format!("the output of preprocess {input} {options:?}");
            assert_clean(&what, &output.stdout, &canaries);
            assert_clean(&what, &output.stderr, &canaries);
        }
    }
    for entry in WalkDir::new(root.join("synthetic-mg")).into_iter().chain(WalkDir::new(root.join("bad"))) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        for options in [&[][..], &["--json"], &["--force", "all"]] {
            let output = mammoscope().arg("dicom").arg(entry.path()).args(options).output().unwrap();
            assert_clean("the output of dicom", &output.stdout, &canaries);
            assert_clean("the messages of dicom", &output.stderr, &canaries);
        }
    }
    let mut files = 0;
    for entry in WalkDir::new(folder.path()).into_iter().map(Result::unwrap) {
        if entry.path() == labels {
            continue;
        }
        assert_clean("a file name", entry.file_name().as_encoded_bytes(), &canaries);
        if entry.file_type().is_file() {
            assert_clean(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap(), &canaries);
            files += 1;
        }
    }
    assert!(files > 40, "only {files} files were written");
}

#[test]
fn identifiers_are_shown_on_request() {
    let Some(root) = shared("dicom") else { return };
    let file = root.join("synthetic-mg/explicit-12bit-window.dcm");
    let output = mammoscope().arg("dicom").arg(&file).args(["--json", "--phi"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["phi"]["patient_id"], "ZQXSH77001");
    let output = mammoscope().arg("dicom").arg(&file).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("explicit-12bit-window.dcm\n"));
}
