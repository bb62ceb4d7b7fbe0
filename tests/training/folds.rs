//! A small cross-validation by the real binaries: split, train each fold, pool the held-out images.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};

use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{names_in, stderr_of, write_image};
use serde_json::Value;

/// Sixteen subjects without split folders, and a table of three folds.
fn fixture() -> (TrainingFixture, String) {
    let fixture = TrainingFixture::empty();
    for subject in 0..16 {
        let class = ["A", "B", "C", "D"][subject % 4];
        write_image(&fixture.data.join(format!("CC_R/{class}/{subject}_1_{class}_CC_R.png")), subject as u32 + 1);
    }
    let table = fixture.folder.path().join("folds.csv").to_str().unwrap().to_owned();
    let data = fixture.data.to_str().unwrap().to_owned();
    let output = fixture.output(&["split", &data, "--folds", "3", "--seed", "2", "--out", &table]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    (fixture, table)
}

fn train_fold(fixture: &TrainingFixture, table: &str, fold: &str) -> RunDir {
    let runs = fixture.workspace.join("runs");
    let before = if runs.exists() { names_in(&runs) } else { Vec::new() };
    let output = fixture.train_command(&[], &["--splits", table, "--fold", fold, "--follow"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let new: Vec<_> = names_in(&runs).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(new.len(), 1);
    assert!(new[0].ends_with(&format!("_CC_R_seed-fold{fold}")), "{new:?}");
    RunDir::new(runs.join(&new[0]))
}

fn subjects(manifest: &DatasetManifest, split: Split) -> Vec<String> {
    manifest.of_split(split).map(|(_, sample)| sample.subject.0.clone()).collect()
}

fn evaluate(fixture: &TrainingFixture, runs: &[&RunDir], more: &[&str]) -> Output {
    let names: Vec<String> = runs.iter().map(|run| run.name()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fixture.output(&[&["evaluate", "--resamples", "50"], &names[..], more].concat())
}

#[test]
fn folds_are_trained_one_by_one_and_evaluated_together() {
    let (fixture, table) = fixture();
    let runs: Vec<RunDir> = ["1", "2", "3"].map(|fold| train_fold(&fixture, &table, fold)).into();
    let manifests: Vec<DatasetManifest> = runs.iter().map(|run| read_manifest(&run.manifest()).unwrap()).collect();
    let mut held_out = Vec::new();
    for (number, manifest) in manifests.iter().enumerate() {
        let file = manifest.split_file.as_ref().unwrap();
        assert_eq!(
            (file.name.as_str(), file.fold, &file.folds[..]),
            ("folds.csv", Some(number as u32 + 1), &[1, 2, 3][..])
        );
        let next = &manifests[(number + 1) % 3];
        assert_eq!(subjects(manifest, Split::Validation), subjects(next, Split::Test), "the next fold validates");
        held_out.extend(subjects(manifest, Split::Test));
    }
    held_out.sort_by_key(|subject| subject.parse::<u32>().unwrap());
    assert_eq!(held_out, (0..16).map(|subject| subject.to_string()).collect::<Vec<_>>(), "every subject exactly once");

    let all: Vec<&RunDir> = runs.iter().collect();
    let output = evaluate(&fixture, &all, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(!stderr_of(&output).contains("missing"), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (set, pool) = (&document["sets"]["CC_R"], &document["pool"]);
    assert_eq!((&set["n"], &set["subjects"], &document["split"]), (&16.into(), &16.into(), &"test".into()));
    assert_eq!((&pool["folds"], &pool["missing"]), (&serde_json::json!([1, 2, 3]), &serde_json::json!({})));
    let by_fold = pool["sets"]["CC_R"]["by_fold"].as_array().unwrap();
    let accuracy = |fold: &Value| fold["accuracy"].as_f64().unwrap();
    let hits: f64 = by_fold.iter().map(|fold| accuracy(fold) * fold["n"].as_f64().unwrap()).sum();
    assert!((hits - set["accuracy"].as_f64().unwrap() * 16.0).abs() < 1e-9, "{document}");
    let mean = by_fold.iter().map(accuracy).sum::<f64>() / 3.0;
    assert!((pool["sets"]["CC_R"]["mean"]["accuracy"].as_f64().unwrap() - mean).abs() < 1e-12);

    let output = evaluate(&fixture, &all[..2], &[]);
    assert_eq!(output.status.code(), Some(0));
    let expected = "warning: 1 fold is missing in CC_R (3 of folds.csv): the pool lacks the subjects held out there\n";
    assert!(stderr_of(&output).contains(expected), "{}", stderr_of(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("\nPool of the held-out images, and spread over the folds of folds.csv\nCC_R, 2 of 3 folds "),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let output = evaluate(&fixture, &all[..1], &["--json"]);
    assert!(
        stderr_of(&output).contains("fold 1 of the 3 of folds.csv; name the runs of all folds"),
        "{}",
        stderr_of(&output)
    );
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["pool"].is_null());

    refusals(&fixture, &runs, &manifests);
}

/// Runs that cannot be pooled.
fn refusals(fixture: &TrainingFixture, runs: &[RunDir], manifests: &[DatasetManifest]) {
    let copy = RunDir::new(fixture.workspace.join("runs/copy"));
    assert!(Command::new("cp").arg("-r").arg(runs[0].path()).arg(copy.path()).status().unwrap().success());
    let refused = |with: &RunDir, code, part: &str| {
        let output = evaluate(fixture, &[with, &copy], &[]);
        let message = stderr_of(&output);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(part) && message.contains("copy"), "'{part}' in {message}");
    };
    refused(&runs[0], 2, "both hold out fold 1 of CC_R");

    let mut changed = manifests[0].clone();
    changed.split_file.as_mut().unwrap().fold = Some(3);
    write_manifest(&copy.manifest(), &changed).unwrap();
    let first = subjects(&manifests[0], Split::Test).into_iter().min().unwrap();
    refused(&runs[0], 1, &format!("subject {first} is among the test images of both"));

    changed.split_file.as_mut().unwrap().sha256 = "0".repeat(64);
    write_manifest(&copy.manifest(), &changed).unwrap();
    refused(
        &runs[1],
        2,
        "and copy one of folds.csv, which has changed in between; only folds of the same table are pooled",
    );

    changed.split_file = None;
    write_manifest(&copy.manifest(), &changed).unwrap();
    refused(&runs[1], 2, "holds out a fold and copy does not, so they cannot be pooled");
}

#[test]
fn wrong_folds_are_refused_before_anything_is_started() {
    let (fixture, table) = fixture();
    for (arguments, part) in [
        (&["--splits", &table][..], "it has the folds 1 to 3; choose the one to hold out with --fold"),
        (&["--splits", &table, "--fold", "4"], "--fold 4: "),
        (&["--splits", &table, "--fold", "test"], "--fold test: "),
        (&["--splits", &table, "--fold", "x"], "neither the number of a fold nor test"),
        (&["--fold", "1"], "--splits"),
        (&["--soft-labels"], "--labels"),
    ] {
        let output = fixture.train_command(&[], arguments).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code > 0), "{arguments:?}");
        assert!(stderr_of(&output).contains(part), "'{part}' in {}", stderr_of(&output));
    }
    assert!(!fixture.workspace.join("runs").exists() || names_in(&fixture.workspace.join("runs")).is_empty());
}

#[test]
fn soft_labels_reach_the_loss_and_change_nothing_else() {
    let fixture = TrainingFixture::new();
    let labels = fixture.folder.path().join("readers.csv");
    let lines = |disagree: bool| {
        let mut table = "subject,reader_1,reader_2,reader_3\n".to_owned();
        for subject in 0..16 {
            let class = ["A", "B", "C", "D"][subject % 4];
            let third = if disagree && subject % 4 > 0 { ["A", "B", "C"][subject % 4 - 1] } else { class };
            writeln!(table, "{subject},{class},{class},{third}").unwrap();
        }
        table
    };
    fs::write(&labels, lines(true)).unwrap();
    let labels = labels.to_str().unwrap();
    let train = |arguments: &[&str]| {
        let output =
            fixture.train_command(&["label_smoothing=0.1"], &[arguments, &["--follow"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let run = fixture.run();
        let manifest = read_manifest(&run.manifest()).unwrap();
        let history = fs::read_to_string(run.events()).unwrap();
        let losses: Vec<f64> = history
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).unwrap()["train_loss"].as_f64())
            .collect();
        let fingerprint = manifest.fingerprint();
        fs::remove_dir_all(run.path()).unwrap();
        (manifest, losses, fingerprint, stderr_of(&output))
    };
    let (plain, plain_losses, plain_fingerprint, _) = train(&[]);
    let (hard, hard_losses, hard_fingerprint, message) = train(&["--labels", labels]);
    assert!(message.contains("readers") && message.contains("Gard et al."), "{message}");
    assert_eq!((&hard, &hard_losses, &hard_fingerprint), (&plain, &plain_losses, &plain_fingerprint));
    let (soft, soft_losses, soft_fingerprint, message) = train(&["--labels", labels, "--soft-labels"]);
    assert!(message.contains("8 images are trained on the shares of the readers"), "{message}");
    let votes = |subject: &str| soft.samples.iter().find(|sample| sample.subject.0 == subject).unwrap().votes.unwrap();
    assert_eq!(votes("1").shares().unwrap().map(|share| (share * 3.0).round() as u32), [1, 2, 0, 0]);
    assert_ne!(soft_losses, hard_losses);
    assert_ne!(soft_fingerprint, hard_fingerprint);
    let labels_of = |manifest: &DatasetManifest| manifest.samples.iter().map(|sample| sample.label).collect::<Vec<_>>();
    assert_eq!(labels_of(&soft), labels_of(&hard), "the majority is evaluated");

    // Readers who agree give the loss of hard labels, up to rounding.
    fs::write(labels, lines(false)).unwrap();
    let (_, agreed_losses, _, _) = train(&["--labels", labels, "--soft-labels"]);
    for (agreed, plain) in agreed_losses.iter().zip(&plain_losses) {
        assert!((agreed - plain).abs() < 1e-3, "{agreed_losses:?} {plain_losses:?}");
    }

    fs::write(labels, "subject,class\n0,A\n1,B\n2,C\n3,D\n4,A\n5,B\n").unwrap();
    let output = fixture.train_command(&[], &["--labels", labels, "--soft-labels"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr_of(&output).contains("--soft-labels: --labels has no readers for the training images"),
        "{}",
        stderr_of(&output)
    );
}
