#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::folder_layout::scan;
use crate::split_table::SplitTable;
use mammoscope_domain::subject::subject_id::SubjectId;

const DRAWN: SplitPlan = SplitPlan::FoldersOrDrawn { seed: 5 };

/// A folder with these files, all empty.
fn folder_with<T: AsRef<Path>>(files: impl IntoIterator<Item = T>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    folder
}

/// Files of `count` subjects of each class, `A0` and so on, in the given views and without split folders.
fn subjects_of_each_class(count: usize, views: &[View]) -> Vec<String> {
    let mut files = Vec::new();
    for view in views {
        for class in DensityClass::ALL {
            files.extend((0..count).map(|number| format!("{view}/{class}/{class}{number}_1_{class}_{view}.png")));
        }
    }
    files
}

fn build(folder: &tempfile::TempDir, views: &str, plan: SplitPlan) -> Result<ManifestSet, ManifestError> {
    build_manifests(&scan(folder.path()).unwrap(), &views.parse().unwrap(), plan, false)
}

fn refused(files: &[&str], views: &str, plan: SplitPlan) -> String {
    let folder = folder_with(files);
    let error = build(&folder, views, plan).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    error.replace(&format!("{}/", folder.path().display()), "")
}

fn table(lines: &str) -> SplitPlan {
    let text = format!("subject,split\n{lines}");
    SplitPlan::Table(SplitTable::parse(Path::new("splits.csv"), text.as_bytes(), None).unwrap())
}

fn warnings(set: &ManifestSet) -> Vec<String> {
    set.warnings.iter().map(ToString::to_string).collect()
}

/// Split and file of every sample.
fn lines(manifest: &DatasetManifest) -> Vec<String> {
    manifest.samples.iter().map(|sample| format!("{} {}", sample.split, sample.file.display())).collect()
}

fn splits_by_subject(manifests: &[DatasetManifest]) -> BTreeMap<SubjectId, Vec<Split>> {
    let mut splits = BTreeMap::<_, Vec<_>>::new();
    for sample in manifests.iter().flat_map(|manifest| &manifest.samples) {
        splits.entry(sample.subject.clone()).or_default().push(sample.split);
    }
    splits
}

#[test]
fn drawn_splits_do_not_depend_on_the_requested_views() {
    let folder = folder_with(subjects_of_each_class(20, &View::ALL));
    let all = build(&folder, "all", DRAWN).unwrap().manifests;
    assert_eq!(all.iter().map(|manifest| manifest.view).collect::<Vec<_>>(), View::ALL);
    for splits in splits_by_subject(&all).values() {
        assert!(splits.len() == 4 && splits.iter().all(|split| *split == splits[0]), "{splits:?}");
    }
    for manifest in &all {
        assert_eq!((manifest.split_source, manifest.split_seed), (SplitSource::Seeded, 5));
        assert_eq!(Split::ALL.map(|split| manifest.of_split(split).count()), [64, 8, 8]);
        assert_eq!(manifest.root, folder.path().canonicalize().unwrap());
        assert!(manifest.samples.iter().all(|sample| manifest.root.join(&sample.file).exists()));
    }
    assert_eq!(build(&folder, "MLO_R", DRAWN).unwrap().manifests, [all[2].clone()]);
    let other = build(&folder, "all", SplitPlan::FoldersOrDrawn { seed: 6 }).unwrap().manifests;
    assert_ne!(splits_by_subject(&other), splits_by_subject(&all));
}

#[test]
fn samples_of_split_folders_are_ordered_by_split_class_and_name() {
    let folder = folder_with([
        "CC_R/train/B/10_1_B_CC_R.png",
        "CC_R/train/B/9_1_B_CC_R.png",
        "CC_R/train/A/124_1_A_CC_R.png",
        "CC_R/valid/A/3_1_A_CC_R.png",
        "CC_R/test/D/4_1_D_CC_R.png",
    ]);
    let set = build(&folder, "all", DRAWN).unwrap();
    let [manifest] = set.manifests.as_slice() else { panic!("one view: {set:?}") };
    assert_eq!((manifest.split_source, manifest.split_seed), (SplitSource::Folders, 0));
    assert_eq!(
        lines(manifest),
        [
            "train CC_R/train/A/124_1_A_CC_R.png",
            "train CC_R/train/B/9_1_B_CC_R.png",
            "train CC_R/train/B/10_1_B_CC_R.png",
            "validation CC_R/valid/A/3_1_A_CC_R.png",
            "test CC_R/test/D/4_1_D_CC_R.png",
        ]
    );
    assert_eq!(
        warnings(&set),
        [
            "no image of class A in test of CC_R",
            "no image of class B in validation, test of CC_R",
            "no image of class C in train, validation, test of CC_R",
            "no image of class D in train, validation of CC_R",
            "fewer than 10 training images of class A: 1 in CC_R",
            "fewer than 10 training images of class B: 2 in CC_R",
            "fewer than 1,000 training images: 3 in CC_R; the model may not generalise to other data",
        ]
    );
}

#[test]
fn a_subject_in_two_splits_is_refused_also_across_views() {
    let files = [
        "CC_R/train/A/7_1_A_CC_R.png",
        "CC_R/train/B/8_1_B_CC_R.png",
        "CC_L/test/A/7_2_A_CC_L.png",
        "CC_L/test/B/8_1_B_CC_L.png",
    ];
    let expected = "subject 7 is in two splits: train (CC_R/train/A/7_1_A_CC_R.png) and test \
                    (CC_L/test/A/7_2_A_CC_L.png) (and 1 more subject); move all images of a subject into one split, or \
                    use --allow-duplicates";
    assert_eq!(refused(&files, "all", DRAWN), expected);
    assert_eq!(refused(&files, "CC_R", DRAWN), expected);
    let folder = folder_with(files);
    assert!(build(&folder, "CC_R", SplitPlan::AllAsTrain).is_ok(), "the folders are ignored");
    assert!(build(&folder, "CC_R", table("7,train\n8,train\n")).is_ok(), "the folders are ignored");
}

#[test]
fn a_fold_is_recorded_and_subjects_that_are_set_aside_are_not_reported() {
    let subjects =
        [("1", "A", "1"), ("2", "B", "1"), ("3", "A", "2"), ("4", "B", "2"), ("5", "A", "3"), ("6", "B", "test")];
    let folder = folder_with(subjects.map(|(subject, class, _)| format!("CC_R/{class}/{subject}_1_{class}_CC_R.png")));
    let lines = subjects.map(|(subject, _, fold)| format!("{subject},{fold}\n")).concat();
    let fold = |choice: &str| {
        let text = format!("subject,fold\n{lines}");
        let table = SplitTable::parse(Path::new("x/folds.csv"), text.as_bytes(), Some(choice.parse().unwrap()));
        build(&folder, "all", SplitPlan::Table(table.unwrap())).unwrap()
    };
    let set = fold("3");
    assert!(warnings(&set).iter().all(|warning| !warning.contains("--splits")), "{:?}", warnings(&set));
    let [manifest] = &set.manifests[..] else { panic!("one view: {set:?}") };
    assert_eq!(
        lines_of(manifest),
        ["train 3_1_A", "train 4_1_B", "validation 1_1_A", "validation 2_1_B", "test 5_1_A"],
        "subject 6 is set aside"
    );
    let file = manifest.split_file.as_ref().unwrap();
    assert_eq!((file.name.as_str(), file.fold, &file.folds[..]), ("folds.csv", Some(3), &[1, 2, 3][..]));
    let last = fold("test").manifests.remove(0);
    assert_eq!(last.of_split(Split::Test).map(|(_, sample)| sample.subject.0.as_str()).collect::<Vec<_>>(), ["6"]);
    assert_eq!(last.split_file.unwrap().fold, None);
}

/// Split and name of every sample, without the view.
fn lines_of(manifest: &DatasetManifest) -> Vec<String> {
    let name = |line: String| line.replace("_CC_R.png", "").replace("CC_R/A/", "").replace("CC_R/B/", "");
    lines(manifest).into_iter().map(name).collect()
}

#[test]
fn one_subject_in_two_spellings_is_in_one_split() {
    let files = |second: &str| {
        let first = ["CC_R/train/A/P001_1_A_CC_R.png", "CC_R/train/B/2_1_B_CC_R.png"].map(str::to_owned);
        [first.to_vec(), vec![format!("CC_R/test/A/{second}_2_A_CC_R.png")]].concat()
    };
    for second in ["p001", "P1", "P 001"] {
        let files = files(second);
        let error = refused(&files.iter().map(String::as_str).collect::<Vec<_>>(), "all", DRAWN);
        let expected = format!("subject P001 (also {second}) is in two splits: train (CC_R/train/A/P001_1_A_CC_R.png)");
        assert!(error.starts_with(&expected) || error.contains("(also P001)"), "{error}");
        let folder = folder_with(&files);
        let table = table(&format!("P001,train\n2,train\n{second},test\n"));
        assert!(build(&folder, "all", table.clone()).unwrap_err().to_string().contains("is in two splits"));
        let scanned = scan(folder.path()).unwrap();
        let allowed = build_manifests(&scanned, &ViewSelection::All, table, true).unwrap();
        assert!(warnings(&allowed).iter().any(|line| line.ends_with("; allowed by --allow-duplicates")), "{allowed:?}");
        assert!(allowed.manifests[0].allow_duplicates);
    }
    assert!(build(&folder_with(files("P002")), "all", DRAWN).is_ok());
    // The composed and the decomposed form of the same letters are one id.
    let folder =
        folder_with(["CC_R/A/Zo\u{eb}_1_A_CC_R.png", "CC_L/A/Zoe\u{308}_1_A_CC_L.png", "CC_R/B/2_1_B_CC_R.png"]);
    let set = build(&folder, "CC_R", DRAWN).unwrap();
    assert!(!warnings(&set).iter().any(|line| line.contains("look the same")), "{set:?}");
    let zoe = SubjectId("Zo\u{eb}".to_owned());
    assert!(set.manifests[0].samples.iter().any(|sample| sample.subject == zoe));
}

#[test]
fn look_alikes_and_repeated_views_cause_warnings() {
    let mut files = subjects_of_each_class(3, &[View::CcR]);
    files.extend(["CC_R/B/B0_1_B_CC_R.tif", "CC_R/B/b00_1_B_CC_R.png"].map(str::to_owned));
    let set = build(&folder_with(files), "all", DRAWN).unwrap();
    let warnings = warnings(&set);
    assert_eq!(
        warnings[0],
        "subject ids that look the same are treated as different subjects (B0 and b00); write each id in one way (they \
         are kept in one split)"
    );
    assert_eq!(
        warnings[1],
        "1 view of an examination has more than one image: subject B0 exam 1 CC_R (B0_1_B_CC_R.png, B0_1_B_CC_R.tif); each \
         counts as a separate image"
    );
    let splits = splits_by_subject(&set.manifests);
    let of = |id: &str| splits[&SubjectId(id.to_owned())][0];
    assert_eq!(of("B0"), of("b00"));
}

#[test]
fn images_outside_the_split_folders_are_refused() {
    let error = refused(
        &[
            "CC_R/train/A/1_1_A_CC_R.png",
            "CC_R/train/B/2_1_B_CC_R.png",
            "CC_L/A/1_1_A_CC_L.png",
            "CC_L/B/2_1_B_CC_L.png",
        ],
        "all",
        DRAWN,
    );
    assert!(error.starts_with("CC_L/A/1_1_A_CC_L.png: is not in a split folder"), "{error}");
    assert!(error.contains("(and 1 more image)"), "{error}");
}

#[test]
fn a_table_defines_the_splits_and_leaves_out_other_subjects() {
    let folder = folder_with(subjects_of_each_class(2, &[View::CcR]));
    let set = build(&folder, "all", table("A0,train\nA1,test\nB0,train\nC0,val\n77,train\n78,test\n")).unwrap();
    assert_eq!(set.manifests[0].split_source, SplitSource::File);
    assert_eq!(
        lines(&set.manifests[0]),
        [
            "train CC_R/A/A0_1_A_CC_R.png",
            "train CC_R/B/B0_1_B_CC_R.png",
            "validation CC_R/C/C0_1_C_CC_R.png",
            "test CC_R/A/A1_1_A_CC_R.png"
        ]
    );
    let warnings = warnings(&set);
    assert_eq!(warnings[0], "left out, since they are not in --splits: 4 subjects (B1, C1, D0, D1)");
    assert_eq!(warnings[1], "--splits names 2 subjects that are not in the data: 77, 78");
    let error = build(&folder, "all", table("77,train\nA0,test\n")).unwrap_err().to_string();
    assert_eq!(error, "CC_R: no training images; the splits assign none of its 8 labelled images to train");
    let error = build(&folder, "all", table("77,train\n")).unwrap_err().to_string();
    assert_eq!(error, "--splits names none of the data's 8 subjects: it has 77, the data has A0, A1, B0");
    let error = build(&folder, "all", table("77,train\nC00,train\nd1,test\n")).unwrap_err().to_string();
    let expected = "it has C00, d1, 77, the data has C0, D1, A0; write the ids in one way";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn all_as_train_validates_on_the_same_images() {
    let folder = folder_with(["CC_R/train/A/1_1_A_CC_R.png", "CC_R/test/B/1_2_B_CC_R.png"]);
    let set = build(&folder, "CC_R", SplitPlan::AllAsTrain).unwrap();
    let manifest = &set.manifests[0];
    assert_eq!(Split::ALL.map(|split| manifest.of_split(split).count()), [2, 2, 0]);
    assert!(!warnings(&set).iter().any(|line| line.contains("validation") || line.contains("test")), "{set:?}");
}

#[test]
fn warnings_that_apply_to_several_views_are_merged() {
    let mut files = subjects_of_each_class(12, &View::ALL);
    files.retain(|file| file != "MLO_L/D/D0_1_D_MLO_L.png");
    files.push("CC_R/B/D11_1_B_CC_R.png".to_owned());
    let folder = folder_with(files);
    let keep =
        DensityClass::ALL.into_iter().flat_map(|class| (0..12).map(move |number| format!("{class}{number},train\n")));
    let set = build(&folder, "all", table(&keep.collect::<String>())).unwrap();
    assert_eq!(
        warnings(&set),
        [
            "labels contradict each other in 1 examination: 1 of subject D11 (B, D); every image keeps its own",
            "1 view of an examination has more than one image: subject D11 exam 1 CC_R (D11_1_B_CC_R.png, \
             D11_1_D_CC_R.png); each counts as a separate image",
            "no validation images in CC_R, CC_L, MLO_R, MLO_L: the best epoch cannot be determined",
            "no test images in CC_R, CC_L, MLO_R, MLO_L",
            "fewer than 1,000 training images: 47 in MLO_L; 48 in CC_L, MLO_R; 49 in CC_R; the model may not generalise \
             to other data",
        ]
    );
}

#[test]
fn a_subject_with_several_classes_is_stratified_by_the_densest() {
    let mut files = subjects_of_each_class(3, &[View::CcR]);
    files.push("CC_R/A/D0_2_A_CC_R.png".to_owned());
    let folder = folder_with(files);
    let with = build(&folder, "all", DRAWN).unwrap();
    assert!(warnings(&with)[0].starts_with("examinations of 1 subject have different labels: D0 (A, D)"), "{with:?}");
    fs::remove_file(folder.path().join("CC_R/A/D0_2_A_CC_R.png")).unwrap();
    let without = build(&folder, "all", DRAWN).unwrap();
    let first = |set: &ManifestSet| -> BTreeMap<_, _> {
        splits_by_subject(&set.manifests).into_iter().map(|(subject, splits)| (subject, splits[0])).collect()
    };
    assert_eq!(first(&with), first(&without));
}

#[test]
fn images_without_view_id_or_label_are_handled() {
    let folder = folder_with(["A/1.png", "A/2.png", "B/1.png", "B/3.png"]);
    let error = build(&folder, "all", DRAWN).unwrap_err().to_string();
    assert!(error.starts_with("neither folders nor file names give the view of the 4 labelled images"), "{error}");
    let set = build(&folder, "MLO_L", DRAWN).unwrap();
    assert_eq!(set.manifests[0].view, View::MloL);
    let warnings = warnings(&set);
    assert!(warnings[0].contains("4 images without a known view: assumed to be MLO_L"), "{warnings:?}");
    assert!(warnings[1].contains("in 4 file names"), "{warnings:?}");

    assert!(refused(&["1_1_A_CC_R.png", "2.png"], "all", DRAWN).starts_with("none of the 2 images has a label"));
    let one_class = refused(&["CC_R/A/1_1_A_CC_R.png", "CC_R/A/2_1_A_CC_R.png"], "all", DRAWN);
    assert_eq!(one_class, "CC_R: all 2 training images are of class A; there is nothing to learn");
    let missing = refused(&["CC_R/A/1_1_A_CC_R.png"], "CC_L", DRAWN);
    assert!(missing.starts_with("--view CC_L: the data has no such images"), "{missing}");
    let unlabelled = refused(&["CC_R/A/1_1_A_CC_R.png", "CC_R/B/2_1_B_CC_R.png", "CC_L/1_1_A_CC_L.png"], "CC_L", DRAWN);
    assert!(unlabelled.starts_with("CC_L: no image has a label; "), "{unlabelled}");
}

proptest! {
    #[test]
    fn the_order_of_files_does_not_matter(seed: u64, order in Just((0..24).collect::<Vec<usize>>()).prop_shuffle()) {
        let folder = folder_with(subjects_of_each_class(6, &[View::CcR]));
        let scanned = scan(folder.path()).unwrap();
        let shuffled = FolderScan {
            samples: order.iter().map(|&index| scanned.samples[index].clone()).collect(),
            ..scanned.clone()
        };
        let build = |scan| build_manifests(scan, &ViewSelection::All, SplitPlan::FoldersOrDrawn { seed }, false).unwrap();
        prop_assert_eq!(build(&scanned), build(&shuffled));
    }
}
