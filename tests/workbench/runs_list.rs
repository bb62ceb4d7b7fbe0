//! The list of runs in a terminal: sorted, renamed, and the log in the pager.

#![cfg(unix)]

use chrono::Utc;
use mammoscope_storage::runs::run_catalog::list_runs;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use mammoscope_test_support::pty_session::PtySession;

const SIZE: (u16, u16) = (120, 40);

/// A workspace with three runs.
fn workspace(folder: &tempfile::TempDir) -> Workspace {
    let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
    for seed in 0..3 {
        let history = SyntheticHistory { epochs: 4, steps_per_epoch: 10, seed, study: None };
        let mut run = SyntheticRun::create(&workspace, history, Utc::now()).unwrap();
        while run.advance().unwrap() {}
        run.end().unwrap();
    }
    workspace
}

#[test]
fn runs_are_sorted_and_renamed_and_the_log_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder);
    let runs = list_runs(&workspace).unwrap();
    let first = &runs[0].run;
    let lines: String = (1..=60)
        .map(|number| format!("2026-11-30T00:14:28.434Z  INFO line {number}\n"))
        .chain(["2026-11-30T00:14:29.000Z  INFO {\"event\":\"paused\",\"step\":12}\n".to_owned()])
        .collect();
    std::fs::write(first.log(), lines).unwrap();

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"3");
    session.wait_for_text("1 of 3");
    session.wait_for_text("best");
    session.send(b"s");
    session.wait_for_text("best\u{25bc}");
    session.send(b"S");
    session.wait_for_text("best\u{25b2}");
    session.send(b"g");
    session.wait_for_text("1 of 3");
    session.send(b"R");
    session.wait_for_text("Name and tags of");
    session.send(b"quick one\tpaper\r");
    session.wait_for_text("name and tags of");
    session.wait_for_text("quick one");
    let named = list_runs(&workspace).unwrap().into_iter().filter(|entry| entry.run.labels().is_file());
    assert_eq!(named.count(), 1, "in the run's folder");

    // The run whose log was written, by its place in the order of time.
    session.send(b"sssssss/");
    session.send(first.name().as_bytes());
    session.send(b"\r");
    session.wait_for_text("1 of 3 match");
    session.send(b"if");
    session.wait_for_text("log \u{b7}");
    session.wait_for_text("paused at step 12");
    session.send(b"/line 7\r");
    session.wait_for_text("1 found");
    session.send(b"F");
    session.wait_for_text("following");
    session.send(b"\x1b");
    session.wait_for("the end of the search", |screen| !screen.contents().contains("found"));
    session.send(b"\x1b");
    session.wait_for_text("1 of 3 match");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}
