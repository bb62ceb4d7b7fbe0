//! Small studies by the real binaries: folds, sweeps and seeds, their ranking, evaluation and resumption.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_test_support::run_fixture::set_status;
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{names_in, stderr_of, write_image};
use serde_json::Value;

/// Sixteen subjects without split folders.
fn fixture() -> TrainingFixture {
    let fixture = TrainingFixture::empty();
    for subject in 0..16 {
        let class = ["A", "B", "C", "D"][subject % 4];
        write_image(&fixture.data.join(format!("CC_R/{class}/{subject}_1_{class}_CC_R.png")), subject as u32 + 1);
    }
    fixture
}

fn train(fixture: &TrainingFixture, more: &[&str]) -> Output {
    fixture.train_command(&[], more).output().unwrap()
}

fn runs(fixture: &TrainingFixture) -> Vec<(RunDir, RunSpec)> {
    let folder = fixture.workspace.join("runs");
    let runs = names_in(&folder).into_iter().map(|name| RunDir::new(folder.join(name)));
    runs.map(|run| (run.clone(), read_run_spec(&run.spec()).unwrap())).collect()
}

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_sweep_over_folds_is_trained_ranked_and_pooled() {
    let fixture = fixture();
    let sweep = ["--folds", "3", "--sweep", "dropout=0,0.3", "--follow"];
    let output = train(&fixture, &sweep);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("study of 6 runs: 2 points × 3 folds × 1 view"), "{}", stderr_of(&output));
    let runs = runs(&fixture);
    let study = runs[0].1.study.clone().unwrap().id;
    let places: BTreeSet<(u32, Option<u32>, String)> = runs
        .iter()
        .map(|(_, spec)| {
            let member = spec.study.clone().unwrap();
            assert_eq!(member.id, study);
            assert_eq!(spec.config.dropout.to_string(), member.values["dropout"]);
            (member.point, member.fold, member.values_text())
        })
        .collect();
    assert_eq!(places.len(), 6, "{places:?}");
    // The folds of a point hold out every subject once, and both points have the same folds.
    for point in [1, 2] {
        let mut held_out: Vec<String> = Vec::new();
        for (run, _) in runs.iter().filter(|(_, spec)| spec.study.as_ref().unwrap().point == point) {
            let manifest = read_manifest(&run.manifest()).unwrap();
            held_out.extend(manifest.of_split(Split::Test).map(|(_, sample)| sample.subject.0.clone()));
        }
        held_out.sort_by_key(|subject| subject.parse::<u32>().unwrap());
        assert_eq!(held_out, (0..16).map(|subject| subject.to_string()).collect::<Vec<_>>());
    }

    let listed = json(&fixture.output(&["runs", "--study", &study, "--sort", "val_loss", "--json"]));
    assert_eq!((&listed["progress"]["completed"], &listed["progress"]["runs"]), (&6.into(), &6.into()));
    let points = listed["ranking"]["points"].as_array().unwrap();
    let means: Vec<f64> = points.iter().map(|point| point["mean"].as_f64().unwrap()).collect();
    assert!(points.len() == 2 && means[0] >= means[1], "ranked by accuracy: {points:?}");
    let losses: Vec<f64> = (listed["runs"].as_array().unwrap().iter())
        .map(|run| {
            let status = json(&fixture.output(&["status", run["name"].as_str().unwrap(), "--json"]));
            let epoch = status["best"]["epoch"].as_u64().unwrap();
            let history = status["history"].as_array().unwrap();
            let best = history.iter().find(|record| record["epoch"] == epoch).unwrap();
            best["val_loss"].as_f64().unwrap()
        })
        .collect();
    assert!(losses.is_sorted(), "{losses:?}");

    let best = points[0]["point"].as_u64().unwrap();
    let output = fixture.output(&["evaluate", &study, "--resamples", "20", "--json"]);
    assert!(stderr_of(&output).contains(&format!("evaluating point {best}, dropout=")), "{}", stderr_of(&output));
    let pooled = json(&output);
    assert_eq!(pooled["sets"]["CC_R"]["n"], 16, "every subject exactly once");
    assert_eq!(pooled["pool"]["folds"], serde_json::json!([1, 2, 3]));
    let (data, out) = (fixture.data.to_str().unwrap(), fixture.folder.path().join("predictions"));
    let predict = ["predict", "--model", &study, "--data", data, "--out", out.to_str().unwrap()];
    for (point, reason) in [
        (&[][..], "has 2 points, and an ensemble is of the networks of one: choose it by --point N"),
        (&["--point", "1"], "belong to subjects that some networks of"),
        (&["--point", "3"], "has no point 3: it has 2 points"),
    ] {
        let output = fixture.output(&[&predict[..], point].concat());
        assert_ne!(output.status.code(), Some(0));
        assert!(stderr_of(&output).contains(reason), "{}", stderr_of(&output));
    }
    let point = best.to_string();
    let stored =
        json(&fixture.output(&["evaluate", &study, "--point", &point, "--stored", "--resamples", "20", "--json"]));
    assert_eq!(stored["sets"], pooled["sets"], "what the trainers have stored is what their checkpoints predict");
}

#[test]
fn repetitions_differ_in_the_seed_and_what_failed_is_resumed_together() {
    let fixture = fixture();
    let output = train(&fixture, &["--seeds", "3", "--follow"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let runs = runs(&fixture);
    let seeds: BTreeSet<u64> = runs.iter().map(|(_, spec)| spec.config.seed).collect();
    let first = *seeds.first().unwrap();
    assert_eq!(seeds, [first, first + 1, first + 2].into());
    let study = runs[0].1.study.clone().unwrap().id;
    let listed = json(&fixture.output(&["runs", "--study", "latest", "--json"]));
    assert_eq!(listed["study"], Value::from(study.clone()));
    assert_eq!(listed["ranking"]["points"][0]["repetitions"].as_array().unwrap().len(), 3);

    let output = fixture.output(&["resume", &study]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("nothing to resume"), "{}", stderr_of(&output));
    set_status(&runs[1].0, |status| status.state = RunPhase::Failed);
    let shown = fixture.output(&["runs"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&format!("study {study}: 2/3 done · 1 failed")), "{shown}");
    let output = fixture.output(&["resume", &study, "--follow"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let listed = json(&fixture.output(&["runs", "--study", &study, "--json"]));
    assert_eq!(listed["progress"]["completed"], 3, "{listed}");
}

#[test]
fn impossible_studies_are_refused_and_leave_nothing() {
    let fixture = fixture();
    let cases: [(&[&str], &str); 7] = [
        (&["--folds", "1"], "--folds 1: at least 2"),
        (&["--folds", "3", "--fold", "4"], "--fold 4"),
        (&["--folds", "3", "--splits", "x.csv"], "cannot be used with"),
        (&["--random", "3"], "--sweep"),
        (&["--sweep", "dropout=0.1,-1"], "0 ≤ dropout < 1"),
        (&["--sweep", "epochs=1,2"], "in both --set and --sweep"),
        (&["--sweep", "seed=1,2"], "--seeds N"),
    ];
    for (arguments, expected) in cases {
        let output = train(&fixture, arguments);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {}", stderr_of(&output));
        assert!(stderr_of(&output).contains(expected), "{arguments:?}: {}", stderr_of(&output));
    }
    let left = |name: &str| fs::read_dir(fixture.workspace.join(name)).map_or(0, Iterator::count);
    assert_eq!((left("runs"), left("studies")), (0, 0));
}
