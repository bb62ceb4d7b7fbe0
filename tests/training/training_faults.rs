//! Training runs with exploding numbers and damaged checkpoints, by the real binaries.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::CheckpointKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointTensor, TensorData};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::folder_tree::files_below;
use mammoscope_test_support::training_fixture::{
    TrainingFixture, assert_nothing_half_written, assert_whole_and_finite, events, failure, status, summary,
    wait_for_end,
};
use mammoscope_test_support::{engine, names_in, stderr_of, wait_for};

/// The largest allowed rate and decay multiply the kernels by −9 at every step.
const EXPLODING: &[&str] = &["learning_rate=10", "weight_decay=1", "momentum=0", "optimizer=sgd", "epochs=60"];

fn nonfinite_steps(run: &RunDir) -> Vec<u64> {
    let events = events(run);
    events
        .iter()
        .filter_map(|event| if let RunEventKind::Nonfinite { step, .. } = event { Some(*step) } else { None })
        .collect()
}

fn rollbacks(run: &RunDir) -> Vec<(u64, f64)> {
    let of = |event: &RunEventKind| match event {
        RunEventKind::RolledBack { to_step, learning_rate_factor, .. } => Some((*to_step, *learning_rate_factor)),
        _ => None,
    };
    events(run).iter().filter_map(of).collect()
}

fn tensors(run: &RunDir) -> std::collections::BTreeMap<String, CheckpointTensor> {
    Checkpoint::read(&run.last_checkpoint()).unwrap().tensors
}

/// Makes the weights of the last layer so large that the next loss is not finite, although they are themselves.
fn poison(run: &RunDir) {
    let mut checkpoint = Checkpoint::read(&run.last_checkpoint()).unwrap();
    let mut touched = 0;
    for (name, tensor) in &mut checkpoint.tensors {
        if name.starts_with("weights/dense")
            && let TensorData::F32(values) = &mut tensor.data
        {
            for (place, value) in values.iter_mut().enumerate() {
                *value = if place % 2 == 0 { 3e38 } else { -3e38 };
            }
            touched += values.len();
        }
    }
    assert!(touched > 0, "{:?}", checkpoint.tensors.keys().collect::<Vec<_>>());
    checkpoint.write(run).unwrap();
}

#[test]
fn exploding_numbers_fail_the_run_with_their_step_and_files() {
    let fixture = TrainingFixture::new();
    let output = fixture.train(EXPLODING);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let run = fixture.run();
    let reason = failure(&run);
    let [step] = nonfinite_steps(&run)[..] else { panic!("{reason}") };
    assert!(reason.contains(&format!("became NaN or infinite at step {step}")), "{reason}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains(&format!("failed · {reason}")), "{stdout}");
    let summary = summary(&run);
    assert_eq!(summary.last_error.unwrap().message, reason);
    let files: Vec<String> = events(&run)
        .into_iter()
        .find_map(|event| if let RunEventKind::Nonfinite { files, .. } = event { Some(files) } else { None })
        .unwrap();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in &files {
        assert!(fixture.data.join(file).exists() && reason.contains(file), "{file}: {reason}");
    }
    assert_whole_and_finite(&run);
    assert_nothing_half_written(&run);
    assert!(summary.checkpoints.iter().all(|checkpoint| checkpoint.step < step), "{:?}", summary.checkpoints);
}

#[test]
fn rollbacks_halve_the_rate_and_give_up_after_three() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["nonfinite=rollback", "epochs=2"]);
    assert_eq!(summary(&run).checkpoints.iter().filter(|saved| saved.kind == CheckpointKind::Last).count(), 1);
    poison(&run);
    let before = tensors(&run);
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert!(failure(&run).contains("became NaN or infinite at step 5"), "{}", failure(&run));
    assert_eq!(nonfinite_steps(&run), [5; 4]);
    assert_eq!(rollbacks(&run), [(4, 0.5), (4, 0.25), (4, 0.125)]);
    assert_eq!((summary(&run).step, summary(&run).epoch, summary(&run).records.len()), (4, 3, 2));
    assert!(stderr_of(&output).contains("learning rate times 0.125"), "{}", stderr_of(&output));
    assert!(tensors(&run) == before, "the checkpoint is not touched");
    assert_whole_and_finite(&run);
}

#[test]
fn a_run_that_was_resumed_from_its_previous_checkpoint_rolls_back_to_that() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["nonfinite=rollback", "epochs=2"]);
    // The first of these becomes the previous one.
    poison(&run);
    poison(&run);
    flip_a_bit(&run.last_checkpoint());
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert_eq!(rollbacks(&run), [(4, 0.5), (4, 0.25), (4, 0.125)], "{}", failure(&run));
}

#[test]
fn a_run_that_explodes_in_its_first_epoch_rolls_back_to_its_start() {
    let fixture = TrainingFixture::new();
    for subject in 20..80 {
        fixture.add("train", ["A", "B", "C", "D"][subject % 4], subject);
    }
    let settings = [EXPLODING, &["nonfinite=rollback", "batch_size=1"]].concat();
    let settings: Vec<&str> = settings.into_iter().filter(|setting| !setting.starts_with("epochs=")).collect();
    let output = fixture.train(&settings);
    let run = fixture.run();
    let rollbacks = rollbacks(&run);
    assert_eq!(rollbacks.first(), Some(&(0, 0.5)), "{}", stderr_of(&output));
    assert!(rollbacks.len() <= 3, "{rollbacks:?}");
    assert_whole_and_finite(&run);
    // However it ended, each rate was half the previous one.
    for (number, (_, factor)) in (1..).zip(&rollbacks) {
        assert_eq!(factor.to_bits(), 0.5_f64.powi(number).to_bits());
    }
    assert_eq!(status(&run).state == RunPhase::Failed, output.status.code() == Some(1));
}

/// A completed run of three epochs.
fn three_epochs() -> (TrainingFixture, RunDir) {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=3"]);
    (fixture, run)
}

fn flip_a_bit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let place = bytes.len() - 100;
    bytes[place] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_damaged_last_checkpoint_is_replaced_by_the_previous_one() {
    let whole = TrainingFixture::new();
    let expected = tensors(&whole.train_successfully(&["epochs=4"]));
    for (damage, word) in [(flip_a_bit as fn(&Path), "damaged"), (truncate, "cut short")] {
        let (fixture, run) = three_epochs();
        damage(&run.last_checkpoint());
        let output = fixture.resume(&run, &["--epochs", "4"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        assert!(stderr_of(&output).contains("last.safetensors") && stderr_of(&output).contains(word));
        let events = events(&run);
        let rejected = |event: &RunEventKind| {
            matches!(event, RunEventKind::CheckpointRejected { file, reason }
                if file == "last.safetensors" && reason.contains(word))
        };
        assert!(events.iter().any(rejected), "{events:?}");
        let resumed = RunEventKind::Resumed { step: 4, epochs_done: 2, checkpoint: "previous.safetensors".to_owned() };
        assert!(events.contains(&resumed), "{events:?}");
        assert!(tensors(&run) == expected, "the same as without the damage");
        // The damaged file is kept for inspection, and is never taken for a checkpoint again.
        assert!(Checkpoint::read(&run.rejected_checkpoint()).is_err());
        fs::remove_file(run.rejected_checkpoint()).unwrap();
        assert_whole_and_finite(&run);
    }
}

#[test]
fn best_models_that_the_previous_checkpoint_does_not_list_are_kept() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=3", "keep_best=5"]);
    let best = || names_in(&run.checkpoints()).into_iter().filter(|name| name.starts_with("best-")).collect::<Vec<_>>();
    let before = best();
    assert_eq!(before.len(), 3, "{before:?}");
    flip_a_bit(&run.last_checkpoint());
    // Resumed after the second of two epochs, no later checkpoint would list them.
    let mut trainer = Command::new(engine());
    trainer.args(["train", "--epochs", "2"]).arg(run.path()).env("OMP_WAIT_POLICY", "PASSIVE");
    assert!(trainer.output().unwrap().status.success(), "{:?}", status(&run).reason);
    assert!(events(&run).iter().any(|event| matches!(event, RunEventKind::CheckpointRejected { .. })));
    assert_eq!(best(), before);
}

#[test]
fn two_damaged_checkpoints_are_a_clear_failure() {
    let (fixture, run) = three_epochs();
    flip_a_bit(&run.last_checkpoint());
    truncate(&run.previous_checkpoint());
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let reason = failure(&run);
    assert!(reason.contains("last.safetensors: damaged") && reason.contains("previous.safetensors: "), "{reason}");
    // As the message says: without them the run starts over.
    fs::remove_file(run.last_checkpoint()).unwrap();
    fs::remove_file(run.previous_checkpoint()).unwrap();
    let output = fixture.resume(&run, &["--epochs", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!((summary(&run).step, summary(&run).records.len()), (2, 1));
}

fn replace_in(path: &Path, from: &str, to: &str) -> String {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    text
}

#[test]
fn a_changed_configuration_or_data_set_is_refused() {
    let (fixture, run) = three_epochs();
    let before = fs::read(run.last_checkpoint()).unwrap();
    for (file, from, to, named) in [
        (run.spec(), "learning_rate = 0.01", "learning_rate = 0.02", ["configuration; was run.toml", "config_sha256"]),
        (run.manifest(), "\"A\"", "\"B\"", ["data set; was dataset.json", "dataset_sha256"]),
    ] {
        let original = replace_in(&file, from, to);
        let files = files_below(run.path());
        let output = fixture.resume(&run, &["--epochs", "4"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
        assert!(stderr_of(&output).contains(named[0]), "{}", stderr_of(&output));
        assert!(files_below(run.path()) == files, "refused before anything is changed");
        // A trainer that was started in another way refuses it as well.
        let started = Command::new(engine()).args(["train", "--epochs", "4"]).arg(run.path()).output().unwrap();
        assert_eq!(started.status.code(), Some(1), "{}", stderr_of(&started));
        let reason = failure(&run);
        assert!(reason.contains(named[1]) && reason.contains("was run.toml or dataset.json changed?"), "{reason}");
        fs::write(&file, original).unwrap();
    }
    replace_in(&run.spec(), "learning_rate = 0.01", "learning_rate = fast");
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("run.toml"), "{}", stderr_of(&output));
    assert_eq!(fs::read(run.last_checkpoint()).unwrap(), before);
    replace_in(&run.spec(), "learning_rate = fast", "learning_rate = 0.01");
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

#[test]
fn a_torn_line_of_events_loses_nothing_else() {
    let (fixture, run) = three_epochs();
    fs::OpenOptions::new().append(true).open(run.events()).unwrap().write_all(b"{\"time\":\"20").unwrap();
    let output = fixture.resume(&run, &["--epochs", "4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!((summary(&run).phase, summary(&run).records.len()), (RunPhase::Completed, 4));
    assert_eq!(RunSnapshot::read(run).bad_lines(), 1);
}

#[test]
fn a_second_trainer_names_the_holder_and_changes_nothing() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(&["epochs=100000"]);
    let pid = wait_for("the first epoch", || (summary(&run).epoch > 1).then(|| status(&run).pid)).unwrap();
    fixture.control(&run, "pause");
    let recorded = fs::read(run.events()).unwrap();
    let holder = format!("another trainer (process {pid} on ");
    let output = fixture.resume(&run, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains(&holder), "{}", stderr_of(&output));
    let second =
        Command::new(engine()).arg("train").arg(run.path()).env("OMP_WAIT_POLICY", "PASSIVE").output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let log = fs::read_to_string(run.log()).unwrap();
    assert!(log.contains(&holder), "{log}");
    assert_eq!(fs::read(run.events()).unwrap(), recorded);
    assert_eq!((status(&run).pid, status(&run).state), (Some(pid), RunPhase::Paused));
    fixture.control(&run, "continue");
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    assert_whole_and_finite(&run);
}
