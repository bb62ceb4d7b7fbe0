//! The models that a run keeps of every Nth epoch, written by real trainers.

use std::fs;

use mammoscope_domain::run::run_records::CheckpointKind;
use mammoscope_storage::models::model_file::{Model, ModelMetadata};
use mammoscope_storage::runs::kept_checkpoints::kept_checkpoints;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_test_support::training_fixture::{TrainingFixture, assert_whole_and_finite, events, summary};
use mammoscope_test_support::{names_in, stderr_of};

fn epochs(run: &RunDir) -> Vec<u32> {
    kept_checkpoints(run).unwrap().iter().map(|kept| kept.epoch).collect()
}

#[test]
fn every_nth_model_is_kept_and_is_the_one_that_is_evaluated() {
    let fixture = TrainingFixture::new();
    // With an average of the weights, that is what is evaluated, and so what is kept.
    let run = fixture.train_successfully(&["epochs=5", "keep_every=2", "ema=0.9", "keep_best=5"]);
    assert_eq!(epochs(&run), [2, 4]);
    assert_whole_and_finite(&run);
    assert!(fs::read_to_string(run.spec()).unwrap().contains("keep_every = 2\n"));
    for epoch in [2, 4] {
        let best = names_in(&run.checkpoints()).into_iter().find(|name| name.starts_with(&format!("best-{epoch:03}-")));
        let best = Model::read(&run.checkpoints().join(best.unwrap())).unwrap();
        let kept = Model::read(&run.kept_checkpoint(epoch)).unwrap();
        assert!(kept.tensors == best.tensors, "epoch {epoch}");
        assert_eq!(kept.metadata.provenance["epoch"], epoch.to_string());
        assert_eq!((kept.metadata.view, kept.metadata.size), (best.metadata.view, 64));
        // Weights alone: the checkpoint to resume from has them, their average, and the optimizer's state.
        let [kept, last] =
            [run.kept_checkpoint(epoch), run.last_checkpoint()].map(|path| fs::metadata(path).unwrap().len());
        assert!(2 * kept < last + 20_000, "{kept} of {last} bytes");
    }
    let saved = summary(&run).checkpoints.iter().filter(|saved| saved.file.starts_with("epoch-")).count();
    assert_eq!(saved, 2);
    // The best model of the run is still the best one.
    let output = fixture.output(&["export", &run.name(), "--format", "onnx", "--out", "/nowhere/model.onnx"]);
    assert!(!stderr_of(&output).contains("epoch-"), "{}", stderr_of(&output));
    let output = fixture.output(&["model", "info", run.kept_checkpoint(4).to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

#[test]
fn models_that_a_killed_trainer_had_not_recorded_are_recorded_by_its_successor() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=4", "keep_every=2", "keep_best=5"]);
    let saved = |kind| {
        let checkpoints = summary(&run).checkpoints.into_iter().map(|saved| saved.record);
        checkpoints.filter(|saved| saved.kind == kind && saved.epoch <= 4).collect::<Vec<_>>()
    };
    let before = [CheckpointKind::Best, CheckpointKind::Kept].map(saved);
    assert!(before.iter().all(|models| models.iter().any(|model| model.epoch == 4)), "{before:?}");
    // As when it is killed once the checkpoint is on disk: the events have reached the end of the epoch.
    let text = fs::read_to_string(run.events()).unwrap();
    let last = text.lines().position(|line| line.contains(r#""event":"epoch_ended","epoch":4"#)).unwrap();
    let kept: String = text.split_inclusive('\n').take(last + 1).collect();
    fs::write(run.events(), &kept).unwrap();
    assert_ne!([CheckpointKind::Best, CheckpointKind::Kept].map(saved), before);

    let output = fixture.resume(&run, &["--epochs", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!([CheckpointKind::Best, CheckpointKind::Kept].map(saved), before);
    assert!(fs::read_to_string(run.events()).unwrap().starts_with(&kept));
    assert_whole_and_finite(&run);
}

#[test]
fn no_model_is_kept_unless_asked_for_and_a_distance_beyond_the_end_is_refused() {
    let fixture = TrainingFixture::new();
    let output = fixture.train(&["epochs=2", "keep_every=3"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("keep_every = 3 keeps no model of epochs = 2"), "{}", stderr_of(&output));
    let run = fixture.train_successfully(&["epochs=2"]);
    assert!(epochs(&run).is_empty());
    assert!(!fs::read_to_string(run.spec()).unwrap().contains("keep_every"), "as runs were written before the key");
    // It does not change what is learnt, so a run may begin with it later.
    let output = fixture.resume(&run, &["--epochs", "4", "--set", "keep_every=1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(epochs(&run), [3, 4]);
    assert_eq!(read_run_spec(&run.spec()).unwrap().config.keep_every, 1);
}

#[test]
fn damaged_and_missing_kept_models_never_stop_a_training() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=2", "keep_every=1"]);
    fs::write(run.kept_checkpoint(1), "not a model").unwrap();
    fs::remove_file(run.kept_checkpoint(2)).unwrap();
    let output = fixture.resume(&run, &["--epochs", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(epochs(&run), [1, 3]);
    assert_eq!(fs::read(run.kept_checkpoint(1)).unwrap(), b"not a model");
    assert_eq!(ModelMetadata::read(&run.kept_checkpoint(3)).unwrap().provenance["epoch"], "3");
    let warnings = summary(&run).warnings;
    assert!(warnings.iter().all(|warning| !warning.message.contains("epoch")), "{warnings:?}");
}

#[test]
fn a_run_that_starts_over_removes_the_models_of_its_first_course() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=3", "keep_every=1"]);
    assert_eq!(epochs(&run), [1, 2, 3]);
    fs::remove_file(run.last_checkpoint()).unwrap();
    fs::remove_file(run.previous_checkpoint()).unwrap();
    let output = fixture.resume(&run, &["--epochs", "4", "--set", "keep_every=4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(epochs(&run), [4], "{:?}", events(&run).last());
}
