//! Runs on disks that become full or read-only and are mended: they pause and continue, unless they are to stop.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::faults::{ENOSPC, EROFS, Faults};
use mammoscope_test_support::training_fixture::{
    TrainingFixture, assert_nothing_half_written, assert_whole_and_finite, events, status, summary, wait_for_end,
    wait_for_event,
};
use mammoscope_test_support::{has_ended, names_in, skipped, stderr_of, wait_for};

use crate::completeness::Outcome;

/// A mount that ends with the test.
struct Mount(PathBuf);

impl Mount {
    /// Mounts at a path. Returns `None` and records a skip where that is not permitted.
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(arguments).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        skipped("failing disks: mounting is not permitted here");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Fills a disk to its last byte.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for length in [1 << 20, 1 << 12, 1] {
        let part = vec![0; length];
        while file.write_all(&part).is_ok() {}
    }
}

/// A run in progress in a workspace on a disk of 16 MB of its own; it has written a checkpoint.
fn run_on_a_small_disk(settings: &[&str], arguments: &[&str]) -> Option<(TrainingFixture, Mount, RunDir)> {
    let fixture = TrainingFixture::new();
    fs::create_dir_all(&fixture.workspace).unwrap();
    let mount = Mount::new(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"], &fixture.workspace)?;
    let output = fixture.train_command(settings, &[&["--detach"], arguments].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = RunDir::new(String::from_utf8(output.stdout).unwrap().trim());
    wait_for_last_checkpoint(&run);
    Some((fixture, mount, run))
}

fn wait_for_last_checkpoint(run: &RunDir) {
    wait_for_event(run, "a checkpoint", |event| {
        matches!(event, RunEventKind::CheckpointSaved(SavedCheckpoint { kind: CheckpointKind::Last, .. })).then_some(())
    });
}

/// Waits until `mammoscope status` shows a line with all these parts.
fn wait_for_status(fixture: &TrainingFixture, run: &RunDir, parts: &[&str]) {
    let mut shown = String::new();
    wait_for(&format!("{parts:?} in the status"), || {
        shown = String::from_utf8_lossy(&fixture.output(&["status", &run.name()]).stdout).into_owned();
        shown.lines().any(|line| parts.iter().all(|part| line.contains(part))).then_some(())
    });
}

/// Asserts that a run has paused and continued, and that it is as one that was not disturbed.
fn assert_continued(run: &RunDir, undisturbed: &Outcome) {
    assert_eq!(wait_for_end(run), RunPhase::Completed, "{:?}", status(run).reason);
    let place = |wanted: fn(&RunEventKind) -> bool| events(run).iter().position(wanted);
    let waiting = place(|event| matches!(event, RunEventKind::Waiting { .. })).unwrap();
    let continued = place(|event| matches!(event, RunEventKind::Continued { .. })).unwrap();
    assert!(waiting < continued);
    undisturbed.assert_same(run);
}

const EPOCHS: &[&str] = &["epochs=300"];

#[test]
fn a_full_disk_pauses_the_run_until_there_is_room() {
    let Some((fixture, _mount, run)) = run_on_a_small_disk(EPOCHS, &[]) else { return };
    let undisturbed = TrainingFixture::new();
    let filler = fixture.workspace.join("filler");
    fill(&filler);
    wait_for_status(
        &fixture,
        &run,
        &["paused · No space left on device", ".safetensors cannot be written, trying again"],
    );
    let step = Checkpoint::read(&run.last_checkpoint()).unwrap().counters("state/progress").unwrap()[0];
    let expected = Outcome::of(&undisturbed.train_successfully(EPOCHS));
    let later = Checkpoint::read(&run.last_checkpoint()).unwrap().counters("state/progress").unwrap()[0];
    assert_eq!(step, later, "the last checkpoint stays as it was");
    fs::remove_file(&filler).unwrap();
    assert_continued(&run, &expected);
}

#[test]
fn a_full_disk_stops_a_run_that_is_to_stop_and_keeps_the_last_checkpoint() {
    let Some((fixture, _mount, run)) = run_on_a_small_disk(&["epochs=2000"], &["--on-full", "stop"]) else { return };
    let pid = status(&run).pid.unwrap();
    let filler = fixture.workspace.join("filler");
    fill(&filler);
    assert_eq!(wait_for_end(&run), RunPhase::Failed);
    wait_for("the end of the trainer", || has_ended(pid).then_some(()));
    let reason = status(&run).reason.unwrap();
    assert!(reason.contains(".safetensors") && reason.contains("No space left on device"), "{reason}");
    wait_for_status(&fixture, &run, &["failed · ", "No space left"]);
    assert_nothing_half_written(&run);
    assert_whole_and_finite(&run);
    let step = Checkpoint::read(&run.last_checkpoint()).unwrap().counters("state/progress").unwrap()[0];

    fs::remove_file(&filler).unwrap();
    let epochs = (step / 2 + 2).to_string();
    let output = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let resumed = |event: &RunEventKind| matches!(event, RunEventKind::Resumed { step: at, .. } if *at == step as u64);
    assert!(events(&run).iter().any(resumed));
    assert_whole_and_finite(&run);
}

#[test]
fn what_a_full_disk_does_can_be_changed_when_a_run_is_resumed() {
    let Some((fixture, _mount, run)) = run_on_a_small_disk(&["epochs=2000"], &[]) else { return };
    let pid = status(&run).pid.unwrap();
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    wait_for("the end of the trainer", || has_ended(pid).then_some(()));
    let output = fixture.output(&["resume", &run.name(), "--set", "on_full=stop", "--detach"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    fill(&fixture.workspace.join("filler"));
    assert_eq!(wait_for_end(&run), RunPhase::Failed);
    assert!(status(&run).reason.unwrap().contains("No space left on device"));
}

#[test]
fn a_limit_on_the_size_of_files_interrupts_the_run_by_the_name_of_its_signal() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(&["epochs=100000"]);
    wait_for_last_checkpoint(&run);
    let step = |run: &RunDir| Checkpoint::read(&run.last_checkpoint()).unwrap().counters("state/progress").unwrap()[0];
    let pid = status(&run).pid.unwrap();
    // No file may be longer than half of a checkpoint.
    let limit = fs::metadata(run.last_checkpoint()).unwrap().len() / 2;
    let limited = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--fsize={limit}")]).status();
    if !limited.is_ok_and(|status| status.success()) {
        return skipped("failing disks: there is no prlimit here");
    }
    assert_eq!(wait_for_end(&run), RunPhase::Interrupted);
    wait_for("the end of the trainer", || has_ended(pid).then_some(()));
    let reason = status(&run).reason.unwrap();
    assert!(reason.starts_with("by SIGXFSZ"), "{reason}");
    assert!(reason.contains(".safetensors was not written: File too large"), "{reason}");
    assert_nothing_half_written(&run);
    assert_whole_and_finite(&run);
    let epochs = (step(&run) / 2 + 2).to_string();
    let output = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

#[test]
fn a_checkpoint_without_room_keeps_the_last_two() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], folder.path()) else { return };
    let run = RunDir::create(folder.path().join("run")).unwrap();
    // So small that nothing is written before it is put in place.
    let checkpoint = |step: i64| {
        let mut checkpoint = Checkpoint::default();
        checkpoint.insert_i64("state/step", vec![step]);
        checkpoint
    };
    checkpoint(1).write(&run).unwrap();
    checkpoint(2).write(&run).unwrap();
    fill(&folder.path().join("filler"));
    assert!(checkpoint(3).write(&run).is_err());
    let step = |path: &Path| Checkpoint::read(path).unwrap().counters("state/step").unwrap()[0];
    assert_eq!((step(&run.last_checkpoint()), step(&run.previous_checkpoint())), (2, 1));
}

/// A disk that has become read-only, except for files that were open before: they record what the status cannot. A real one
/// cannot be remounted while a file is open for writing.
const READ_ONLY: &[(i32, &str)] = &[(EROFS, "status.json"), (EROFS, "safetensors"), (EROFS, "/tensorboard/")];

#[test]
fn a_run_directory_that_becomes_read_only_pauses_the_run_until_it_is_writable() {
    let Some(faults) = Faults::new() else { return };
    let fixture = TrainingFixture::new().with_engine(&faults.engine());
    let run = fixture.start(EPOCHS);
    wait_for("the first epochs", || (summary(&run).epoch > 2).then_some(()));
    faults.refuse(READ_ONLY);
    wait_for_event(&run, "a pause", |event| match event {
        RunEventKind::Waiting { reason, .. } => reason.contains("Read-only file system").then_some(()),
        _ => None,
    });
    let shown = fixture.output(&["status", &run.name()]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("paused · ") && shown.contains("Read-only file system"), "{shown}");
    let expected = Outcome::of(&TrainingFixture::new().train_successfully(EPOCHS));
    faults.relent();
    assert_continued(&run, &expected);
    let warned = |part: &str| summary(&run).warnings.iter().any(|warning| warning.message.contains(part));
    assert!(warned("status.json could not be written for a while"), "{:?}", summary(&run).warnings);
}

#[test]
fn a_model_that_cannot_be_written_at_first_is_that_of_its_epoch_and_comes_before_the_last_checkpoint() {
    let Some(faults) = Faults::new() else { return };
    let settings = ["epochs=3", "keep_best=3"];
    let other = TrainingFixture::new();
    let undisturbed = other.train_successfully(&settings);
    faults.refuse(&[(ENOSPC, "/checkpoints/best-")]);
    let fixture = TrainingFixture::new().with_engine(&faults.engine());
    let run = fixture.start(&settings);
    let reason = wait_for_event(&run, "a pause", |event| match event {
        RunEventKind::Waiting { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.contains("No space left on device") && reason.contains("best-001-"), "{reason}");
    // The next epoch has begun to change the weights.
    assert!(events(&run).iter().any(|event| matches!(event, RunEventKind::EpochStarted { epoch: 2, .. })));
    assert!(!run.last_checkpoint().exists(), "it would list a model that is missing");
    faults.relent();
    assert_continued(&run, &Outcome::of(&undisturbed));
    for name in names_in(&undisturbed.checkpoints()).iter().filter(|name| name.starts_with("best-")) {
        let [expected, written] =
            [&undisturbed, &run].map(|run| Model::read(&run.checkpoints().join(name)).unwrap().tensors);
        assert!(expected == written, "{name}");
    }
}

/// Makes the folder of a run a mount of its own, which is read-only.
fn read_only(run: &RunDir) -> Option<Mount> {
    let mount = Mount::new(&["--bind", run.path().to_str().unwrap()], run.path())?;
    let mut remount = Command::new("mount");
    assert!(remount.args(["-o", "remount,ro,bind"]).arg(run.path()).status().unwrap().success());
    Some(mount)
}

#[test]
fn a_read_only_run_directory_fails_a_run_that_is_to_stop() {
    let Some(faults) = Faults::new() else { return };
    let fixture = TrainingFixture::new().with_engine(&faults.engine());
    let output = fixture.train_command(&["epochs=100000"], &["--detach", "--on-full", "stop"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = fixture.run();
    wait_for("the first epochs", || (summary(&run).epoch > 2).then_some(()));
    let pid = status(&run).pid.unwrap();
    faults.refuse(READ_ONLY);
    wait_for("the end of the trainer", || has_ended(pid).then_some(()));
    faults.relent();
    let Some(read_only) = read_only(&run) else { return };
    let reason = summary(&run).reason.unwrap();
    assert!(reason.contains("Read-only file system"), "{reason}");
    assert_eq!(summary(&run).phase, RunPhase::Failed);
    let output = fixture.resume(&run, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("Read-only file system"), "{}", stderr_of(&output));
    assert!(!stderr_of(&output).contains("control"), "{}", stderr_of(&output));
    drop(read_only);
    assert_nothing_half_written(&run);
    assert_whole_and_finite(&run);
    let step = Checkpoint::read(&run.last_checkpoint()).unwrap().counters("state/progress").unwrap()[0];
    let output = fixture.resume(&run, &["--epochs", &(step / 2 + 2).to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}
