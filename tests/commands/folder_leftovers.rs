//! Files in data folders that are not data, folders inside class folders, and IDs that names do not contain.

use std::path::Path;

use mammoscope_dataset::folder_layout::{ScanOptions, scan, scan_with};
use mammoscope_dataset::folder_problem::FolderProblemKind;
use mammoscope_dataset::stated::{LabelFile, StatedIds};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_test_support::folder_fixture::{folder_with, lines, problems};

#[test]
fn leftovers_of_programs_are_counted_but_are_not_problems() {
    let folder = folder_with(&[
        "CC_R/A/1_1_A_CC_R.png",
        "CC_R/A/._1_1_A_CC_R.png",
        "CC_R/A/Thumbs.db",
        "CC_R/A/desktop.ini",
        "CC_R/A/1_1_A_CC_R.png~",
        "CC_R/A/@eaDir/1_1_A_CC_R.png/SYNOPHOTO_THUMB_XL.png",
        "CC_R/A/@eaDir/1_1_A_CC_R.png/SYNOPHOTO_THUMB_SM.png",
        "#recycle/CC_R/A/9_1_A_CC_R.png",
        "__MACOSX/CC_R/A/._1_1_A_CC_R.png",
        "backup/CC_R/A/1_1_A_CC_R.png",
    ]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1"]);
    assert_eq!(found.problems, []);
    assert_eq!(
        found.ignored.notes(folder.path()),
        [
            "9 files ignored as not part of the data: 1 in #recycle, 2 in @eaDir, 1 in __MACOSX, 1 in backup, 3 left by programs, 1 named \
          ._*"
        ]
    );
}

#[test]
fn masks_of_lesions_are_left_out_and_counted() {
    let folder = folder_with(&[
        "CC_R/C/3_1_C_CC_R.png",
        "CC_R/C/mask/3_1_C_CC_R.png",
        "CC_R/C/ROI mask images/3_1_C_CC_R.png",
        "CC_R/C/3_1_C_CC_R_mask.png",
        "CC_R/C/masks/3_1_C_CC_R_dense.png",
    ]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R - C 3"]);
    assert_eq!(found.problems, []);
    let notes = found.ignored.notes(folder.path());
    assert!(notes[0].starts_with("3 masks of lesions or regions left out by name: CC_R/C/"), "{notes:?}");
}

#[test]
fn folders_inside_a_class_folder_are_read_on_request() {
    let folder =
        folder_with(&["CC_R/A/1_1_A_CC_R.png", "CC_R/A/clinic 7/2_1_A_CC_R.png", "CC_R/A/clinic 7/3_1_A_CC_R.png"]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1"]);
    assert_eq!(
        problems(folder.path(), &found),
        [("CC_R/A/clinic 7".to_owned(), FolderProblemKind::Nested { images: Some(2) })]
    );
    assert_eq!(found.problems[0].leaves_out(), 2);
    assert!(found.problems[0].to_string().contains("--nested"));
    let nested = ScanOptions { nested: true, ..ScanOptions::default() };
    let found = scan_with(folder.path(), &nested).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1", "CC_R - A 2", "CC_R - A 3"]);
    assert_eq!(found.problems, []);
}

#[test]
fn ids_come_from_a_table_or_a_pattern() {
    let folder = folder_with(&[
        "A/20586908_6c613a14b80a8591_MG_R_CC_ANON.png",
        "B/20587346_e634830794f5c1bd_MG_L_ML_ANON.png",
        "B/notes.png",
    ]);
    let by_pattern = ScanOptions {
        stated: StatedIds { pattern: Some("inbreast".parse().unwrap()), labels: None },
        ..ScanOptions::default()
    };
    let found = scan_with(folder.path(), &by_pattern).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 6c613a14b80a8591", "MLO_L - B e634830794f5c1bd"]);
    assert_eq!(found.facts.names_without_ids, 0);
    assert!(matches!(&found.problems[..], [problem] if problem.leaves_out() == 1));
    assert!(found.problems[0].to_string().ends_with("1 image is left out, since --ids does not cover it: B/notes.png"));

    let table = "File Name;ACR;exam\n20586908;2;7\n20587346;2;8\n99999999;1;\n";
    let table = LabelFile::parse(Path::new("t.csv"), table.as_bytes()).unwrap();
    let both = ScanOptions {
        stated: StatedIds { labels: Some(table.clone()), ..by_pattern.stated.clone() },
        ..ScanOptions::default()
    };
    let found = scan_with(folder.path(), &both).unwrap();
    assert_eq!(lines(&found), ["CC_R - B 6c613a14b80a8591", "MLO_L - B e634830794f5c1bd"], "the table's class wins");
    assert_eq!(found.samples[0].exam.as_ref().map(|exam| exam.0.as_str()), Some("7"));
    assert_eq!(found.stated_but_missing, ["99999999"]);
    let against = FolderProblemKind::ClassAgainstTable { folder: DensityClass::A, table: DensityClass::B };
    assert!(found.problems.iter().any(|problem| problem.kind == against), "{:?}", found.problems);

    let others = folder_with(&["A/x.png"]);
    let error = scan_with(
        others.path(),
        &ScanOptions { stated: StatedIds { labels: Some(table), pattern: None }, nested: false },
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("--labels t.csv: none of the data's images is named in it: it has 20586908, "),
        "{error}"
    );
}
