//! The workbench in a terminal: it opens, takes keys, survives whatever terminals do, and restores them.

#![cfg(unix)]

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use mammoscope_test_support::pty_session::PtySession;
use rustix::process::{Pid, Signal, kill_process};

fn open(folder: &tempfile::TempDir) -> PtySession {
    let session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    session.wait_for_text("[1 Datasets]");
    session
}

fn signal(session: &PtySession, signal: Signal) {
    kill_process(Pid::from_raw(session.pid()).unwrap(), signal).unwrap();
}

/// True if the process is stopped, as by Ctrl-Z.
fn is_stopped(session: &PtySession) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", session.pid())).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} did not happen");
}

#[test]
fn keys_work_in_a_terminal_that_answers_no_queries_and_q_restores_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    // Typed before anything is drawn: no key is lost.
    session.send(b"3");
    session.wait_for_text("[3 Runs]");
    session.send(b"?");
    session.wait_for_text("control the run and its trainer");
    session.send(b"\x1b");
    session.wait_for("help is gone", |screen| !screen.contents().contains("control the run and its trainer"));
    session.send(b":");
    session.wait_for_text("Commands");
    session.send(b"evaluate\r");
    session.wait_for_text("[4 Evaluate]");
    session.send(b"q");
    let (status, _) = session.wait_for_end();
    assert!(status.success(), "{status:?}");
    session.wait_until_restored();

    let mut again = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    again.wait_for_text("[4 Evaluate]");
    again.send(b"\x03");
    assert!(again.wait_for_end().0.success(), "Ctrl-C leaves too");
}

#[test]
fn a_late_answer_of_the_terminal_is_not_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder);
    session.send(b"\x1bP>|slow terminal q\x1b\\\x1b[?62;4c\x1b]11;rgb:ffff/ffff/ffff\x1b\\3");
    session.wait_for_text("[3 Runs]");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn tmux_is_sent_no_kitty_query_which_it_would_take_for_a_title() {
    let folder = tempfile::tempdir().unwrap();
    for (tmux, kitty) in [(None, true), (Some(("TMUX", "/tmp/tmux,1,0")), false)] {
        let variables: Vec<_> = tmux.into_iter().collect();
        let mut session = PtySession::start_with(&["--workspace", "ws"], &variables, folder.path(), (80, 24));
        session.wait_for_text("[1 Datasets]");
        session.send(b"q");
        session.wait_for_end();
        session.wait_until_restored();
        let bytes = session.bytes();
        assert!(bytes.windows(3).any(|sent| sent == b"\x1b[c"), "the terminal was queried");
        assert_eq!(bytes.windows(3).any(|sent| sent == b"\x1b_G"), kitty, "{tmux:?}");
    }
}

#[test]
fn a_storm_of_resizes_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder);
    for step in 0..120_u16 {
        session.resize((1 + step * 37 % 200, 1 + step * 13 % 60));
        session.send(if step % 2 == 0 { b"\t" } else { b"?\x1b" });
    }
    session.resize((20, 5));
    session.wait_for_text("too small");
    session.resize((100, 30));
    session.wait_for_text("mammoscope");
    session.send(b"\x1b\x1b");
    session.send(b"1");
    session.wait_for_text("[1 Datasets]");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn it_can_be_suspended_and_continued() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder);
    for by_signal in [false, true] {
        if by_signal {
            signal(&session, Signal::TSTP);
        } else {
            session.send(b"\x1a");
        }
        wait_until("the stop", || is_stopped(&session));
        session.wait_until_restored();
        signal(&session, Signal::CONT);
        session.wait_for("the workbench again", |screen| {
            screen.alternate_screen() && screen.contents().contains("[1 Datasets]")
        });
    }
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn it_ends_on_hangup_closed_terminal_and_sigterm() {
    for way in ["hangup", "closed terminal", "terminate"] {
        let folder = tempfile::tempdir().unwrap();
        let mut session = open(&folder);
        match way {
            "hangup" => signal(&session, Signal::HUP),
            "terminate" => signal(&session, Signal::TERM),
            _ => session.close_terminal(),
        }
        // benches/terminal_costs.py measures how soon: machines under test are slow.
        session.wait_for_end();
        if way != "closed terminal" {
            session.wait_until_restored();
        }
    }
}

#[test]
fn it_ends_even_if_the_terminal_stops_reading() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder);
    session.stop_reading();
    let writes = |pid: i32| {
        let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
        let write = if cfg!(target_arch = "x86_64") { "1 " } else { "64 " };
        call.starts_with(write)
    };
    let mut step = 0;
    // Until a frame cannot be written, and stays so.
    wait_until("a frame that is not read", || {
        step += 1;
        session.resize((200 + step % 2, 60));
        (0..20).all(|_| {
            std::thread::sleep(Duration::from_millis(10));
            writes(session.pid())
        })
    });
    signal(&session, Signal::TERM);
    session.wait_for_end();
}

#[test]
fn the_first_screen_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let session = open(&folder);
    session.wait_for_text("quit");
    let started = session.bytes().len();
    assert!(started < 20_000, "{started} bytes for the first screen");
}

#[test]
fn attach_opens_on_the_named_run_whatever_was_shown_last() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
    let mut oldest = None;
    for number in 0..3 {
        let history = SyntheticHistory { epochs: 2, steps_per_epoch: 20, seed: number, study: None };
        let end = Utc::now() - TimeDelta::minutes(3 - number as i64);
        let mut run = SyntheticRun::create(&workspace, history, end).unwrap();
        while run.advance().unwrap() {}
        oldest.get_or_insert_with(|| run.path().to_owned());
        run.end().unwrap();
    }
    let oldest = oldest.unwrap();
    let name = oldest.file_name().unwrap().to_str().unwrap();
    // The workbench is left with a filter that hides all runs.
    let size = (120, 40);
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), size);
    session.send(b"3");
    session.wait_for_text("1 of 3");
    session.send(b"/no such name\r");
    session.wait_for_text("no runs match");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    // By name; by absolute path, which implies the workspace; and by relative path.
    let path = format!("ws/runs/{name}");
    for arguments in
        [&["attach", name, "--workspace", "ws"][..], &["attach", oldest.to_str().unwrap()], &["attach", &path]]
    {
        let mut session = PtySession::start(arguments, folder.path(), size);
        session.wait_for_text("3 of 3");
        session.wait_for_text(name);
        session.send(b"q");
        assert!(session.wait_for_end().0.success());
    }
    let mut other = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"));
    other.current_dir(folder.path()).env("XDG_DATA_HOME", folder.path());
    let other = other.args(["attach", &path, "--workspace", "other"]).output().unwrap();
    let message = String::from_utf8(other.stderr).unwrap();
    assert!(message.contains("is not a run of the workspace") && message.lines().count() == 1, "{message}");
    assert_eq!(other.status.code(), Some(1));
}

#[test]
fn it_refuses_to_start_without_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope")).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("needs a terminal") && message.lines().count() == 1, "{message}");
}

#[test]
#[cfg(debug_assertions)]
fn a_fault_restores_the_terminal_and_leaves_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let fault = [("MAMMOSCOPE_TEST_FAULT", "drawing")];
    let mut session = PtySession::start_with(&["--workspace", "ws"], &fault, folder.path(), (80, 24));
    let (status, _) = session.wait_for_end();
    assert!(!status.success());
    session.wait_until_restored();
    wait_until("the report", || {
        let text = String::from_utf8_lossy(&session.bytes()).into_owned();
        text.contains("a test wanted this") && text.contains("workbench_fault.txt")
    });
    let report = std::fs::read_to_string(folder.path().join("ws/workbench_fault.txt")).unwrap();
    assert!(report.contains("a test wanted this") && report.contains("src/tui/"), "{report}");
}

#[test]
#[cfg(debug_assertions)]
fn a_fault_in_a_thread_is_reported_and_the_rest_continues() {
    let folder = tempfile::tempdir().unwrap();
    let fault = [("MAMMOSCOPE_TEST_FAULT", "thread")];
    let mut session = PtySession::start_with(&["--workspace", "ws"], &fault, folder.path(), (120, 40));
    session.wait_for_text("a part of the workbench failed: a test wanted this");
    session.send(b"3");
    session.wait_for_text("[3 Runs]");
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn ascii_without_colour_is_sent_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("NO_COLOR", "1"), ("TERM", "xterm")];
    let mut session = PtySession::start_with(&["--ascii", "--workspace", "ws"], &variables, folder.path(), (80, 24));
    for (key, title) in [(b"2", "[2 Train]"), (b"3", "[3 Runs]"), (b"4", "[4 Evaluate]"), (b"1", "[1 Datasets]")] {
        session.send(key);
        session.wait_for_text(title);
    }
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    let bytes = session.bytes();
    assert!(bytes.is_ascii(), "{}", String::from_utf8_lossy(&bytes));
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("[38;") && !text.contains("[48;"), "no colour was asked for");
}
