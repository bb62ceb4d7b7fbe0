//! Jobs of the workbench in a terminal: one that is finished and opened, one that is stopped, and one that holds up
//! quitting.

#![cfg(unix)]

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
    session.wait_for("the screen below", |screen| !screen.contents().contains("jobs end with the workbench"));
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
fn quitting_asks_while_a_job_runs_and_then_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    generate(&mut session, "4000", "650");
    let process = process(&session);
    wait_for_progress(&session);
    leave_list(&mut session);
    session.send(b"q");
    session.wait_for_text("Stop 1 job and quit?");
    session.send(b"\x1b");
    session.wait_for("no question", |screen| !screen.contents().contains("Stop 1 job and quit?"));
    session.send(b"q");
    session.wait_for_text("Stop 1 job and quit?");
    session.send(b"y");
    assert!(session.wait_for_end().0.success());
    assert!(!Path::new("/proc").join(&process).exists(), "jobs end with the workbench");
}
