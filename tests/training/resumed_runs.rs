//! Resumed runs: checked before anything is changed, with data that was moved, with other settings, and once only.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Stdio;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_test_support::folder_tree::files_below;
use mammoscope_test_support::trainer_fixture::{EVERY_STEP, TrainerFixture, send, wait_exit};
use mammoscope_test_support::training_fixture::{TrainingFixture, events, status, summary, wait_for_end};
use mammoscope_test_support::{names_in, stderr_of, wait_for, write_image};
use rustix::process::Signal;
use serde_json::Value;

/// Resumes a run, which has to be refused with this text in one line, and to stay as it is, byte for byte.
fn assert_refused(fixture: &TrainingFixture, run: &RunDir, arguments: &[&str], code: i32, part: &str) {
    let before = files_below(run.path());
    let output = fixture.resume(run, arguments);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(part) && output.stdout.is_empty(), "'{part}' in {stderr}");
    assert!(files_below(run.path()) == before, "{arguments:?} changed the run");
}

#[test]
fn a_resume_that_is_refused_changes_nothing() {
    let mut fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=1"]);
    let (data, away) = (fixture.data.clone(), fixture.folder.path().join("away"));
    let gone = format!("the data of {} is not at {}; if it was moved: mammoscope resume", run.name(), data.display());
    fs::rename(&data, &away).unwrap();
    assert_refused(&fixture, &run, &["--epochs", "2"], 1, &gone);
    // The mount point of a file system that is not mounted.
    fs::create_dir(&data).unwrap();
    assert_refused(&fixture, &run, &["--epochs", "2"], 1, "none of the images of");
    fs::remove_dir(&data).unwrap();
    // Beside the workspace, after both were moved.
    let sibling = fixture.folder.path().join("new/data");
    fs::create_dir(fixture.folder.path().join("new")).unwrap();
    fs::rename(&away, &sibling).unwrap();
    fs::rename(&fixture.workspace, fixture.folder.path().join("new/workspace")).unwrap();
    fixture.workspace = fixture.folder.path().join("new/workspace");
    let run = fixture.run();
    assert_refused(&fixture, &run, &["--epochs", "2"], 1, &format!("is it {}? If so: ", sibling.display()));
    fs::rename(&sibling, &data).unwrap();

    let text = fs::read_to_string(run.spec()).unwrap();
    for (from, to, code, part) in [
        ("seed = ", "seed = 1", 1, "its checkpoint belongs to another configuration; was run.toml edited?"),
        ("device = \"cpu\"", "device = \"cuda:63\"", 1, "GPU"),
        ("learning_rate = 0.01", "learning_rate = 11", 1, "out of range"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        fs::write(run.spec(), text.replace(from, to)).unwrap();
        assert_refused(&fixture, &run, &["--epochs", "2"], code, part);
    }
    fs::write(run.spec(), text).unwrap();
    assert_refused(&fixture, &run, &["--epochs", "2", "--data", "nowhere"], 1, "--data: nowhere: ");
    assert_refused(
        &fixture,
        &run,
        &["--epochs", "2", "--set", "learning_rate=1"],
        2,
        "learning_rate cannot be changed",
    );
    assert_refused(&fixture, &run, &["--set", "epochs=2"], 2, "epochs is changed by --epochs");
    let output = fixture.resume(&run, &["--epochs", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
}

fn spec_root(run: &RunDir) -> [std::path::PathBuf; 2] {
    [read_run_spec(&run.spec()).unwrap().data, read_manifest(&run.manifest()).unwrap().root]
}

#[test]
fn moved_data_is_verified_and_the_run_ends_with_the_same_bytes() {
    let fixture = TrainerFixture::new(24);
    let settings = "epochs=3,optimizer=adamw,momentum=0.9,learning_rate=0.002";
    let mut whole = fixture.train("CC_R", settings).remove(0);
    assert_eq!(whole.wait_ended().0, RunPhase::Completed, "{}", whole.log());
    let mut parts = fixture.train("CC_R", &format!("{settings},{EVERY_STEP}")).remove(0);
    let trainer = parts.wait_started();
    parts.wait_checkpoint(3);
    send(trainer, Signal::KILL);
    assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));

    let (old, new) = (fixture.data(), fixture.workspace().with_file_name("elsewhere"));
    fs::rename(&old, &new).unwrap();
    let sample = read_manifest(&parts.dir.manifest()).unwrap().samples.remove(5).file;
    let image = new.join(&sample);
    let bytes = fs::read(&image).unwrap();
    let name = parts.dir.name();
    let refused = |part: &str| {
        let before = files_below(parts.dir.path());
        let mut command = fixture.command(&["resume", &name, "--detach", "--data"]);
        let output = command.arg(&new).output().unwrap();
        let stderr = stderr_of(&output);
        assert!(output.status.code() == Some(1) && stderr.contains(part), "'{part}' in {stderr}");
        assert!(files_below(parts.dir.path()) == before, "the run was changed");
    };
    fs::remove_file(&image).unwrap();
    refused(&format!("1 is missing ({})", sample.display()));
    write_image(&image, 3);
    refused(&format!("1 has other pixels ({})", sample.display()));
    fs::write(&image, bytes).unwrap();

    let root = new.canonicalize().unwrap();
    let mut command = fixture.command(&["resume", &name, "--detach", "--data"]);
    let output = command.arg(&new).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(parts.wait_ended().0, RunPhase::Completed, "{}", parts.log());
    assert!(parts.data_section() == whole.data_section(), "the last checkpoints differ");
    assert_eq!(parts.summary().history(), whole.summary().history());
    assert_eq!(spec_root(&parts.dir), [root.clone(), root.clone()]);
    let moves = parts.summary().moves;
    assert!(moves.len() == 1 && moves[0].to == root, "{moves:?}");
    assert!(fixture.output(&["status", &name]).contains(&format!("  data        {}, moved from", root.display())));
    fixture.output(&["evaluate", &name, "--resamples", "50"]);
    // Later resumes need no option; a completed run takes the new place without being trained.
    fixture.output(&["resume", &name, "--epochs", "4", "--follow"]);
    let mut command = fixture.command(&["resume", &whole.dir.name(), "--data"]);
    let output = command.arg(&new).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!((spec_root(&whole.dir), status(&whole.dir).epoch), ([root.clone(), root], 3));
}

#[test]
fn the_moved_data_of_a_group_is_recorded_in_all_its_runs() {
    let fixture = TrainerFixture::new(16);
    for mut run in fixture.train("CC_R,MLO_L", "epochs=1") {
        assert_eq!(run.wait_ended().0, RunPhase::Completed, "{}", run.log());
    }
    let new = fixture.workspace().with_file_name("elsewhere");
    fs::rename(fixture.data(), &new).unwrap();
    let group = read_run_spec(&fixture.runs()[0].dir.spec()).unwrap().group;
    let output = fixture.command(&["resume", &group, "--epochs", "2", "--detach"]).output().unwrap();
    assert!(
        stderr_of(&output).contains(&format!("mammoscope resume {group} --data NEWROOT")),
        "{}",
        stderr_of(&output)
    );
    let place = new.to_str().unwrap();
    fixture.output(&["resume", &group, "--epochs", "2", "--data", place, "--follow"]);
    let root = new.canonicalize().unwrap();
    for run in fixture.runs() {
        assert_eq!((spec_root(&run.dir), status(&run.dir).epoch), ([root.clone(), root.clone()], 2));
    }
}

#[test]
fn settings_for_the_rest_are_changed_and_recorded() {
    let fixture = TrainingFixture::new();
    let whole = fixture.train_successfully(&["epochs=4"]);
    fs::rename(&fixture.workspace, fixture.folder.path().join("whole")).unwrap();
    let whole = RunDir::new(fixture.folder.path().join("whole/runs").join(whole.name()));

    let run = fixture.train_successfully(&["epochs=2"]);
    let output = fixture.resume(&run, &["--epochs", "3", "--set", "keep_best=3", "--set", "checkpoint_minutes=0.5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("changed keep_best from 1 to 3"), "{}", stderr_of(&output));
    let changed = |run: &RunDir| summary(run).changes.iter().map(|change| change.to_string()).collect::<Vec<_>>();
    assert_eq!(changed(&run), ["keep_best from 1 to 3", "checkpoint_minutes from 10 to 0.5"]);
    let config = read_run_spec(&run.spec()).unwrap().config;
    assert_eq!((config.keep_best, config.checkpoint_minutes), (3, 0.5));
    let shown = String::from_utf8(fixture.output(&["status", &run.name()]).stdout).unwrap();
    assert!(shown.contains("  changed     keep_best from 1 to 3\n"), "{shown}");
    let document: Value = serde_json::from_slice(&fixture.output(&["status", &run.name(), "--json"]).stdout).unwrap();
    assert_eq!(document["changes"][0]["to"], "3");
    assert_eq!(document["config"]["keep_best"], 3);
    // The same again is no change, and the checkpoint still belongs to the configuration.
    let output = fixture.resume(&run, &["--epochs", "4", "--set", "keep_best=3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(changed(&run).len(), 2);
    let tensors = |run: &RunDir| {
        let read = mammoscope_storage::runs::checkpoint_file::Checkpoint::read(&run.last_checkpoint()).unwrap();
        let weights = read.tensors.into_iter().filter(|(name, _)| name.starts_with("weights/"));
        weights.collect::<Vec<_>>()
    };
    assert!(tensors(&run) == tensors(&whole), "the weights are those of an uninterrupted run");
    // The events restore a value that was edited in run.toml.
    let text = fs::read_to_string(run.spec()).unwrap();
    fs::write(run.spec(), text.replace("keep_best = 3", "keep_best = 1")).unwrap();
    let output = fixture.resume(&run, &["--epochs", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(read_run_spec(&run.spec()).unwrap().config.keep_best, 3);
}

#[test]
fn a_longer_patience_continues_a_run_that_stopped_early() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=9", "early_stop=1", "monitor=val_kappa", "learning_rate=0.00001"]);
    let stopped = status(&run).epoch;
    assert!(stopped < 9, "{stopped}");
    let output = fixture.resume(&run, &["--set", "early_stop=0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!((status(&run).state, status(&run).epoch), (RunPhase::Completed, 9));
}

#[test]
fn a_jump_of_the_rate_is_announced_and_recorded() {
    let fixture = TrainingFixture::new();
    let cosine = ["schedule=cosine", "plateau_min=0.000001", "epochs=2"];
    let run = fixture.train_successfully(&cosine);
    let output = fixture.output(&["resume", &run.name(), "--epochs", "4", "--detach"]);
    let expected = "the cosine is stretched to 4 epochs: the rate goes from 1.00e-6 to 3.89e-3";
    assert!(stderr_of(&output).contains(&format!("warning: {expected}\n")), "{}", stderr_of(&output));
    assert_eq!(wait_for_end(&run), RunPhase::Completed);
    assert_eq!(summary(&run).warnings.last().map(|warning| warning.message.as_str()), Some(expected));
    let shown = String::from_utf8(fixture.output(&["status", &run.name()]).stdout).unwrap();
    assert!(shown.contains(&format!("  warning     {expected}\n")), "{shown}");
    // The rate that follows is the one that was announced.
    let rate = events(&run).into_iter().find_map(|event| match event {
        RunEventKind::EpochStarted { epoch: 3, learning_rate, .. } => Some(format!("{learning_rate:.2e}")),
        _ => None,
    });
    assert_eq!(rate.as_deref(), Some("3.89e-3"));
}

/// The lock admits one trainer; the other `resume` does not take its start for that of its own.
#[test]
fn of_two_resumes_at_once_one_says_that_the_run_is_taken() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=1"]);
    let spawn = || {
        let mut command = fixture.command(&["resume", &run.name(), "--epochs", "100000", "--detach"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [spawn(), spawn()].map(|child| child.wait_with_output().unwrap());
    let [started, refused] = if both[0].status.success() { [&both[0], &both[1]] } else { [&both[1], &both[0]] };
    assert!(started.status.success(), "{}", stderr_of(started));
    assert_eq!(String::from_utf8_lossy(&started.stdout).trim(), run.path().to_str().unwrap());
    let stderr = stderr_of(refused);
    assert_eq!(refused.status.code(), Some(1), "{stderr}");
    assert!(refused.stdout.is_empty() && stderr.contains("another trainer (process "), "{stderr}");
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
}

#[test]
fn a_start_that_cannot_be_printed_says_where_the_run_is() {
    if !Path::new("/dev/full").exists() {
        mammoscope_test_support::skipped("no /dev/full");
        return;
    }
    let fixture = TrainingFixture::new();
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for more in [&["--detach"][..], &["--detach", "--json"]] {
        let output = fixture.train_command(&["epochs=1"], more).stdout(full()).output().unwrap();
        let runs = fixture.workspace.join("runs");
        let run = RunDir::new(runs.join(names_in(&runs).pop().unwrap()));
        let stderr = stderr_of(&output);
        let expected = format!("error: training was started in {}, but this cannot be printed: ", run.path().display());
        assert!(output.status.code() == Some(1) && stderr.contains(&expected), "{stderr}");
        assert_eq!(
            wait_for("the end", || Some(status(&run).state).filter(|state| state.is_over())),
            RunPhase::Completed
        );
        fs::remove_dir_all(run.path()).unwrap();
    }
    let output = fixture.train_command(&["epochs=1"], &["--foreground"]).stdout(full()).output().unwrap();
    assert!(stderr_of(&output).contains("error: nothing was started: "), "{}", stderr_of(&output));
    assert_eq!(names_in(&fixture.workspace.join("runs")), [""; 0]);
}
