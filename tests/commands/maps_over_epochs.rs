//! `explain --over-epochs` on runs whose kept models are written here: refusals, damaged files, and the document.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_domain::subject::view::View;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::run_fixture::RunFixture;
use mammoscope_test_support::{engine, names_in, shipped, stderr_of, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::json_schemas::check;

/// A run of CC_R with the models of these epochs, the shipped one with another head each.
fn run_with(fixture: &RunFixture, epochs: &[u32]) -> RunDir {
    let run = fixture.queued(View::CcR, "group");
    for &epoch in epochs {
        write_kept(&run, epoch, epoch);
    }
    run
}

/// Writes the model of an epoch under the name of another.
fn write_kept(run: &RunDir, named: u32, epoch: u32) {
    let mut model = Model::read(&shipped("models/CC_R.safetensors")).unwrap();
    for value in model.tensors.get_mut("dense_1.kernel").unwrap() {
        *value *= epoch as f32 / 4.0;
    }
    model.metadata.provenance.insert("epoch".to_owned(), epoch.to_string());
    model.write(&run.kept_checkpoint(named)).unwrap();
}

fn film(fixture: &RunFixture, run: &str, data: &Path, more: &[&str]) -> Output {
    let out = fixture.folder.path().join("film");
    let mut command = fixture.command(&["explain", "--over-epochs", run, "--device", "cpu"]);
    command.env("MAMMOSCOPE_ENGINE", engine());
    command.arg("--data").arg(data).arg("--out").arg(out).args(more).output().unwrap()
}

fn refusal(fixture: &RunFixture, run: &str, data: &Path, more: &[&str]) -> (i32, String) {
    let output = film(fixture, run, data, more);
    (output.status.code().unwrap(), stderr_of(&output))
}

#[test]
fn what_cannot_be_filmed_is_refused_by_name() {
    let fixture = RunFixture::new();
    let data = shipped("testset");
    let run = run_with(&fixture, &[]);
    let name = run.name();
    let (code, text) = refusal(&fixture, &name, &data, &[]);
    assert_eq!(code, 1);
    assert!(
        text.contains(&format!("{name} has kept no models of its epochs; train with --set keep_every=N")),
        "{text}"
    );
    write_kept(&run, 4, 4);
    let (_, text) = refusal(&fixture, &name, &data, &[]);
    assert!(text.contains("one model of its epochs alone") && text.contains("epoch-004.safetensors"), "{text}");
    write_kept(&run, 8, 8);
    // Another view, by option and by image; and what is not there.
    let (_, text) = refusal(&fixture, &name, &data, &["--view", "MLO_L"]);
    assert!(text.contains(&format!("--view MLO_L: {name} was trained on CC_R alone")), "{text}");
    let other = shipped("testset/MLO_L/D/4_1_D_MLO_L.png");
    let (_, text) = refusal(&fixture, &name, &other, &[]);
    assert!(text.contains("was trained on CC_R alone") && text.contains("it has MLO_L"), "{text}");
    let (code, text) = refusal(&fixture, &name, Path::new("/nowhere/4_1_D_CC_R.png"), &[]);
    assert!(code != 0 && text.contains("/nowhere/4_1_D_CC_R.png"), "{text}");
    // Options without a meaning.
    for option in [&["--parity"][..], &["--sanity"], &["--show"], &["--shard", "1/2"]] {
        let (code, text) = refusal(&fixture, &name, &data, option);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(&format!("{} with --over-epochs: ", option[0])), "{text}");
    }
    let (code, text) = refusal(&fixture, &name, &data, &["--model", "models"]);
    assert!(code == 2 && text.contains("cannot be used with"), "{text}");
    run_with(&fixture, &[]);
    let (code, text) = refusal(&fixture, "group", &data, &[]);
    assert!(code == 2 && text.contains("these are 2 runs; name one of them") && text.contains(&name), "{text}");
    assert!(!fixture.folder.path().join("film").exists(), "nothing is written");
    let output = fixture.output(&["explain", "--data", "x", "--out", "y"]);
    assert!(stderr_of(&output).contains("--model <M>"), "{}", stderr_of(&output));
}

#[test]
fn damaged_models_are_named_and_left_out() {
    let fixture = RunFixture::new();
    let data = shipped("testset");
    let run = run_with(&fixture, &[2, 4, 6]);
    let bytes = fs::read(run.kept_checkpoint(4)).unwrap();
    fs::write(run.kept_checkpoint(4), &bytes[..bytes.len() / 2]).unwrap();
    // The file of another epoch must not pass for this one.
    write_kept(&run, 8, 2);
    let output = film(&fixture, &run.name(), &data, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr_of(&output);
    assert!(text.contains("warning: epoch 4 is left out: ") && text.contains("cut short"), "{text}");
    assert!(text.contains("named for epoch 8, but holds the model of epoch 2"), "{text}");
    assert!(text.contains("2 kept models could not be used"), "{text}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    check("over_epochs", &document);
    let skipped = document["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), 2);
    assert!(skipped[0]["file"].as_str().unwrap().ends_with("epoch-004.safetensors"));
    assert_eq!(document["checkpoints"].as_array().unwrap().len(), 2);
    let images = document["images"].as_array().unwrap();
    assert!(images.len() == 4 && images.iter().all(|image| image["epochs"].as_array().unwrap().len() == 2));
    fs::write(run.kept_checkpoint(6), "").unwrap();
    let (code, text) = refusal(&fixture, &run.name(), &data, &[]);
    assert_eq!(code, 1);
    assert!(text.contains("3 kept models cannot be used, as listed above"), "{text}");
}

#[test]
fn images_that_fail_are_listed_and_the_others_are_filmed() {
    let fixture = RunFixture::new();
    let run = run_with(&fixture, &[2, 4]);
    let data = fixture.folder.path().join("data/CC_R/D");
    fs::create_dir_all(&data).unwrap();
    fs::copy(shipped("testset/CC_R/D/4_1_D_CC_R.png"), data.join("4_1_D_CC_R.png")).unwrap();
    fs::write(data.join("5_1_D_CC_R.png"), "no image").unwrap();
    let output = film(&fixture, &run.name(), &fixture.folder.path().join("data"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("5_1_D_CC_R.png"), "{}", stderr_of(&output));
    let out = fixture.folder.path().join("film");
    assert_eq!(names_in(&out), ["CC_R", "over_epochs.json", "scores_over_epochs.csv"]);
    assert_eq!(names_in(&out.join("CC_R/D")), ["4_1_D_CC_R_epochs.apng", "4_1_D_CC_R_epochs.png"]);
    check("over_epochs", &serde_json::from_slice(&fs::read(out.join("over_epochs.json")).unwrap()).unwrap());
    let table = fs::read_to_string(out.join("scores_over_epochs.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("epoch,checkpoint,file,subject") && !lines[0].contains("map_file"), "{table}");
    assert!(lines.len() == 3 && lines[1].starts_with("2,epoch-002.safetensors,"), "{table}");
}

#[test]
fn an_interruption_ends_it_without_a_table() {
    let fixture = RunFixture::new();
    let run = run_with(&fixture, &[2, 4]);
    let out = fixture.folder.path().join("film");
    let mut command = fixture.command(&["explain", "--over-epochs", &run.name(), "--method", "occlusion"]);
    command.env("MAMMOSCOPE_ENGINE", engine()).args(["--device", "cpu", "--data"]).arg(shipped("testset"));
    let mut child = command.arg("--out").arg(&out).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for("the folder", || out.exists().then_some(()));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        names_in(&out)
            .iter()
            .all(|name| !Path::new(name).extension().is_some_and(|ending| ending == "csv" || ending == "json")),
        "{:?}",
        names_in(&out)
    );
}
