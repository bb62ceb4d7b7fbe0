//! The user's command at events of a run, by real trainers.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_test_support::faults::{ENOSPC, Faults};
use mammoscope_test_support::training_fixture::{TrainingFixture, status, summary, wait_for_end};
use mammoscope_test_support::{stderr_of, wait_for};
use serde_json::Value;

fn documents(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_command_gets_waits_and_ends_as_json() {
    let Some(faults) = Faults::new() else { return };
    let fixture = TrainingFixture::new();
    let received = fixture.folder.path().join("received.jsonl");
    let command = format!("cat >> '{}'", received.display());
    let mut train = fixture.train_command(&["epochs=100000"], &["--detach", "--on-event", &command]);
    faults.preload(&mut train);
    let output = train.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = fixture.run();
    wait_for("the first epochs", || (summary(&run).epoch > 2).then_some(()));
    faults.refuse(&[(ENOSPC, "last.safetensors")]);
    wait_for("the pause", || (status(&run).state == RunPhase::Paused).then_some(()));
    let reason = status(&run).reason.unwrap();
    assert!(
        reason.contains("No space left on device") && reason.contains("last.safetensors cannot be written"),
        "{reason}"
    );
    faults.relent();
    wait_for("the continuation", || (status(&run).state == RunPhase::Running).then_some(()));
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let of = |event: &str| {
        let found = |document: &Value| document["event"] == event;
        wait_for("the command's input", || documents(&received).into_iter().find(found))
    };
    assert_eq!(of("waiting")["reason"], Value::from(reason));
    let ended = of("ended");
    assert_eq!((&ended["state"], &ended["reason"]), (&Value::from("stopped"), &Value::from("on request")));
    assert_eq!((&ended["run"], &ended["view"]), (&Value::from(run.name()), &Value::from("CC_R")));
    let events: Vec<_> = documents(&received).iter().map(|document| document["event"].clone()).collect();
    assert_eq!(events, ["waiting", "continued", "ended"]);
}

#[test]
fn commands_that_fail_or_hang_do_not_hurt_the_training() {
    let fixture = TrainingFixture::new();
    for command in ["exit 3", "sleep 600", "/no/such/program", "kill -9 $$"] {
        let output = fixture.train_command(&["epochs=1"], &["--follow", "--on-event", command]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr_of(&output));
    }
}

#[test]
fn the_workspace_may_have_a_command_for_all_of_its_runs_if_it_is_the_users_own() {
    let fixture = TrainingFixture::new();
    let received = fixture.folder.path().join("received.jsonl");
    fs::create_dir_all(&fixture.workspace).unwrap();
    let config = fixture.workspace.join("config.toml");
    fs::write(&config, format!("on_event = \"cat >> '{}'\"\n", received.display())).unwrap();
    // Others may write to it: what it says could be anyone's.
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).unwrap();
    let run = fixture.train_successfully(&["epochs=1"]);
    let warnings = summary(&run).warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("others may write to it")), "{warnings:?}");
    assert!(documents(&received).is_empty());

    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let output = fixture.resume(&run, &["--epochs", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let ended = wait_for("the command's input", || documents(&received).pop());
    assert_eq!((&ended["event"], &ended["state"]), (&Value::from("ended"), &Value::from("completed")));

    fs::write(&config, "on_events = 1\n").unwrap();
    let output = fixture.resume(&run, &["--epochs", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let warnings = summary(&run).warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("on_events")), "{warnings:?}");
}
