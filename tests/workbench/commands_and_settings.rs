//! The command palette, the list of keys, the settings and the tour in a terminal.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use chrono::{TimeDelta, Utc};
use mammoscope_storage::runs::run_catalog::list_runs;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use mammoscope_test_support::pty_session::PtySession;

fn type_command(session: &mut PtySession, text: &str) {
    session.send(b":");
    session.wait_for_text("Commands");
    session.send(text.as_bytes());
    session.wait_for_text(&format!(": {text}"));
}

/// Closes the popup, and waits: Esc and another key at once are Alt with that key.
fn close_popup(session: &mut PtySession) {
    session.send(b"\x1b");
    session.wait_for("the popup closed", |screen| !screen.contents().contains("Esc back"));
}

fn close_popup_and_quit(session: &mut PtySession) {
    close_popup(session);
    session.send(b"q");
}

#[test]
fn commands_are_found_by_the_words_of_the_footer() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    session.wait_for_text("[1 Datasets]");
    for screen in ["1", "3", "4", "5"] {
        session.send(screen.as_bytes());
        session.wait_for_text(&format!("[{screen} "));
        type_command(&mut session, "train");
        session.send(b"\r");
        session.wait_for_text("[2 Train]");
    }
    // Without images there are no masks, and the palette says so.
    type_command(&mut session, "masks");
    session.wait_for_text("not now: needs images");
    session.send(b"\r");
    session.wait_for("the reason above the footer", |screen| {
        screen
            .rows(0, 80)
            .nth(22)
            .is_some_and(|row| row.contains("! outline dense tissue") && row.contains(": needs images"))
    });
    session.send(b"\x1b");
    session.wait_for("the palette closed", |screen| !screen.contents().contains("Commands"));
    type_command(&mut session, "quit");
    session.send(b"\r");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn keys_are_searched_and_unbound_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (80, 24));
    session.wait_for_text("[1 Datasets]");
    session.send(b"Q");
    session.wait_for_text("Q is not bound");
    session.send(b"3?/zoom");
    session.wait_for("the keys for zooming", |screen| {
        let text = screen.contents();
        text.contains("zoom out") && !text.contains("redraw the screen")
    });
    session.send(b"\x1b");
    session.wait_for_text("control the run and its trainer");
    close_popup_and_quit(&mut session);
    assert!(session.wait_for_end().0.success());
}

fn session_with(settings: &Path, folder: &Path) -> PtySession {
    let variables = [("MAMMOSCOPE_CONFIG", settings.to_str().unwrap())];
    PtySession::start_with(&["--workspace", "ws"], &variables, folder, (80, 24))
}

#[test]
fn the_settings_change_keys_mouse_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("mine.toml");
    fs::write(&settings, "mouse = false\ntheme = \"light\"\n[keys]\nfind = \"ctrl-f\"\n").unwrap();
    let mut session = session_with(&settings, folder.path());
    session.wait_for_text("[1 Datasets]");
    assert!(!String::from_utf8_lossy(&session.bytes()).contains("?1000h"), "the terminal keeps its mouse");
    session.send(b"3/");
    session.wait_for_text("/ is not bound");
    session.send(b"?");
    session.wait_for_text("Ctrl-F");
    close_popup(&mut session);
    type_command(&mut session, "settings");
    session.send(b"\r");
    session.wait_for("the settings with their lines", |screen| {
        let text = screen.contents();
        ["mine.toml", "line 1", "line 2", "keys.find", "Ctrl-F", "line 4"].iter().all(|part| text.contains(part))
    });
    close_popup_and_quit(&mut session);
    assert!(session.wait_for_end().0.success());
}

#[test]
fn settings_with_a_mistake_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("mine.toml");
    fs::write(&settings, "\n[keys]\nfind = \"f\"\n").unwrap();
    let mut session = session_with(&settings, folder.path());
    let (status, _) = session.wait_for_end();
    assert_eq!(status.exit_code(), 1);
    let said = String::from_utf8(session.bytes()).unwrap();
    assert!(said.contains("mine.toml, line 3: keys.find: f is the key of full-screen"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(!said.contains("?1049h"), "the terminal was not taken over");
}

#[test]
fn the_tour_is_shown_once_and_its_key_acts() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let start = || {
        let variables = [("XDG_STATE_HOME", state.to_str().unwrap())];
        PtySession::start_with(&["--workspace", "ws"], &variables, folder.path(), (80, 24))
    };
    let mut session = start();
    session.wait_for_text("Welcome to mammoscope");
    session.send(b"3");
    session.wait_for("the screen Runs without the tour", |screen| {
        let text = screen.contents();
        text.contains("[3 Runs]") && !text.contains("Welcome")
    });
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    let mut again = start();
    again.wait_for_text("[3 Runs]");
    again.send(b"?");
    again.wait_for_text("Keys on this screen");
    assert!(!String::from_utf8_lossy(&again.bytes()).contains("Welcome"), "it never comes back");
    close_popup_and_quit(&mut again);
    assert!(again.wait_for_end().0.success());
}

#[test]
fn a_tour_that_cannot_be_remembered_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let variables = [("XDG_STATE_HOME", file.to_str().unwrap())];
    let mut session = PtySession::start_with(&["--workspace", "ws"], &variables, folder.path(), (80, 24));
    session.wait_for_text("Welcome to mammoscope");
    session.send(b"q");
    let (status, _) = session.wait_for_end();
    assert!(status.success());
    session.wait_until_restored();
}

/// The bytes that the workbench sent while a run ended, or went stale; those before are of no interest.
fn sent_at_an_end(settings: &str, variables: &[(&str, &str)], goes_stale: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
    let history = SyntheticHistory { epochs: 2, steps_per_epoch: 20, seed: 1, study: None };
    let mut earlier = SyntheticRun::create(&workspace, history, Utc::now() - TimeDelta::hours(1)).unwrap();
    while earlier.advance().unwrap() {}
    earlier.end().unwrap();
    let mut run = SyntheticRun::create(&workspace, history, Utc::now()).unwrap();
    while run.advance().unwrap() {}
    run.beat().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, settings).unwrap();
    let variables = [variables, &[("MAMMOSCOPE_CONFIG", path.to_str().unwrap())]].concat();
    let mut session = PtySession::start_with(&["--workspace", "ws"], &variables, folder.path(), (80, 24));
    session.send(b"1");
    session.wait_for_text("running 2/2");
    let before = session.bytes();
    assert!(!before.contains(&7) && !before.windows(4).any(|part| part == b"\x1b]99"), "no signal without a reason");
    let word = if goes_stale {
        let status = list_runs(&workspace).unwrap()[0].run.status();
        let mut document: serde_json::Value = serde_json::from_slice(&fs::read(&status).unwrap()).unwrap();
        document["heartbeat"] = (Utc::now() - TimeDelta::minutes(10)).to_rfc3339().into();
        fs::write(&status, document.to_string()).unwrap();
        "stale"
    } else {
        run.end().unwrap();
        "completed"
    };
    session.wait_for("the notice", |screen| screen.rows(0, 80).nth(22).is_some_and(|row| row.contains(word)));
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    String::from_utf8_lossy(&session.bytes()[before.len()..]).into_owned()
}

#[test]
fn the_end_of_a_run_is_noted_and_signalled_if_the_settings_ask_for_it() {
    let signals = |sent: &str| (sent.matches('\x07').count(), sent.matches("\x1b]99;;mammoscope: ").count());
    for (settings, variables, expected) in [
        ("", &[][..], (0, 0)),
        ("notifications = \"off\"\n", &[], (0, 0)),
        ("notifications = \"bell\"\n", &[], (1, 0)),
        ("notifications = \"terminal\"\n", &[("KITTY_WINDOW_ID", "1")], (0, 1)),
        // A terminal of which no notification is known.
        ("notifications = \"terminal\"\n", &[], (1, 0)),
    ] {
        let sent = sent_at_an_end(settings, variables, false);
        assert_eq!(signals(&sent), expected, "{settings} {variables:?}");
    }
}

#[test]
fn a_run_that_goes_stale_is_signalled_once() {
    let sent = sent_at_an_end("notifications = \"bell\"\n", &[], true);
    assert_eq!(sent.matches('\x07').count(), 1);
}
