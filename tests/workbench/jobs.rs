//! Jobs of the workbench in a terminal: finished and opened ones, one with findings, preprocessing, one that is stopped, and
//! one that outlives the workbench.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use mammoscope_test_support::pty_session::PtySession;

const SIZE: (u16, u16) = (120, 40);

/// Fills in the form of synthetic images; the folder is the form's own.
fn generate(session: &mut PtySession, subjects: &str, size: &str) {
    session.send(b":");
    session.wait_for_text("Commands");
    session.send(b"generate synthetic\r");
    session.wait_for_text("known ground truth, not for clinical use");
    session.send(format!("\r{subjects}\r{size}\r").as_bytes());
    session.wait_for_text("Jobs");
}

/// Leaves the list of jobs.
fn leave_list(session: &mut PtySession) {
    session.send(b"\x1b");
    session.wait_for("the screen below", |screen| !screen.contents().contains("jobs and training runs continue"));
}

/// Waits until the job has done some of its 4,000 subjects; from then on it ends cleanly when it is asked to.
fn wait_for_progress(session: &PtySession) {
    session.wait_for_text("/4000 ");
}

/// The process of the job, from the line about it.
fn process(session: &PtySession) -> String {
    session.wait_for_text(" process ");
    let text = session.contents();
    let after = text.split(" process ").nth(1).unwrap();
    after.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_job_is_started_and_its_result_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    generate(&mut session, "8", "64");
    session.wait_for_text("done");
    session.send(b"i");
    session.wait_for_text("the process has ended: exit status 0");
    session.send(b"\r");
    session.wait_for("the data set", |screen| {
        let text = screen.contents();
        text.contains("[1 Datasets]") && text.contains("CC_R") && text.contains("datasets/phantoms")
    });
    assert!(folder.path().join("ws/datasets/phantoms/phantom.json").exists());
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn a_job_is_stopped_cleanly_with_proof() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    generate(&mut session, "4000", "650");
    let process = process(&session);
    assert!(Path::new("/proc").join(&process).exists());
    wait_for_progress(&session);
    session.send(b"x");
    session.wait_for_text("stopped");
    session.wait_for_text("the process has ended: exit status 130");
    assert!(!Path::new("/proc").join(&process).exists(), "its process is gone");
    leave_list(&mut session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success(), "nothing runs: no question");
}

#[test]
fn a_job_outlives_the_workbench_and_is_listed_and_stopped_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    generate(&mut session, "4000", "650");
    let process = process(&session);
    let is_alive = || Path::new("/proc").join(&process).exists();
    wait_for_progress(&session);
    leave_list(&mut session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success(), "there is nothing to ask");
    assert!(is_alive(), "it continues");
    let left = session.contents();
    assert!(left.contains("1 job keeps running; `mammoscope attach"), "{left}");
    // As when the connection breaks.
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"J");
    session.wait_for_text(&format!("process {process}"));
    session.close_terminal();
    session.wait_for_end();
    assert!(is_alive(), "it continues");

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"J");
    session.wait_for_text(&format!("process {process}"));
    wait_for_progress(&session);
    session.send(b"x");
    session.wait_for_text("the process has ended: exit status 130");
    assert!(!is_alive());
    leave_list(&mut session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success());

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"J");
    session.wait_for_text("stopped");
    leave_list(&mut session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}

fn phantoms(folder: &Path, arguments: &[&str]) {
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["phantom", "data", "--subjects", "8", "--size", "64", "--seed", "3", "--quiet"])
        .args(arguments)
        .current_dir(folder)
        .assert()
        .success();
}

#[test]
fn an_audit_with_findings_has_finished() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path(), &[]);
    fs::write(folder.path().join("data/CC_R/A/broken_1_A_CC_R.png"), b"no picture").unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b":");
    session.wait_for_text("Commands");
    session.send(b"audit a data\r");
    session.wait_for_text("audit a data set");
    session.send(b"\x15data\r");
    session.wait_for_text("! finished");
    session.wait_for_text("finished · ");
    assert!(session.contents().contains(" findings: 1 error, "), "{}", session.contents());
    session.send(b"i");
    session.wait_for_text("error unreadable");
    session.send(b"\x1b");
    session.wait_for_text("jobs and training runs continue");
    leave_list(&mut session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn preprocessing_is_listed_and_its_images_opened() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path(), &["--dicom"]);
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"J");
    session.wait_for_text("preprocess images");
    session.send(b"\r");
    session.wait_for_text("Enter start");
    session.send(b"\x15data");
    session.wait_for_text("data-prepared");
    session.send(b"\r");
    session.wait_for_text("32 images written");
    session.send(b"\x1b");
    session.wait_for("the outcome closed", |screen| !screen.contents().contains("Enter close"));
    session.send(b"J");
    session.wait_for_text("preprocess data");
    session.wait_for_text("done");
    session.send(b"i");
    session.wait_for_text("finished");
    session.send(b"\r");
    session.wait_for("the images", |screen| {
        let text = screen.contents();
        text.contains("[1 Datasets]") && text.contains("data-prepared") && text.contains("CC_R")
    });
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}
