//! Run directories that are renamed, moved or removed while their trainer works: it stays with the directory, under
//! whatever name that has, and never writes to another one that has taken its place.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::folder_tree::files_below;
use mammoscope_test_support::training_fixture::{TrainingFixture, events, status, summary, wait_for_end};
use mammoscope_test_support::{engine, has_ended, script, skipped, stderr_of, wait_for};
use serde_json::Value;

use crate::completeness::{MOVED, Outcome};

const SETTINGS: &[&str] = &["epochs=80", "optimizer=adamw", "ema=0.9", "keep_best=2"];
const ENDLESS: &[&str] = &["epochs=100000"];

fn wait_for_epoch(run: &RunDir, epoch: u32) {
    wait_for("an epoch", || (summary(run).epoch >= epoch).then_some(()));
}

fn move_run(run: &RunDir, to: PathBuf) -> RunDir {
    fs::rename(run.path(), &to).unwrap();
    RunDir::new(to)
}

/// Removes a run directory, although its trainer writes to it.
fn remove(run: &RunDir) {
    wait_for("the removal", || {
        let _ = fs::remove_dir_all(run.path());
        (!run.path().exists()).then_some(())
    });
}

/// The messages that name a place of the run directory, in order.
fn reported_moves(run: &RunDir) -> Vec<String> {
    let place = |event| match event {
        RunEventKind::Warning { message } => message.strip_prefix(MOVED).map(str::to_owned),
        _ => None,
    };
    events(run).into_iter().filter_map(place).collect()
}

/// Asserts that no file of a run has the path by which its trainer reaches it.
fn assert_no_inner_paths(run: &RunDir) {
    for (file, bytes) in files_below(run.path()) {
        assert!(!bytes.windows(8).any(|part| part == b"self/fd/"), "{}", file.display());
    }
}

/// A directory that could be taken for a run's.
fn foreign_directory(at: &Path) {
    for folder in ["requests", "checkpoints", "tensorboard"] {
        fs::create_dir_all(at.join(folder)).unwrap();
    }
    for file in ["events.jsonl", "status.json", "lock", "run.toml", "checkpoints/last.safetensors"] {
        fs::write(at.join(file), b"of another\n").unwrap();
    }
}

#[test]
fn a_run_that_is_renamed_and_moved_ends_with_the_bytes_of_an_undisturbed_one() {
    let fixture = TrainingFixture::new();
    let expected = Outcome::of(&fixture.train_successfully(SETTINGS));
    let old = fixture.start(SETTINGS);
    wait_for_epoch(&old, 2);
    let renamed = move_run(&old, old.path().with_file_name("renamed"));
    foreign_directory(old.path());
    let foreign = files_below(old.path());

    // Readers see it at work under its new name, and reach its trainer.
    fixture.control(&renamed, "pause");
    let table = String::from_utf8(fixture.output(&["runs"]).stdout).unwrap();
    assert!(table.lines().any(|line| line.contains("renamed") && line.contains("paused")), "{table}");
    assert_eq!(reported_moves(&renamed), [renamed.path().display().to_string()]);
    fs::create_dir(fixture.folder.path().join("archive")).unwrap();
    // Where nothing else happens, the new place is reported all the same.
    let moved = move_run(&renamed, fixture.folder.path().join("archive/moved"));
    wait_for("the report", || (reported_moves(&moved).len() == 2).then_some(()));
    let back = move_run(&moved, renamed.path().to_owned());
    fixture.control(&back, "continue");
    let moved = move_run(&back, moved.path().to_owned());

    assert_eq!(wait_for_end(&moved), RunPhase::Completed, "{:?}", status(&moved).reason);
    expected.assert_same(&moved);
    assert_no_inner_paths(&moved);
    assert_eq!(reported_moves(&moved).last(), Some(&moved.path().display().to_string()));
    let log = fs::read_to_string(moved.log()).unwrap();
    assert!(log.contains(&format!("{MOVED}{}", moved.path().display())), "{log}");
    assert!(files_below(old.path()) == foreign, "the directory at the old place was changed");
    assert!(!renamed.path().exists());
}

#[test]
fn a_renamed_run_is_stopped_and_resumed_under_its_new_name() {
    let fixture = TrainingFixture::new();
    let received = fixture.folder.path().join("received.json");
    let command = format!("cat > '{}'", received.display());
    let output = fixture.train_command(ENDLESS, &["--detach", "--on-event", &command]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let old = fixture.run();
    wait_for_epoch(&old, 2);
    let run = move_run(&old, old.path().with_file_name("renamed"));
    let resumed = fixture.output(&["resume", "renamed", "--detach"]);
    assert!(stderr_of(&resumed).contains("another trainer"), "{}", stderr_of(&resumed));
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    // The user's command for events has the present name, too.
    let document: Value = wait_for("the command's input", || serde_json::from_slice(&fs::read(&received).ok()?).ok());
    let expected = (Value::from("renamed"), Value::from(run.path().to_str().unwrap()));
    assert_eq!((&document["run"], &document["path"]), (&expected.0, &expected.1));
    let epochs = (summary(&run).epoch + 1).to_string();
    let resumed = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr_of(&resumed));
    assert!(!old.path().exists());
}

#[test]
fn renames_between_any_two_system_calls_cost_nothing() {
    let settings: &[&str] = &[SETTINGS, &["checkpoint_minutes=0.000001"]].concat();
    let fixture = TrainingFixture::new();
    let expected = Outcome::of(&fixture.train_successfully(settings));
    let mut run = fixture.start(settings);
    let mut renames = 0;
    for number in 0.. {
        let old = run.path().to_owned();
        run = move_run(&run, old.with_file_name(format!("name-{}", number % 2)));
        renames += 1;
        // Whatever the trainer wrote by the old name would be in the way of removing this.
        fs::create_dir(&old).unwrap();
        thread::sleep(Duration::from_micros(500 * (number % 8)));
        fs::remove_dir(&old).unwrap();
        if number % 20 == 0 && status(&run).state.is_over() {
            break;
        }
    }
    assert_eq!(status(&run).state, RunPhase::Completed, "{:?}", status(&run).reason);
    expected.assert_same(&run);
    assert_no_inner_paths(&run);
    assert!(renames > 50 && reported_moves(&run).len() > 5, "{renames}");
}

#[test]
fn a_queued_run_and_the_workspace_are_renamed() {
    let mut fixture = TrainingFixture::new();
    let settings = &["epochs=100"];
    let output = fixture.train_command(settings, &["--detach", "--seeds", "3", "--jobs", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let runs: Vec<RunDir> = String::from_utf8(output.stdout).unwrap().lines().map(RunDir::new).collect();
    let [first, second, third] = runs.as_slice() else { panic!("{runs:?}") };
    fixture.control(first, "pause");
    let second = move_run(second, second.path().with_file_name("second"));
    let third = move_run(third, third.path().with_file_name("third"));
    let workspace = fixture.folder.path().join("another workspace");
    fs::rename(&fixture.workspace, &workspace).unwrap();
    let old = std::mem::replace(&mut fixture.workspace, workspace.clone());
    let here = |run: &RunDir| RunDir::new(workspace.join("runs").join(run.name()));
    let [first, second, third] = [first, &second, &third].map(here);

    fixture.control(&third, "stop");
    assert_eq!(wait_for_end(&third), RunPhase::Stopped);
    fixture.control(&first, "continue");
    for run in [&first, &second] {
        assert_eq!(wait_for_end(run), RunPhase::Completed, "{:?}", status(run).reason);
        assert_no_inner_paths(run);
    }
    assert_eq!(reported_moves(&first), [first.path().display().to_string()]);
    assert!(!old.exists());
}

#[test]
fn the_trainer_of_a_removed_run_ends_and_says_so() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(ENDLESS);
    wait_for_epoch(&run, 2);
    // Even a paused one, which no request could reach any more.
    fixture.control(&run, "pause");
    let trainer = status(&run).pid.unwrap();
    let log = fs::File::open(run.log()).unwrap();
    let run = move_run(&run, fixture.folder.path().join("moved"));
    wait_for("the report", || (!reported_moves(&run).is_empty()).then_some(()));
    remove(&run);
    wait_for("the end of the trainer", || has_ended(trainer).then_some(()));
    let text = std::io::read_to_string(log).unwrap();
    let expected = format!("failed: the run directory {} was removed, or moved where", run.path().display());
    assert!(text.contains(&expected) && !text.contains("self/fd"), "{text}");
    assert!(!run.path().exists());
}

#[test]
fn a_run_that_was_removed_while_its_trainer_wrote_is_no_run_any_more() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(ENDLESS);
    wait_for_epoch(&run, 2);
    let trainer = status(&run).pid.unwrap();
    let log = fs::File::open(run.log()).unwrap();
    // `rm -r` has removed these before the trainer wrote another file, so that the directory is not empty.
    for file in [run.events(), run.log(), run.lock(), run.spec()] {
        fs::remove_file(file).unwrap();
    }
    wait_for("the end of the trainer", || has_ended(trainer).then_some(()));
    let text = std::io::read_to_string(log).unwrap();
    assert!(text.contains(&format!("failed: the run directory {} was removed", run.path().display())), "{text}");
}

#[test]
fn a_trainer_in_the_foreground_reports_the_removal() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(ENDLESS);
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let step = status(&run).step;
    let mut trainer = Command::new(engine());
    trainer.args(["train", "--foreground"]).arg(run.path()).stdin(Stdio::null()).stderr(Stdio::piped());
    let trainer = trainer.spawn().unwrap();
    wait_for("further steps", || (status(&run).step > step).then_some(()));
    remove(&run);
    let output = trainer.wait_with_output().unwrap();
    let (text, path) = (stderr_of(&output), run.path().display());
    let expected =
        format!("{}: the run directory {path} was removed, or moved where its trainer cannot follow\n", run.name());
    assert!(output.status.code() == Some(1) && text.ends_with(&expected), "{text}");
    assert!(!run.path().exists());
}

#[test]
fn without_proc_a_trainer_works_at_the_path_and_a_rename_ends_it() {
    let mut fixture = TrainingFixture::new();
    let hide = "mount -t tmpfs none /proc";
    if !Command::new("unshare").args(["--mount", "sh", "-c", hide]).output().is_ok_and(|output| output.status.success())
    {
        return skipped("training without /proc: namespaces are not permitted here");
    }
    let program = fixture.folder.path().join("engine");
    let text = format!("exec unshare --mount sh -c '{hide}; exec \"$@\"' sh '{}' \"$@\"", engine().display());
    fixture = fixture.with_engine(&script(&program, &text));
    let old = fixture.start(ENDLESS);
    wait_for_epoch(&old, 2);
    let trainer = status(&old).pid.unwrap();
    let run = move_run(&old, old.path().with_file_name("renamed"));
    wait_for("the end of the trainer", || has_ended(trainer).then_some(()));
    let log = fs::read_to_string(run.log()).unwrap();
    assert!(log.contains(&format!("the run directory {} was removed, or moved where", old.path().display())), "{log}");
    assert!(!old.path().exists());
    let epochs = (summary(&run).epoch + 1).to_string();
    let resumed = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr_of(&resumed));
}
