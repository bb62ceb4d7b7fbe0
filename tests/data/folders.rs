//! Every layout of a data folder, and everything that can be wrong with one.

use std::collections::HashSet;
use std::fs;

use mammoscope_dataset::folder_layout::{ScanError, scan};
use mammoscope_dataset::folder_problem::{FolderLevel, FolderProblemKind};
use mammoscope_dataset::selection::{SelectionError, select};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::folder_fixture::{folder_with, lines, problems};
use mammoscope_test_support::skipped;

#[test]
fn the_references_three_set_folders_are_read_together() {
    let folder = folder_with(&[
        "TestSet/CC_R/test/A/9_1_A_CC_R.png",
        "TestSet/CC_R/test/A/124_1_A_CC_R.png",
        "TestSet/MLO_L/test/D/7_1_D_MLO_L.png",
        "TrainingSet/CC_R/train/B/1_1_B_CC_R.png",
        "ValidationSet/CC_R/validation/C/2_1_C_CC_R.png",
    ]);
    let found = scan(folder.path()).unwrap();
    let expected = ["CC_R train B 1", "CC_R validation C 2", "CC_R test A 9", "CC_R test A 124", "MLO_L test D 7"];
    assert_eq!(lines(&found), expected);
    assert_eq!(found.problems, []);
    assert_eq!((found.facts.splits_by_folder, found.facts.labels_by_folder, found.facts.names_without_ids), (5, 5, 0));
    // One of the sets, a view, its split, a class, and one image: each takes what it lacks from the folders above it.
    for (inside, expected) in [
        ("TestSet", &expected[2..]),
        ("TestSet/CC_R", &expected[2..4]),
        ("TestSet/CC_R/test", &expected[2..4]),
        ("TestSet/CC_R/test/A", &expected[2..4]),
        ("TestSet/CC_R/test/A/124_1_A_CC_R.png", &expected[3..4]),
        ("TestSet/CC_R/test/../test/A/.", &expected[2..4]),
    ] {
        assert_eq!(lines(&scan(&folder.path().join(inside)).unwrap()), expected, "{inside}");
    }
}

#[test]
fn set_folders_give_the_split_without_split_folders() {
    let folder = folder_with(&["TestSet/CC_R/A/1_1_A_CC_R.png", "training_set/CC_R/A/2_1_A_CC_R.png"]);
    assert_eq!(lines(&scan(folder.path()).unwrap()), ["CC_R train A 2", "CC_R test A 1"]);
    let folder = folder_with(&["test/CC_R/A/1_1_A_CC_R.png", "val/CC_R/A/2_1_A_CC_R.png"]);
    assert_eq!(lines(&scan(folder.path()).unwrap()), ["CC_R validation A 2", "CC_R test A 1"]);
}

#[test]
fn a_tree_without_split_folders_has_no_splits() {
    let folder = folder_with(&["testset/CC_R/A/1_1_A_CC_R.png", "testset/mlo_r/d/1_1_D_MLO_R.PNG"]);
    let found = scan(&folder.path().join("testset")).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1", "MLO_R - D 1"]);
    let error = select(&found, &ViewSelection::All, SplitSelection::Only(Split::Test)).unwrap_err();
    assert_eq!(error, SelectionError::NoSplits { asked: Split::Test });
    assert!(error.to_string().contains("no split folders"), "{error}");
}

#[test]
fn a_flat_folder_has_views_by_name_and_no_labels() {
    let folder = folder_with(&["flat/124_1_A_CC_L.png", "flat/7_2_D_MLO_R.png", "flat/scan.png"]);
    let found = scan(&folder.path().join("flat")).unwrap();
    assert_eq!(lines(&found), ["CC_L - - 124", "MLO_R - - 7", "- - - scan"]);
    assert_eq!((found.facts.labels_by_folder, found.facts.names_without_ids), (0, 1));
    assert_eq!(found.samples[0].exam.as_ref().map(|exam| exam.0.as_str()), Some("1"));
    // One folder per subject, with any name, works as well.
    let folder = folder_with(&["clinic/anna/1_1_A_CC_R.png", "clinic/berta/2_1_A_CC_R.png"]);
    assert_eq!(lines(&scan(folder.path()).unwrap()), ["CC_R - - 1", "CC_R - - 2"]);
}

#[test]
fn data_sets_inside_a_folder_are_found() {
    let folder = folder_with(&["north/CC_R/A/1_1_A_CC_R.png", "south/TestSet/CC_R/test/B/2_1_B_CC_R.png"]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R test B 2", "CC_R - A 1"]);
    assert_eq!(found.problems, []);
}

#[test]
fn files_without_ids_are_separate_subjects() {
    let folder = folder_with(&["CC_R/A/1.png", "CC_R/B/1.png", "CC_R/B/2.png"]);
    let found = scan(folder.path()).unwrap();
    let subjects: HashSet<_> = found.samples.iter().map(|sample| &sample.subject).collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert_eq!(found.samples[2].subject.0, "2", "a unique stem names its subject");
    assert_eq!(found.facts.names_without_ids, 3);
}

#[test]
fn a_root_named_like_a_class_or_split_does_not_overrule_its_folders() {
    let folder = folder_with(&["d/CC_R/A/1_1_A_CC_R.png", "test/CC_R/A/1_1_A_CC_R.png"]);
    for root in ["d", "test"] {
        assert_eq!(lines(&scan(&folder.path().join(root)).unwrap()), ["CC_R - A 1"], "{root}");
    }
}

#[test]
fn masks_and_other_files_are_not_samples() {
    let folder = folder_with(&[
        "CC_R/A/1_1_A_CC_R.png",
        "CC_R/A/masks/1_1_A_CC_R_breast.png",
        "CC_R/A/masks/1_1_A_CC_R_dense.png",
        "CC_R/A/Masks/x.png",
        "manifest.json",
        "CC_R/A/notes.TXT",
        "CC_R/.DS_Store",
        ".cache/B/thumbnail.png",
    ]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1"]);
    assert_eq!(found.problems, []);
}

#[test]
fn misplaced_files_are_listed_and_the_rest_is_read() {
    let folder = folder_with(&[
        "CC_R/test/A/1_1_A_CC_R.png",
        "CC_R/test/A/2_1_B_CC_R.png",
        "CC_R/test/A/3_1_A_CC_L.png",
        "CC_R/test/A/.4_1_A_CC_R.png",
        "CC_R/test/A/5.dcm",
        "CC_R/test/B/",
        "CC_R/test/E/6_1_A_CC_R.png",
        "CC_R/test/stray.png",
        "CC_R/holdout/A/7_1_A_CC_R.png",
        "LM_R/test/A/8_1_A_CC_R.png",
        "documents/leaflet.pdf",
        "CC_R/test/A/train/9_1_A_CC_R.png",
    ]);
    let found = scan(folder.path()).unwrap();
    // Folder A contains both images and a split folder: the split of the images is not guessed.
    assert_eq!(lines(&found), ["CC_R train A 9"]);
    let listed = problems(folder.path(), &found);
    let unknown = |expected, images| FolderProblemKind::UnknownFolder { expected, images };
    for (path, kind) in [
        ("CC_R/holdout", unknown(FolderLevel::Split, 1)),
        ("CC_R/test/A/.4_1_A_CC_R.png", FolderProblemKind::Hidden),
        ("CC_R/test/A/1_1_A_CC_R.png", FolderProblemKind::BesideFolders),
        ("CC_R/test/A/5.dcm", FolderProblemKind::NotAnImage),
        ("CC_R/test/A/train", FolderProblemKind::FolderAgainstFolder { inner: "train", outer: "test" }),
        ("CC_R/test/B", FolderProblemKind::EmptyClassFolder),
        ("CC_R/test/E", unknown(FolderLevel::Class, 1)),
        ("CC_R/test/stray.png", FolderProblemKind::BesideFolders),
        ("LM_R", unknown(FolderLevel::View, 1)),
    ] {
        assert!(listed.contains(&(path.to_owned(), kind.clone())), "{path}: {kind} is not among {listed:#?}");
    }
    assert_eq!(listed.len(), 11);
    assert!(found.problems.iter().all(|problem| !problem.to_string().contains('\n')));
}

#[test]
fn the_folder_wins_over_the_name() {
    let folder = folder_with(&["CC_R/A/2_1_B_CC_R.png", "CC_R/A/3_1_A_CC_L.png"]);
    let found = scan(folder.path()).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 2", "CC_R - A 3"]);
    let expected = [
        (
            "CC_R/A/2_1_B_CC_R.png".to_owned(),
            FolderProblemKind::ClassAgainstName { folder: DensityClass::A, name: DensityClass::B },
        ),
        ("CC_R/A/3_1_A_CC_L.png".to_owned(), FolderProblemKind::ViewAgainstName { folder: View::CcR, name: View::CcL }),
    ];
    assert_eq!(problems(folder.path(), &found), expected);
    assert!(found.problems.iter().all(|problem| problem.leaves_out() == 0));
}

#[test]
fn a_lone_folder_that_is_not_a_view_is_refused() {
    let folder = folder_with(&["XX_R/test/A/1.png"]);
    let error = scan(folder.path()).unwrap_err();
    assert!(matches!(error, ScanError::NoSamples { .. }), "{error}");
    assert!(error.to_string().contains("XX_R: is not a view") && error.to_string().contains("<VIEW>"), "{error}");
}

#[test]
fn a_folder_without_images_is_refused() {
    let folder = folder_with(&["CC_R/A/", "notes.txt"]);
    let error = scan(folder.path()).unwrap_err();
    assert!(error.to_string().contains("no image found"), "{error}");
    let error = scan(&folder.path().join("missing")).unwrap_err();
    assert!(matches!(error, ScanError::Unreadable { .. }), "{error}");
    // A file given by path is a sample, whatever it turns out to be when opened.
    assert_eq!(lines(&scan(&folder.path().join("notes.txt")).unwrap()), ["- - - notes"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;
    let folder = folder_with(&["store/1_1_A_CC_R.png", "data/CC_R/B/2_1_B_CC_R.png"]);
    let data = folder.path().join("data");
    symlink("../../store", data.join("CC_R/A")).unwrap();
    symlink("..", data.join("CC_R/B/loop")).unwrap();
    symlink("nowhere.png", data.join("CC_R/B/3_1_B_CC_R.png")).unwrap();
    let found = scan(&data).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1", "CC_R - B 2"]);
    let listed = problems(&data, &found);
    assert_eq!(listed.len(), 2, "{listed:#?}");
    assert_eq!(listed[1], ("CC_R/B/loop".to_owned(), FolderProblemKind::LinkLoop));
    assert!(matches!(&listed[0].1, FolderProblemKind::Unreadable { reason } if reason.contains("broken link")));
    // A root that is itself a link goes by its own name.
    symlink("store", folder.path().join("MLO_L")).unwrap();
    assert_eq!(lines(&scan(&folder.path().join("MLO_L")).unwrap()), ["MLO_L - - 1"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_listed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder_with(&["1_1_A_CC_R.png"]);
    fs::write(folder.path().join(OsStr::from_bytes(b"bad\xff.png")), "").unwrap();
    let found = scan(folder.path()).unwrap();
    assert_eq!(found.samples.len(), 1);
    assert_eq!(found.problems[0].kind, FolderProblemKind::NameNotUtf8);
    assert!(found.problems[0].to_string().contains("bad\\xff.png"), "{}", found.problems[0]);
    assert!(matches!(scan(&found.problems[0].path), Err(ScanError::NameNotUtf8 { .. })));
}

#[cfg(unix)]
#[test]
fn unreadable_folders_are_listed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder_with(&["CC_R/A/1_1_A_CC_R.png", "CC_R/B/2_1_B_CC_R.png"]);
    let locked = folder.path().join("CC_R/B");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&locked).is_ok() {
        skipped("this user can read every folder");
        return;
    }
    let found = scan(folder.path()).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(lines(&found), ["CC_R - A 1"]);
    assert!(found.problems.iter().any(|problem| matches!(problem.kind, FolderProblemKind::Unreadable { .. })));
}

#[test]
fn views_and_splits_are_selected() {
    let folder =
        folder_with(&["CC_R/train/A/1_1_A_CC_R.png", "CC_R/test/A/2_1_A_CC_R.png", "CC_L/test/A/2_1_A_CC_L.png"]);
    let found = scan(folder.path()).unwrap();
    let selected = |views: &str, split: &str| {
        select(&found, &views.parse().unwrap(), split.parse().unwrap()).map(|selection| selection.samples.len())
    };
    assert_eq!(selected("all", "all"), Ok(3));
    assert_eq!(selected("all", "test"), Ok(2));
    assert_eq!(selected("cc_r", "all"), Ok(2));
    assert_eq!(selected("CC_L,CC_R", "test"), Ok(2));
    let present = "train, test".to_owned();
    assert_eq!(selected("all", "val"), Err(SelectionError::SplitMissing { asked: Split::Validation, present }));
    let error = selected("CC_L", "train").unwrap_err();
    assert_eq!(error.to_string(), "--view CC_L: the data has no such images in train; it has CC_R");
    assert!(matches!(selected("CC_R,MLO_R", "all"), Err(SelectionError::ViewMissing { asked: View::MloR, .. })));
}

#[test]
fn images_of_unknown_view_take_the_one_requested_view() {
    let folder = folder_with(&["one.png", "two.png"]);
    let found = scan(folder.path()).unwrap();
    let selection = select(&found, &"MLO_L".parse().unwrap(), SplitSelection::All).unwrap();
    assert_eq!(selection.views_assumed, 2);
    assert!(selection.samples.iter().all(|sample| sample.view == Some(View::MloL)));
    let error = select(&found, &"MLO_L,MLO_R".parse().unwrap(), SplitSelection::All).unwrap_err();
    assert!(error.to_string().contains("unknown view"), "{error}");
}

#[test]
fn the_order_does_not_depend_on_the_file_system() {
    let names = ["10_1_A_CC_R", "2_1_A_CC_R", "1_1_A_CC_R", "100_1_A_CC_R"];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]].map(|order| {
        let files = order.map(|at| format!("CC_R/A/{}.png", names[at]));
        let folder = folder_with(&files.each_ref().map(String::as_str));
        lines(&scan(folder.path()).unwrap())
    });
    assert_eq!(orders[0], ["CC_R - A 1", "CC_R - A 2", "CC_R - A 10", "CC_R - A 100"]);
    assert!(orders.iter().all(|order| *order == orders[0]));
}
