//! What `y` puts on the clipboard of the terminal, and of tmux.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use mammoscope_storage::runs::run_catalog::list_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};
use mammoscope_test_support::program;
use mammoscope_test_support::pty_session::PtySession;

fn trained_run(folder: &Path) -> RunDir {
    let workspace = Workspace::open(Some(&folder.join("ws"))).unwrap();
    let history = SyntheticHistory { epochs: 2, steps_per_epoch: 10, seed: 1, study: None };
    let mut run = SyntheticRun::create(&workspace, history, Utc::now()).unwrap();
    while run.advance().unwrap() {}
    run.end().unwrap();
    list_runs(&workspace).unwrap()[0].run.clone()
}

/// The last text that was sent to the clipboard.
fn copied(session: &PtySession) -> String {
    session.wait_for_bytes(b"\x1b]52;c;");
    let sent = String::from_utf8_lossy(&session.bytes()).into_owned();
    let encoded = sent.rsplit("\x1b]52;c;").next().unwrap().split('\x07').next().unwrap().to_owned();
    String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn the_run_under_the_cursor_and_a_line_of_its_log_are_copied() {
    let folder = tempfile::tempdir().unwrap();
    let run = trained_run(folder.path());
    fs::write(run.log(), "2026-11-30T00:14:28.434Z  INFO a line of the log\n").unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (120, 40));
    session.send(b"3");
    session.wait_for_text("1 of 1");
    session.send(b"y");
    session.wait_for_text("copied ");
    assert_eq!(copied(&session), run.path().to_str().unwrap());
    session.send(b"?");
    session.wait_for_text("copy the path of the run");
    session.send(b"\x1b");
    session.wait_for("the help closed", |screen| !screen.contents().contains("Keys on this screen"));
    session.send(b"if");
    session.wait_for_text("a line of the log");
    session.send(b"y");
    session.wait_for_text("copied a line of the log");
    assert_eq!(copied(&session), "a line of the log");
    session.send(b"\x03");
    assert!(session.wait_for_end().0.success());
}

#[test]
fn the_command_line_of_a_training_is_one_that_the_program_takes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("no such data");
    let workspace = Workspace::open(Some(&folder.path().join("ws"))).unwrap();
    let train = serde_json::json!({ "data": data, "views": ["CC_R"], "preset": "quick", "changes": { "epochs": "3" } });
    let view = serde_json::json!({ "screen": "train", "train": train });
    fs::write(workspace.path().join("view.json"), view.to_string()).unwrap();
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), (120, 40));
    session.wait_for_text("[2 Train]");
    session.send(b"y");
    session.wait_for_text("copied mammoscope train");
    let command = copied(&session);
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    assert!(command.contains("--view CC_R --preset quick --set epochs=3"), "{command}");
    let program = program();
    let path = std::env::join_paths([program.parent().unwrap(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let run = Command::new("sh").args(["-c", &command]).env("PATH", path).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("no such data"), "only the data is missing: {said}");
}

/// tmux on a socket of its own; its server ends with the value.
struct Tmux(String);

impl Tmux {
    fn run(&self, words: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.0, "-f", "/dev/null"]).args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait_for(&self, words: &[&str], wanted: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let shown = self.run(words);
            if shown.contains(wanted) {
                return;
            }
            assert!(Instant::now() < end, "{wanted} did not appear:\n{shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[test]
fn in_tmux_its_own_buffer_has_the_text() {
    if Command::new("tmux").arg("-V").output().is_err() {
        mammoscope_test_support::skipped("tmux is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = trained_run(folder.path());
    let tmux = Tmux(format!("mammoscope-test-{}", std::process::id()));
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/test-support/home");
    let command = format!(
        "cd '{}' && XDG_STATE_HOME='{}' XDG_CONFIG_HOME='{}' '{}' attach --workspace ws",
        folder.path().display(),
        home.join("state").display(),
        home.join("config").display(),
        program().display()
    );
    tmux.run(&["new-session", "-d", "-x", "120", "-y", "40", &command]);
    tmux.wait_for(&["capture-pane", "-p"], "1 of 1");
    // As tmux is by default, it does not take what a program sends.
    assert_eq!(tmux.run(&["show-options", "-gsv", "set-clipboard"]).trim(), "external");
    tmux.run(&["send-keys", "y"]);
    tmux.wait_for(&["capture-pane", "-p"], "copied ");
    tmux.wait_for(&["show-buffer"], run.path().to_str().unwrap());
    tmux.run(&["send-keys", "q"]);
}
