//! Subjects and copies in two splits.

use std::fs;
use std::path::{Path, PathBuf};

use mammoscope_dataset::audit::BaselineMethod;
use mammoscope_dataset::audit::finding::FindingCode::{OutsideSplits, SameFile, SubjectInTwoSplits};
use mammoscope_dataset::audit::finding::Severity::Error;
use mammoscope_dataset::split_table::SplitTable;
use mammoscope_domain::image::grey_range::GreyRange;

use super::{Planted, audited, codes};

/// The phantoms in split folders: each class has four subjects for training, one for validation and one for test.
fn with_splits() -> Planted {
    Planted::with_paths(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let number: u32 = name.split('_').next().unwrap().parse().unwrap();
        let split = match number {
            17..=20 => "validation",
            21..=24 => "test",
            _ => "train",
        };
        let view = file.iter().next().unwrap();
        Path::new(view).join(split).join(file.strip_prefix(view).unwrap())
    })
}

#[test]
fn splits_by_folder_are_clean_and_give_a_baseline() {
    let report = with_splits().report();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.counts.by_split["validation"], 16);
    let baseline = report.baseline.unwrap();
    assert_eq!((baseline.method, baseline.all.n), (BaselineMethod::HeldOut, 32));
}

#[test]
fn a_subject_in_two_splits_is_found() {
    let planted = with_splits();
    planted.rename("MLO_R/train/A/5_1_A_MLO_R.png", "MLO_R/test/A/5_1_A_MLO_R.png");
    let files = ["CC_R/train/A/5_1_A_CC_R.png", "CC_L/train/A/5_1_A_CC_L.png", "MLO_R/test/A/5_1_A_MLO_R.png"];
    let last = "MLO_L/train/A/5_1_A_MLO_L.png";
    let finding = planted.expect_only(Error, SubjectInTwoSplits, &[files[0], files[1], files[2], last]);
    assert_eq!(finding.message, "subject 5 is in train and test");

    // In another spelling.
    let planted = with_splits();
    planted.rename("MLO_R/train/A/5_1_A_MLO_R.png", "MLO_R/validation/A/05_1_A_MLO_R.png");
    let report = planted.report();
    assert_eq!(codes(&report), ["subject-in-two-splits", "id-spelling", "missing-views", "missing-views"]);
    assert_eq!(report.findings[0].message, "subject 05, also written 5 is in train and validation");
}

#[test]
fn a_copy_in_two_splits_is_found() {
    let planted = with_splits();
    fs::copy(planted.path("CC_R/train/A/1_1_A_CC_R.png"), planted.path("CC_R/test/A/21_1_A_CC_R.png")).unwrap();
    let finding = planted.expect_only(Error, SameFile, &["CC_R/train/A/1_1_A_CC_R.png", "CC_R/test/A/21_1_A_CC_R.png"]);
    assert_eq!(finding.message, "2 files have the same bytes, but are in train, test and of 2 subjects");
}

#[test]
fn images_outside_split_folders_are_found() {
    let planted = with_splits();
    planted.rename("CC_R/train/A/5_1_A_CC_R.png", "CC_R/A/5_1_A_CC_R.png");
    planted.expect_only(Error, OutsideSplits, &["CC_R/A/5_1_A_CC_R.png"]);
}

#[test]
fn a_table_of_splits_replaces_the_folders() {
    let planted = with_splits();
    let table = |lines: &str| {
        SplitTable::parse(&PathBuf::from("splits.csv"), format!("subject,split\n{lines}").as_bytes(), None).unwrap()
    };
    let line = |number: u32| format!("{number},{}\n", if number < 9 { "test" } else { "train" });
    let complete = table(&(1..=24).map(line).collect::<String>());
    let report = audited(planted.root(), GreyRange::Auto, Some(&complete));
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!(report.counts.by_split["test"], 32);

    let other = table(
        &(2..=25)
            .map(|number| if number == 3 { "03,train\n".to_owned() } else { format!("{number},train\n") })
            .collect::<String>(),
    );
    let report = audited(planted.root(), GreyRange::Auto, Some(&other));
    assert_eq!(codes(&report), ["id-spelling", "not-in-split-table", "not-in-data"]);
    assert_eq!(report.findings[1].message, "2 subjects are not in the table of splits: 1, 3");
    assert_eq!(report.findings[1].files.len(), 8);
}
