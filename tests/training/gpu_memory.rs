//! Training runs whose GPU memory runs out, as debug builds of the engine pretend on request. The numbers are the largest
//! batch that fits in training, the number of updates from which that holds, and the largest batch that is evaluated.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Command, Output};

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::BatchSplit;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::training::step_batches::StepBatches;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_test_support::faults::{ENOSPC, Faults};
use mammoscope_test_support::trainer_fixture::{TrainerFixture, WatchedRun, send, wait_exit};
use mammoscope_test_support::training_fixture::{
    TrainingFixture, assert_nothing_half_written, assert_whole_and_finite, events, failure, status, summary,
    wait_for_end, wait_for_event,
};
use mammoscope_test_support::{stderr_of, wait_for};
use rustix::process::Signal;

const ROOM: &str = "MAMMOSCOPE_TEST_GPU_ROOM";
/// Everything that a wrong order or number of batches would change.
const RANDOM: [&str; 4] = ["augment=true", "dropout=0.3", "ema=0.9", "optimizer=adamw"];

fn batches(batch_size: usize, accumulate: usize) -> StepBatches {
    StepBatches { batch_size, accumulate }
}

fn splits(run: &RunDir) -> Vec<BatchSplit> {
    let of = |event| if let RunEventKind::BatchSplit(split) = event { Some(split) } else { None };
    events(run).into_iter().filter_map(of).collect()
}

fn batches_in_run_toml(run: &RunDir) -> StepBatches {
    StepBatches::of(&read_run_spec(&run.spec()).unwrap().config)
}

fn data_section(run: &RunDir) -> Vec<u8> {
    WatchedRun::new(run.clone()).data_section()
}

fn train(fixture: &TrainingFixture, settings: &[&str], room: &str) -> Output {
    let settings = [settings, &RANDOM].concat();
    fixture.train_command(&settings, &["--follow"]).env(ROOM, room).output().unwrap()
}

fn train_successfully(fixture: &TrainingFixture, settings: &[&str], room: &str) -> (RunDir, Output) {
    let output = train(fixture, settings, room);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    (fixture.run(), output)
}

fn resume(fixture: &TrainingFixture, run: &RunDir, arguments: &[&str], room: &str) {
    let name = run.name();
    let mut command = fixture.command(&[&["resume", &name, "--follow"], arguments].concat());
    let output = command.env(ROOM, room).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

#[test]
fn a_first_step_without_room_is_trained_as_if_started_with_smaller_batches() {
    let [fixture, other] = [TrainingFixture::new(), TrainingFixture::new()];
    let (run, output) = train_successfully(&fixture, &[], "2 0 99");
    let split = BatchSplit { from_step: 0, to_step: 0, from: batches(4, 1), to: batches(2, 2) };
    assert_eq!(splits(&run), [split]);
    assert_eq!(batches_in_run_toml(&run), batches(2, 2));

    let (expected, _) = train_successfully(&other, &["batch_size=2", "accumulate=2"], "99 0 99");
    assert_eq!(splits(&expected), []);
    assert!(data_section(&run) == data_section(&expected), "the last checkpoints differ");
    assert_eq!(summary(&run).history(), summary(&expected).history());
    assert_eq!((status(&run).steps_per_epoch, status(&run).step), (2, 4));
    assert_whole_and_finite(&run);
    assert_nothing_half_written(&run);

    let warning = summary(&run).warnings.last().unwrap().message.clone();
    assert_eq!(warning, split.consequence());
    assert!(warning.contains("batch normalisation sees 2 at once in place of 4"), "{warning}");
    let shown = stderr_of(&output);
    let event = "out of GPU memory after step 0: batch_size from 4 to 2, accumulate from 1 to 2; back to step 0";
    assert!(shown.contains(event) && shown.contains(&warning), "{shown}");
    let text = String::from_utf8(fixture.output(&["status", &run.name()]).stdout).unwrap();
    assert!(text.contains("changed     batch_size from 4 to 2\n  changed     accumulate from 1 to 2\n"), "{text}");
    assert!(text.contains(&format!("warning     {warning}")), "{text}");
}

#[test]
fn a_later_step_without_room_goes_back_to_the_checkpoint() {
    let [fixture, other] = [TrainingFixture::new(), TrainingFixture::new()];
    // In the second step of the second epoch, and once more in the smaller batches.
    let (run, _) = train_successfully(&fixture, &["epochs=3"], "1 3 99");
    let first = BatchSplit { from_step: 3, to_step: 2, from: batches(4, 1), to: batches(2, 2) };
    let second = BatchSplit { from: batches(2, 2), to: batches(1, 4), ..first };
    assert_eq!(splits(&run), [first, second]);
    assert_eq!(summary(&run).history().len(), 3);

    // In the first step after that checkpoint: whatever the failed steps changed is gone.
    let (expected, _) = train_successfully(&other, &["epochs=1"], "99 0 99");
    resume(&other, &expected, &["--epochs", "3"], "1 0 99");
    assert_eq!(splits(&expected), [first, second].map(|split| BatchSplit { from_step: 2, ..split }));
    assert!(data_section(&run) == data_section(&expected), "the last checkpoints differ");
    assert_eq!(summary(&run).history(), summary(&expected).history());
}

#[test]
fn a_batch_that_its_half_does_not_divide_is_split_evenly() {
    let fixture = TrainingFixture::new();
    let (run, _) = train_successfully(&fixture, &["batch_size=3", "accumulate=2"], "2 0 99");
    assert_eq!(splits(&run).iter().map(|split| split.to).collect::<Vec<_>>(), [batches(1, 6)]);
    assert_eq!(status(&run).steps_per_epoch, 2);
}

#[test]
fn a_batch_that_cannot_be_halved_fails_in_one_line() {
    let fixture = TrainingFixture::new();
    assert_eq!(train(&fixture, &[], "0 0 99").status.code(), Some(1));
    let run = fixture.run();
    assert_eq!(splits(&run).iter().map(|split| split.to).collect::<Vec<_>>(), [batches(2, 2), batches(1, 4)]);
    let reason = failure(&run);
    assert!(reason.starts_with("not enough GPU memory for this batch; batch_size=1 at 64 px needs about"), "{reason}");
    assert!(reason.contains("(batch_size=1 cannot be halved: ") && reason.contains("CUDA out of memory."), "{reason}");
    assert!(!reason.contains("#0") && !reason.contains("smaller batch_size"), "{reason}");

    // A batch of one image has no variance at this size.
    let fixture = TrainingFixture::new();
    assert_eq!(train(&fixture, &["size=32", "batch_size=2"], "1 0 99").status.code(), Some(1));
    let reason = failure(&fixture.run());
    assert!(reason.contains("batch_size=2 cannot be halved (at 32 pixels a batch of one image cannot"), "{reason}");
    assert_eq!(splits(&fixture.run()), []);
}

#[test]
fn an_evaluation_without_room_takes_fewer_images_and_changes_no_batch() {
    let [fixture, other] = [TrainingFixture::new(), TrainingFixture::new()];
    let (run, _) = train_successfully(&fixture, &[], "99 0 1");
    assert_eq!((splits(&run), batches_in_run_toml(&run)), (Vec::new(), batches(4, 1)));
    let warnings = summary(&run).warnings;
    for (from, to) in [("4 images", "2 images"), ("2 images", "1 image")] {
        let expected = format!("GPU memory ran out in the evaluation of {from} at once: from here on {to} at once");
        assert!(warnings.iter().any(|warning| warning.message.starts_with(&expected)), "{warnings:?}");
    }
    assert_eq!(summary(&run).evaluations.len(), 2);
    let (expected, _) = train_successfully(&other, &[], "99 0 99");
    let weights = |run: &RunDir| {
        let mut tensors = Checkpoint::read(&run.last_checkpoint()).unwrap().tensors;
        tensors.retain(|name, _| name.starts_with("weights/") || name.starts_with("ema/"));
        tensors
    };
    assert!(weights(&run) == weights(&expected) && !weights(&run).is_empty());

    let fixture = TrainingFixture::new();
    assert_eq!(train(&fixture, &[], "99 0 0").status.code(), Some(1));
    let reason = failure(&fixture.run());
    let expected = "not enough GPU memory to evaluate a single image; free memory on the GPU (CUDA out of memory.";
    assert!(reason.starts_with(expected) && splits(&fixture.run()).is_empty(), "{reason}");
}

#[test]
fn a_disk_without_room_holds_the_run_until_the_smaller_batches_are_recorded() {
    let Some(faults) = Faults::new() else { return };
    for file in ["events.jsonl", "run.toml"] {
        let fixture = TrainingFixture::new().with_engine(&faults.engine());
        let mut command = fixture.train_command(&["epochs=70"], &["--detach"]);
        let output = command.env(ROOM, "2 120 99").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let run = fixture.run();
        wait_for_event(&run, "an epoch", |event| matches!(event, RunEventKind::EpochEnded(_)).then_some(()));
        faults.refuse(&[(ENOSPC, &format!("/{file}"))]);
        let reason = wait_for("the pause", || {
            let status = status(&run);
            assert!(!status.state.is_over(), "{file}: the refusal came too late");
            status.reason.filter(|_| status.state == RunPhase::Paused)
        });
        assert!(reason.contains(&format!(": {file} cannot be written")), "{reason}");
        assert!(status(&run).step <= 120, "{file}: nothing was trained in batches that are not recorded");
        faults.relent();
        assert_eq!(wait_for_end(&run), RunPhase::Completed);
        assert_eq!((splits(&run).len(), batches_in_run_toml(&run)), (1, batches(2, 2)));
        assert_eq!(summary(&run).history().len(), 70);
    }
}

#[test]
fn a_run_killed_after_its_batches_were_halved_resumes_to_the_same_bytes() {
    const SETTINGS: &str = "epochs=4,momentum=0.9,learning_rate=0.01";
    // Five updates per epoch; the memory is short from the second one of the second epoch on.
    const SHORT: &str = "2 6 99";
    let fixture = TrainerFixture::new(24);
    let start = || {
        let mut command: Command = fixture.train_command("CC_R", "cpu", SETTINGS);
        let output = command.arg("--detach").env(ROOM, SHORT).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        WatchedRun::new(RunDir::new(String::from_utf8(output.stdout).unwrap().trim()))
    };
    let resume = |run: &mut WatchedRun| {
        let output = fixture.command(&["resume", &run.dir.name(), "--detach"]).env(ROOM, SHORT).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        run.wait_started()
    };
    let mut whole = start();
    let (phase, steps) = whole.wait_ended();
    assert_eq!((phase, steps % 4, splits(&whole.dir).len()), (RunPhase::Completed, 0, 1), "{}", whole.log());

    let mut parts = start();
    let trainer = parts.wait_started();
    let split = parts.wait("smaller batches", |kind| match kind {
        RunEventKind::BatchSplit(split) => Some(*split),
        _ => None,
    });
    send(trainer, Signal::KILL);
    assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
    // As if it had been killed before it wrote run.toml, which follows the events.
    let text = fs::read_to_string(parts.dir.spec()).unwrap();
    let stale = text.replace("batch_size = 2\n", "batch_size = 4\n").replace("accumulate = 2\n", "accumulate = 1\n");
    fs::write(parts.dir.spec(), stale).unwrap();

    let trainer = resume(&mut parts);
    parts.wait_checkpoint(split.to_step + 1);
    send(trainer, Signal::KILL);
    assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
    assert_ne!(parts.summary().phase, RunPhase::Completed, "SIGKILL came too late");
    assert_eq!(batches_in_run_toml(&parts.dir), batches(2, 2));

    resume(&mut parts);
    assert_eq!(parts.wait_ended(), (RunPhase::Completed, steps), "{}", parts.log());
    assert_eq!(splits(&parts.dir), [split], "the memory does not run out again");
    assert_eq!(parts.summary().history(), whole.summary().history());
    assert!(parts.data_section() == whole.data_section(), "the last checkpoints differ");
}
