//! Terminals that are lost while a trainer works: it does not notice.
//!
//! The long series: `cargo test --test training lost_terminals -- --ignored --nocapture`.
#![cfg(target_os = "linux")]

use std::path::PathBuf;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::pty_session::PtySession;
use mammoscope_test_support::training_fixture::{TrainingFixture, status, summary, wait_for_end};
use mammoscope_test_support::{engine, has_ended, names_in, wait_for};
use rustix::process::{Pid, Signal, kill_process};

use crate::completeness::Outcome;

const SIZE: (u16, u16) = (120, 40);
const SETTINGS: &[&str] = &["early_stop=0"];

/// Loses the terminal of a program, in one of three ways in turn.
fn lose(mut session: PtySession, way: u32) {
    let signal = |signal| kill_process(Pid::from_raw(session.pid()).unwrap(), signal).unwrap();
    match way % 3 {
        0 => signal(Signal::HUP),
        1 => session.close_terminal(),
        _ => signal(Signal::KILL),
    }
    session.wait_for_end();
}

/// Starts a training that is followed in a terminal of its own.
fn follow_new_training(fixture: &TrainingFixture) -> (PtySession, RunDir) {
    let command = fixture.train_command(&[SETTINGS, &["epochs=100000"]].concat(), &["--follow"]);
    let arguments: Vec<&str> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
    let engine = engine();
    let variables = [("MAMMOSCOPE_ENGINE", engine.to_str().unwrap())];
    let program = PathBuf::from(command.get_program());
    let session = PtySession::start_program(&program, &arguments, &variables, fixture.folder.path(), SIZE);
    let runs = fixture.workspace.join("runs");
    let run = wait_for("the run", || Some(RunDir::new(runs.join(names_in(&runs).first()?))));
    wait_for("the first epochs", || (run.events().exists() && summary(&run).epoch > 1).then_some(()));
    (session, run)
}

/// Loses terminals and asserts that the trainer works on, to the same end as without.
fn assert_unnoticed(losses: u32) {
    let fixture = TrainingFixture::new();
    let (follower, run) = follow_new_training(&fixture);
    let pid = status(&run).pid.unwrap();
    // The terminal that the training was started from.
    lose(follower, 1);
    let workspace = fixture.workspace.to_str().unwrap();
    for way in 1..losses {
        let before = status(&run).step;
        let workbench = PtySession::start(&["attach", "--workspace", workspace], fixture.folder.path(), SIZE);
        workbench.wait_for_text("running ·");
        lose(workbench, way);
        wait_for("further steps", || (status(&run).step > before).then_some(()));
        assert_eq!((status(&run).pid, has_ended(pid)), (Some(pid), false), "after loss {way}");
    }
    fixture.control(&run, "stop-after-epoch");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let epochs = summary(&run).records.len().to_string();
    let output = fixture.resume(&run, &["--epochs", &epochs]);
    assert_eq!(output.status.code(), Some(0));
    let undisturbed = TrainingFixture::new();
    let whole = undisturbed.train_successfully(&[SETTINGS, &[&format!("epochs={epochs}")]].concat());
    Outcome::of(&whole).assert_same(&run);
    println!("{losses} terminals lost in {epochs} epochs: the same bytes");
}

#[test]
fn a_trainer_does_not_notice_lost_terminals() {
    assert_unnoticed(6);
}

#[test]
#[ignore = "takes minutes: cargo test --test training lost_terminals -- --ignored --nocapture"]
fn a_trainer_does_not_notice_fifty_lost_terminals() {
    assert_unnoticed(50);
}
