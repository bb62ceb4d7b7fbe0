//! Studies and clones: the runs that are planned from a form, without an engine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use mammoscope_dataset::grey_check::GreyRangeError;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::placement_limits::JobCount;
use mammoscope_domain::training::preset::Preset;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_test_support::write_image;

use super::start::planned;
use super::*;
use crate::tui::protocol::train::{ClonedRun, StartRequest, StudyChoice, TableState};

/// Sixteen subjects without split folders.
fn images(root: &Path) {
    for subject in 0..16 {
        let class = ["A", "B", "C", "D"][subject % 4];
        write_image(&root.join(format!("CC_R/{class}/{subject}_1_{class}_CC_R.png")), subject as u32 + 1);
    }
}

fn request(root: &Path, folds: Option<u32>, study: Option<StudyChoice>) -> StartRequest {
    let data = DataRequest {
        root: root.to_owned(),
        views: ViewSelection::All,
        splits: SplitChoice::OwnOrDrawn,
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        seed: 0,
        folds,
    };
    StartRequest {
        data,
        preset: "seed".to_owned(),
        label: "seed".to_owned(),
        config: Preset::named("seed").unwrap().config,
        devices: "cpu".parse().unwrap(),
        study,
        jobs: JobCount::Auto,
        placement: None,
    }
}

#[test]
fn a_study_has_a_run_for_every_fold_point_and_seed() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    let study = StudyChoice { seeds: Some(2), sweep: vec!["batch_size=2,4".to_owned()] };
    let plan = planned(&request(folder.path(), Some(3), Some(study))).unwrap();
    assert_eq!((plan.manifests.len(), plan.runs.len()), (3, 12));
    let mut places = BTreeSet::new();
    for run in &plan.runs {
        let member = run.member.as_ref().unwrap();
        assert_eq!(run.config.seed, plan.runs[0].config.seed + u64::from(member.repetition - 1));
        assert_eq!(member.values["batch_size"], run.config.batch_size.to_string());
        places.insert((member.point, member.repetition, member.fold));
    }
    assert_eq!(places.len(), 12, "no run is there twice");
    let held_out: Vec<_> = plan
        .manifests
        .iter()
        .flat_map(|manifest| manifest.of_split(Split::Test).map(|(_, sample)| sample.subject.clone()))
        .collect();
    assert_eq!((held_out.len(), held_out.iter().collect::<BTreeSet<_>>().len()), (16, 16), "each subject once");
    let spec = &plan.study.as_ref().unwrap().spec;
    assert_eq!((spec.runs, spec.points, spec.repetitions, spec.folds), (12, 2, 2, Some(3)));
    // The summary is of the first fold.
    let images =
        PlannedImages::of(&request(folder.path(), Some(3), None).data, Comparison::None, Cancellation::never());
    assert_eq!(images.unwrap().set.manifests.len(), 1);
}

#[test]
fn impossible_folds_are_explained_without_options() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    let data = request(folder.path(), Some(5), None).data;
    let error = PlannedImages::of(&data, Comparison::None, Cancellation::never()).err().unwrap().to_string();
    assert_eq!(error, "folds 5: class A has only 4 subjects, so some fold would have none; use fewer folds");
}

#[test]
fn a_clone_has_the_splits_of_its_run_whatever_became_of_their_table() {
    let folder = tempfile::tempdir().unwrap();
    let (data, workspace) = (folder.path().join("data"), folder.path().join("ws"));
    images(&data);
    let workspace = Workspace::open(Some(&workspace)).unwrap();
    let mut plan = planned(&request(&data, Some(3), Some(StudyChoice::default()))).unwrap();
    plan.shares = vec![(DeviceChoice::Cpu, (0..plan.runs.len()).collect())];
    let run = plan.create(&workspace).unwrap().runs[1].clone();
    let spec = read_run_spec(&run.spec()).unwrap();
    let table = workspace.study(&spec.study.as_ref().unwrap().id).join("folds.csv");
    let cloned = ClonedRun { run: run.clone(), spec: Arc::new(spec) };
    let state = || match splits_of(&cloned, &workspace).unwrap() {
        SplitChoice::OfRun(splits) => (splits.file.clone(), splits.fold, splits.state),
        other => panic!("{other:?}"),
    };
    assert_eq!(state(), ("folds.csv".to_owned(), Some(2), TableState::Unchanged));
    let mut bytes = fs::read(&table).unwrap();
    bytes.extend(b"new,1\n");
    fs::write(&table, bytes).unwrap();
    assert_eq!(state().2, TableState::Changed);
    fs::remove_file(&table).unwrap();
    assert_eq!(state().2, TableState::NotFound);
    // The images are in the same splits, and a new image of another subject is left out.
    write_image(&data.join("CC_R/A/77_1_A_CC_R.png"), 77);
    let of_run = DataRequest { splits: splits_of(&cloned, &workspace).unwrap(), ..request(&data, None, None).data };
    let images = PlannedImages::of(&of_run, Comparison::Pictures, Cancellation::never()).unwrap();
    let (of_clone, of_run) = (&images.set.manifests[0], read_manifest(&run.manifest()).unwrap());
    assert_eq!((&of_clone.samples, &of_clone.split_file), (&of_run.samples, &of_run.split_file));
    fs::remove_file(run.manifest()).unwrap();
    let error = splits_of(&cloned, &workspace).unwrap_err();
    assert!(format!("{error:#}").contains("record of its images"), "{error:#}");
}

#[test]
fn advice_refers_to_the_fields_of_the_form() {
    let doubt = GreyRangeError::InDoubt { deep: 3, largest: 4000, file: "a.png".into() };
    assert_eq!(
        doubt.advice(IN_THE_FORM),
        "the largest value of the 3 16-bit images is 4,000 (a.png), which fits in 12 bits: set bits (the last row) to \
         12, or to 16 if 65,535 is white"
    );
    let above = GreyRangeError::AboveWhite { file: "a.png".into(), value: 5000, white: 4095 };
    assert!(!above.advice(IN_THE_FORM).contains("--"), "{above}");
}
