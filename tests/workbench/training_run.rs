//! A training run from the form to the images of its confusion matrix, with the real engine, in a terminal.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mammoscope_test_support::pty_session::{PtySession, Screen};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const SIZE: (u16, u16) = (120, 40);

fn phantoms(folder: &Path) {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["phantom", "data", "--subjects", "24", "--size", "64", "--seed", "3", "--quiet"])
        .current_dir(folder)
        .assert()
        .success();
}

fn mammoscope(folder: &Path, arguments: &[&str]) -> String {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["--workspace", "ws"])
        .args(arguments)
        .env("OMP_WAIT_POLICY", "PASSIVE")
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The caption of the selected cell of the matrix: `A predicted as B · 3 images`.
fn cell(screen: &Screen) -> Option<String> {
    screen.contents().lines().find_map(|line| {
        let text = line.split('│').find(|part| part.contains(" predicted as ") && part.contains(" · "))?;
        Some(text.trim().to_owned())
    })
}

#[test]
fn a_run_is_started_watched_and_explored_down_to_an_image() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path());
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"2");
    session.wait_for_text("New training");
    session.send(b"\rdata\r");
    session.wait_for_text("4 views");
    // Views and splits come in between; the third preset is `quick`.
    session.send(b"\x1b[B\x1b[B\x1b[B\x1b[C\x1b[C");
    session.wait_for_text("‹ quick ›");
    session.send(b"/epochs\r");
    session.wait_for_text("Passes over the training images");
    session.send(b"2\r");
    session.wait_for_text("● epochs");
    session.wait_for_text("per epoch");
    session.send(b"\x13");
    session.wait_for_text("[3 Runs]");
    session.wait_for_text("4/4 done");
    session.send(b"\r");
    session.wait_for_text("Confusion matrix");
    session.wait_for_text("resamples");

    // From cell to cell until one has images.
    let mut moves = [b"\x1b[C".as_slice(), b"\x1b[C", b"\x1b[C", b"\x1b[B", b"\x1b[D", b"\x1b[D", b"\x1b[D", b"\x1b[B"]
        .into_iter()
        .cycle()
        .take(15);
    loop {
        session.wait_for("a cell", |screen| cell(screen).is_some());
        let here = session.read(cell);
        if !here.as_deref().unwrap().ends_with("· 0 images") {
            break;
        }
        session.send(moves.next().unwrap_or_else(|| panic!("no cell has images:\n{}", session.contents())));
        session.wait_for("the next cell", |screen| cell(screen).is_some_and(|there| Some(there) != here));
    }
    // One of its images: full screen, then its explanation.
    session.send(b"\rf");
    session.wait_for_text("8-bit grey");
    session.send(b"\x1b");
    session.wait_for_text("back to the matrix");
    session.send(b"\r");
    session.wait_for_text("[5 Explain]");
    session.wait_for_text("in dense tissue");
    session.send(b"m");
    session.wait_for_text("Grad-CAM++ of add_12");
    session.send(b"\x1b");
    session.wait_for_text("Confusion matrix");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn a_run_outlives_the_workbench_and_a_killed_trainer_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path());
    let run = mammoscope(
        folder.path(),
        &[
            "train",
            "--data",
            "data",
            "--view",
            "CC_R",
            "--preset",
            "quick",
            "--set",
            "epochs=5000,early_stop=0",
            "--detach",
        ],
    );
    let run = Path::new(run.trim());

    let mut first = PtySession::start(&["attach", "--workspace", "ws"], folder.path(), SIZE);
    first.wait_for_text("running ·");
    first.send(b"q");
    assert!(first.wait_for_end().0.success());
    let said = String::from_utf8(first.bytes()).unwrap();
    let command = format!("`mammoscope attach --workspace {}`", folder.path().join("ws").display());
    assert!(said.contains("1 run keeps running") && said.contains(&command), "{said}");

    let mut second = PtySession::start(&["attach", "--workspace", "ws"], folder.path(), SIZE);
    second.wait_for_text("running ·");
    // The terminal is closed; the run does not notice.
    second.close_terminal();
    second.wait_for_end();
    let status = || -> Value { serde_json::from_slice(&std::fs::read(run.join("status.json")).unwrap()).unwrap() };
    let pid = i32::try_from(status()["pid"].as_i64().unwrap()).unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "the trainer lives");

    let mut third = PtySession::start(&["attach", "--workspace", "ws"], folder.path(), SIZE);
    third.wait_for_text("running ·");
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    third.wait_for_text("stale ·");
    third.send(b"q");
    assert!(third.wait_for_end().0.success());
}

fn status(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("status.json")).unwrap()).unwrap()
}

fn trainer(run: &Path) -> Pid {
    Pid::from_raw(i32::try_from(status(run)["pid"].as_i64().unwrap()).unwrap()).unwrap()
}

/// Starts a run that does not end by itself.
fn start_endless_run(folder: &Path) -> PathBuf {
    let train = ["train", "--data", "data", "--view", "CC_R", "--preset", "quick", "--detach"];
    let changes = ["--set", "epochs=5000,early_stop=0"];
    let run = mammoscope(folder, &[&train[..], &changes].concat());
    run.trim().into()
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_is_renamed_in_the_middle_is_seen_and_stopped_under_its_new_name() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path());
    let run = start_endless_run(folder.path());
    let mut session = PtySession::start(&["attach", "--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("running ·");
    let renamed = run.with_file_name("2026-11-30T10-15-02_CC_R_renamed");
    std::fs::rename(&run, &renamed).unwrap();
    session.wait_for("the new name, running", |screen| {
        let text = screen.contents();
        text.contains("CC_R renamed") && text.contains("running ·") && text.contains("1 of 1")
    });
    session.send(b"xs");
    session.wait_for_text("Stop CC_R renamed?");
    session.send(b"y");
    session.wait_for_text("stopped ·");
    assert_eq!(status(&renamed)["state"], "stopped");
    assert!(!run.exists());
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn every_request_can_be_made_from_the_menu() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path());
    let run = start_endless_run(folder.path());
    let mut session = PtySession::start(&["attach", "--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("running ·");
    for (keys, event, state) in [
        (b"xp".as_slice(), "pause requested → acknowledged at step", "paused ·"),
        (b"xc", "continue requested → acknowledged at step", "running ·"),
        (b"xw", "checkpoint requested → acknowledged at step", "running ·"),
    ] {
        session.send(keys);
        session.wait_for_text(event);
        session.wait_for_text(state);
    }
    session.send(b"xs");
    session.wait_for_text("Stop CC_R quick?");
    session.send(b"y");
    session.wait_for_text("stopped ·");
    assert_eq!(status(&run)["state"], "stopped");
    session.send(b"r");
    session.wait_for_text("training resumed");
    session.wait_for_text("running ·");
    kill_process(trainer(&run), Signal::KILL).unwrap();
    session.wait_for_text("stale ·");
    session.send(b"xm");
    session.wait_for_text("interrupted ·");
    assert_eq!(status(&run)["state"], "interrupted");
    session.send(b"d");
    session.wait_for_text("to the trash?");
    session.send(b"y");
    session.wait_for_text("no runs yet");
    assert!(!run.exists());
    assert!(folder.path().join("ws/trash").join(run.file_name().unwrap()).is_dir());
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn the_demo_opens_the_workbench_on_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["demo", "--out", "demo", "--subjects", "24"], folder.path(), SIZE);
    session.wait_for_text("[3 Runs]");
    session.wait_for_text("running ·");
    let runs = std::fs::read_dir(folder.path().join("demo/runs")).unwrap();
    let mut runs: Vec<PathBuf> = runs.map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    assert_eq!(runs.len(), 4);
    session.send(b"q");
    session.wait_for("the demo continues in lines", |screen| {
        !screen.alternate_screen() && screen.contents().contains("returns to the workbench")
    });
    // One trainer trains all of them; between two of them none may be running.
    let end = Instant::now() + Duration::from_secs(60);
    let running = loop {
        match runs.iter().find(|run| status(run)["state"] == "running") {
            Some(run) => break run,
            None if Instant::now() > end => panic!("no run is being trained"),
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    kill_process(trainer(running), Signal::KILL).unwrap();
    assert!(!session.wait_for_end().0.success());
}
