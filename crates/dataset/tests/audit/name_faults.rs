//! Names, folders, ids and views that contradict each other, and files that cannot be read.

use std::fs;

use mammoscope_dataset::audit::finding::FindingCode::{
    ClassAgainstName, ClassChanges, ClassesContradict, DicomFile, FolderAgainstFolder, IdSpelling, LeftOut,
    LeftoverFiles, MasksLeftOut, MissingViews, NoIds, RepeatedView, Unlabelled, Unreadable, ViewAgainstName,
};
use mammoscope_dataset::audit::finding::Severity::{Error, Warning};

use super::Planted;

/// Files of a subject, in the order of the views.
fn of_subject(number: u32, class: &str) -> [String; 4] {
    ["CC_R", "CC_L", "MLO_R", "MLO_L"].map(|view| format!("{view}/{class}/{number}_1_{class}_{view}.png"))
}

#[test]
fn unreadable_files_are_found_by_reason() {
    let planted = Planted::new();
    let cut = "CC_R/A/1_1_A_CC_R.png";
    let bytes = fs::read(planted.path(cut)).unwrap();
    fs::write(planted.path(cut), &bytes[..bytes.len() / 2]).unwrap();
    for file in ["CC_R/B/2_1_B_CC_R.png", "CC_R/B/6_1_B_CC_R.png"] {
        fs::write(planted.path(file), "").unwrap();
    }
    let found = planted.expect(&[
        (Error, Unreadable, &["CC_R/B/2_1_B_CC_R.png", "CC_R/B/6_1_B_CC_R.png"]),
        (Error, Unreadable, &[cut]),
    ]);
    assert_eq!(found[0].message, "2 files, each of which is empty (0 bytes)");
    assert_eq!(found[1].message, "a file is a truncated PNG: the file ends before the image does");
    let file = planted.report().files.into_iter().find(|file| file.file == cut).unwrap();
    assert_eq!((file.laterality.name(), file.laterality_agrees), ("unknown", None));
}

#[test]
fn names_against_folders_are_found() {
    let planted = Planted::new();
    planted.rename("CC_R/A/1_1_A_CC_R.png", "CC_R/A/1_1_B_CC_R.png");
    let finding = planted.expect_only(Error, ClassAgainstName, &["CC_R/A/1_1_B_CC_R.png"]);
    assert_eq!(finding.message, "a file is named B but is in class folder A; the folder counts");

    let planted = Planted::new();
    planted.rename("CC_R/A/1_1_A_CC_R.png", "CC_R/A/1_1_A_MLO_R.png");
    planted.expect_only(Error, ViewAgainstName, &["CC_R/A/1_1_A_MLO_R.png"]);

    let planted = Planted::new();
    for file in of_subject(5, "A") {
        planted.rename(&file, &file.replace("/A/", "/A/D/"));
    }
    let report = planted.report();
    assert_eq!(super::codes(&report)[..2], ["class-against-name", "folder-against-folder"]);
    let finding = &report.findings[1];
    assert_eq!((finding.severity, finding.code, finding.files.len()), (Error, FolderAgainstFolder, 4));
}

#[test]
fn classes_of_one_subject_that_differ_are_found() {
    let planted = Planted::new();
    planted.rename("MLO_L/A/1_1_A_MLO_L.png", "MLO_L/B/1_1_B_MLO_L.png");
    let files = of_subject(1, "A");
    let files = [&files[0], &files[1], &files[2], "MLO_L/B/1_1_B_MLO_L.png"];
    let finding = planted.expect_only(Error, ClassesContradict, &files);
    assert_eq!(finding.message, "the images of subject 1 exam 1 are of classes A, B");

    // Another examination may be of another class.
    let planted = Planted::new();
    for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
        planted.rename(&format!("{view}/B/6_1_B_{view}.png"), &format!("{view}/B/5_2_B_{view}.png"));
    }
    let finding = planted.report().findings.remove(0);
    assert_eq!((finding.severity, finding.code, finding.files.len()), (Warning, ClassChanges, 8));
}

#[test]
fn two_spellings_of_an_id_are_found() {
    let planted = Planted::new();
    planted.rename("CC_L/A/5_1_A_CC_L.png", "CC_L/A/005_1_A_CC_L.png");
    let files = of_subject(5, "A");
    let others = [&*files[0], &files[2], &files[3]];
    let found = planted.expect(&[
        (Warning, IdSpelling, &[others[0], "CC_L/A/005_1_A_CC_L.png", others[1], others[2]]),
        (Warning, MissingViews, &others),
        (Warning, MissingViews, &["CC_L/A/005_1_A_CC_L.png"]),
    ]);
    assert_eq!(found[0].message, "'005' and '5' look like one subject but are treated as 2");
    assert!(found[1].message.starts_with("1 examination lacks CC_L: 5 exam 1"), "{:?}", found[1]);
}

#[test]
fn repeated_and_missing_views_are_found() {
    let planted = Planted::new();
    planted.rename("MLO_R/A/9_1_A_MLO_R.png", "MLO_R/A/5_1_A_MLO_R.tif.png");
    // A name without ids.
    planted.rename("MLO_R/A/5_1_A_MLO_R.tif.png", "MLO_R/A/scan 17.png");
    let lacking = of_subject(9, "A");
    planted.expect(&[
        (Warning, NoIds, &["MLO_R/A/scan 17.png"]),
        (Warning, MissingViews, &[&lacking[0], &lacking[1], &lacking[3]]),
    ]);

    let planted = Planted::new();
    planted.rename("CC_R/A/9_1_A_CC_R.png", "CC_R/A/05_1_A_CC_R.png");
    planted.rename("CC_R/A/05_1_A_CC_R.png", "CC_R/A/5_1_a_cc_r.png");
    let report = planted.report();
    let repeated = report.findings.iter().find(|finding| finding.code == RepeatedView).unwrap();
    assert_eq!(repeated.message, "subject 5 exam 1 has 2 images of CC_R");
    assert_eq!(repeated.files, ["CC_R/A/5_1_A_CC_R.png", "CC_R/A/5_1_a_cc_r.png"]);
}

#[test]
fn files_that_are_left_out_are_found() {
    let planted = Planted::new();
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\0\0\0UL\x04\0");
    fs::write(planted.path("CC_R/A/1.dcm"), &dicom).unwrap();
    fs::write(planted.path("CC_R/A/IM0001"), &dicom).unwrap();
    fs::write(planted.path("CC_R/A/called.png"), &dicom).unwrap();
    let finding = planted.report().findings.into_iter().filter(|finding| finding.code == DicomFile);
    let files: Vec<String> = finding.flat_map(|finding| finding.files).collect();
    assert_eq!(files, ["CC_R/A/1.dcm", "CC_R/A/IM0001", "CC_R/A/called.png"]);

    let planted = Planted::new();
    let picture = planted.picture("CC_R/A/1_1_A_CC_R.png");
    fs::write(planted.path("CC_R/A/notes.docx"), "notes").unwrap();
    picture.save(planted.path("CC_R/A/1_1_A_CC_R_mask.png")).unwrap();
    picture.save(planted.path("CC_R/A/@eaDir/1.png/SYNOPHOTO_THUMB_SM.png")).unwrap();
    planted.expect(&[
        (Warning, LeftOut, &["CC_R/A/notes.docx"]),
        (Warning, MasksLeftOut, &["CC_R/A/1_1_A_CC_R_mask.png"]),
        (Warning, LeftoverFiles, &[]),
    ]);
}

#[test]
fn images_without_a_class_are_found() {
    let planted = Planted::new();
    for file in of_subject(5, "A") {
        planted.rename(&file, &file.replace("/A/", "/unlabelled/"));
    }
    let files = of_subject(5, "A").map(|file| file.replace("/A/", "/unlabelled/"));
    planted.expect_only(Warning, Unlabelled, &files.each_ref().map(String::as_str));
}
