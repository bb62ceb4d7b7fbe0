//! A study from the form, and a clone of one of its runs, with the real engine, in a terminal.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::pty_session::PtySession;
use mammoscope_test_support::{engine, wait_for};

const SIZE: (u16, u16) = (120, 40);

/// The folders below a folder.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

/// Types the value of a field, found by its name.
fn set(session: &mut PtySession, field: &str, value: &str) {
    session.send(format!("/{field}\r").as_bytes());
    session.wait_for_text("found · Esc shows all");
    session.send(format!("\r\x15{value}\r").as_bytes());
    session.wait_for_text(&format!("● {field}"));
    session.send(b"\x1b");
    session.wait_for("all fields", |screen| !screen.contents().contains("Esc shows all"));
}

#[test]
fn a_cross_validation_is_started_and_one_of_its_runs_cloned() {
    engine();
    let folder = tempfile::tempdir().unwrap();
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["phantom", "data", "--subjects", "24", "--size", "64", "--seed", "3", "--quiet"])
        .current_dir(folder.path())
        .assert()
        .success();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"2");
    session.wait_for_text("New training");
    session.send(b"\rdata\r");
    session.wait_for_text("4 views");
    // The first view only, and the third preset, `quick`.
    session.send(b"\x1b[B\x1b[C \x1b[C \x1b[C ");
    session.wait_for_text("1 view");
    session.send(b"\x1b[B\x1b[B\x1b[C\x1b[C");
    session.wait_for_text("‹ quick ›");
    set(&mut session, "epochs", "2");
    set(&mut session, "folds", "3");
    session.wait_for_text("1 view × 3 folds = 3 runs");
    session.wait_for_text("fold 1 of 3 held out");
    session.wait_for_text("per epoch");
    session.send(b"\x13");
    session.wait_for_text("[3 Runs]");
    let runs = wait_for("the runs of the study", || {
        let runs = folders(&folder.path().join("ws/runs"));
        (runs.len() == 3).then_some(runs)
    });
    let studies = folders(&folder.path().join("ws/studies"));
    assert_eq!(studies.len(), 1);
    assert!(studies[0].join("folds.csv").exists());
    let folds: Vec<_> =
        runs.iter().map(|run| read_run_spec(&RunDir::new(run).spec()).unwrap().study.unwrap().fold.unwrap()).collect();
    assert_eq!(folds.iter().collect::<BTreeSet<_>>().len(), 3, "{folds:?}");
    wait_for("the end of the runs", || {
        let is_over = |run: &PathBuf| {
            read_status(&RunDir::new(run).status()).is_ok_and(|status| status.state == RunPhase::Completed)
        };
        runs.iter().all(is_over).then_some(())
    });

    session.send(b"t");
    session.wait_for_text("[2 Train]");
    session.wait_for_text(", as in the run");
    session.wait_for_text("splits of a table");
    assert!(session.contents().contains("start 1 run"), "{}", session.contents());
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}
