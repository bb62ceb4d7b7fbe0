//! Inputs that others reported: each fault that concerns an audit is found.

use std::path::Path;

use mammoscope_dataset::audit::AuditReport;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_test_support::shared;

use super::{audited, codes};

fn report(folder: &Path, name: &str) -> AuditReport {
    audited(&folder.join(name), GreyRange::Auto, None)
}

#[test]
fn reported_faults_are_found() {
    let Some(folder) = shared("bugs/data") else { return };
    for (name, expected) in [
        ("A01/CC_R", &["grey-range"][..]),
        ("A01/plain", &[]),
        ("A03/CC_R", &["unreadable"]),
        ("A04/CC_R", &[]),
        ("A05", &["leftover-files"]),
        ("A06/folder", &["masks-left-out"]),
        ("A06/beside", &["masks-left-out"]),
        ("A07", &["leftover-files"]),
        ("A08/nfd", &[]),
        ("A12", &["unreadable", "unreadable", "unreadable", "no-ids", "unknown-view"]),
        ("A16", &["unreadable", "no-ids", "left-out", "unknown-view"]),
        ("A17/inverted", &["inverted"]),
        ("A17/blank", &["one-grey-level"]),
        ("A18", &["repeated-view"]),
        ("A19", &["recompressed", "odd-depth"]),
    ] {
        assert_eq!(codes(&report(&folder, name)), expected, "{name}");
    }
    let damaged = report(&folder, "A03/CC_R");
    assert_eq!(damaged.findings[0].files.len(), 3);
    let pointer = report(&folder, "A16");
    assert_eq!(pointer.findings[0].fix, "fetch the file itself with `git lfs pull`");
}

#[test]
fn dicom_files_are_reported_and_not_read() {
    let Some(folder) = shared("dicom/synthetic-mg") else { return };
    let copy = tempfile::tempdir().unwrap();
    let phantom = Path::new("CC_R/A/1_1_A_CC_R.png");
    super::write(copy.path(), phantom, &super::clean_phantoms()[0].1.image);
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()).take(5) {
        std::fs::copy(entry.path(), copy.path().join("CC_R/A").join(entry.file_name())).unwrap();
        files += 1;
    }
    let report = audited(copy.path(), GreyRange::Auto, None);
    assert_eq!(codes(&report), ["dicom-file"]);
    assert_eq!(report.findings[0].files.len(), files);
    assert!(report.findings[0].fix.contains("mammoscope preprocess"));
}
