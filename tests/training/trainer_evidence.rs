//! Who is alive: trainers in containers, copies of runs, other clocks and file systems without locks, by real processes.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::faults::{ENOSYS, Faults, copy_folder};
use mammoscope_test_support::training_fixture::{TrainingFixture, status, summary, wait_for_end};
use mammoscope_test_support::{engine, has_ended, mammoscope, skipped, stderr_of, wait_for};

fn stdout_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The state of the only run in the list of runs.
fn listed(fixture: &TrainingFixture) -> String {
    stdout_of(&fixture.output(&["runs"])).lines().last().unwrap_or_default().to_owned()
}

fn wait_for_epoch(run: &RunDir, epoch: u32) {
    wait_for("an epoch", || (summary(run).epoch >= epoch).then_some(()));
}

#[test]
fn a_trainer_in_a_container_is_seen_by_its_lock_and_obeys_from_outside() {
    let fixture = TrainingFixture::new();
    let train = fixture.train_command(&["epochs=100000"], &["--detach"]);
    // A PID namespace of its own, in which the trainer has a number that means nothing outside.
    let mut container = Command::new("unshare");
    container.args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", "\"$@\"; sleep 600", "sh"]);
    container.arg(train.get_program()).args(train.get_args());
    for (name, value) in train.get_envs() {
        container.env(name, value.unwrap_or_default());
    }
    let can = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).output();
    if !can.is_ok_and(|output| output.status.success()) {
        return skipped("containers: namespaces are not permitted here");
    }
    let mut container = container.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0).spawn().unwrap();
    let run = wait_for("the run", || {
        let folder = fs::read_dir(fixture.workspace.join("runs")).ok()?.flatten().next()?;
        Some(RunDir::new(folder.path()))
    });
    wait_for("the first epochs", || run.events().exists().then(|| summary(&run).epoch > 1)?.then_some(()));
    let inside = status(&run).pid.unwrap();
    assert!(inside < 1000, "the number is that of the container: {inside}");
    let line = listed(&fixture);
    assert!(line.contains("running · "), "{line}");
    let resumed = fixture.output(&["resume", &run.name(), "--detach"]);
    assert_eq!(resumed.status.code(), Some(1), "{}", stderr_of(&resumed));
    assert!(stderr_of(&resumed).contains("another trainer"), "{}", stderr_of(&resumed));
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    let _ = container.kill();
    let _ = container.wait();
}

#[test]
fn the_copy_of_a_run_at_work_belongs_to_no_trainer() {
    let fixture = TrainingFixture::new();
    let run = fixture.start(&["epochs=100000"]);
    wait_for_epoch(&run, 2);
    let other = fixture.folder.path().join("other");
    fs::create_dir_all(other.join("runs")).unwrap();
    copy_folder(run.path(), &other.join("runs/backup"));
    let copy = RunDir::new(other.join("runs/backup"));
    let on_copy = |arguments: &[&str]| {
        let mut command = mammoscope();
        command.env("MAMMOSCOPE_ENGINE", engine()).arg("--workspace").arg(&other).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    };

    let table = stdout_of(&on_copy(&["runs"]));
    assert!(table.contains("no trainer holds it"), "{table}");
    let paused = on_copy(&["control", "backup", "pause"]);
    assert_eq!(paused.status.code(), Some(1));
    assert!(stderr_of(&paused).contains("no trainer"), "{}", stderr_of(&paused));
    assert_eq!(fs::read_dir(copy.requests()).unwrap().count(), 0, "nothing was asked of a trainer that is none");

    // It can be resumed, and then has a trainer of its own, while the original trains on.
    let pid = status(&run).pid.unwrap();
    let resumed = on_copy(&["resume", "backup", "--detach"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr_of(&resumed));
    assert_ne!(status(&copy).pid.unwrap(), pid);
    let step = status(&run).step;
    assert_eq!(on_copy(&["control", "backup", "stop"]).status.code(), Some(0));
    assert_eq!(wait_for_end(&copy), RunPhase::Stopped);
    wait_for("further steps of the original", || (status(&run).step > step).then_some(()));
    assert!(!has_ended(pid));
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
}

#[test]
fn without_locks_a_lease_keeps_a_second_trainer_away_and_the_heartbeat_shows_the_first() {
    let Some(faults) = Faults::new() else { return };
    let fixture = TrainingFixture::new();
    let without_locks = |mut command: Command| {
        faults.preload(&mut command);
        command.env("FAULT_LOCKS", ENOSYS.to_string());
        command
    };
    // Its clock is two hours ahead, as where a time zone was set wrongly.
    faults.shift_clock(7200);
    let output = without_locks(fixture.train_command(&["epochs=100000"], &["--detach"])).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = fixture.run();
    wait_for_epoch(&run, 2);
    assert!(run.lease().exists());
    let warnings = summary(&run).warnings;
    assert!(warnings.iter().any(|warning| warning.message.contains("has no locks")), "{warnings:?}");
    let reading = |arguments: &[&str]| {
        let mut command = fixture.command(arguments);
        faults.preload(&mut command);
        command.env_remove("FAULT_CLOCK").env("FAULT_LOCKS", ENOSYS.to_string()).output().unwrap()
    };
    let table = stdout_of(&reading(&["runs"]));
    assert!(table.contains("running · ") && table.contains("its clock is"), "{table}");
    let resumed = reading(&["resume", &run.name(), "--detach"]);
    assert_eq!(resumed.status.code(), Some(1), "{}", stderr_of(&resumed));
    assert!(stderr_of(&resumed).contains("another trainer"), "{}", stderr_of(&resumed));

    // Killed, it leaves a heartbeat in the future that does not move.
    let pid = status(&run).pid.unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    wait_for("its end", || has_ended(pid).then_some(()));
    thread::sleep(Duration::from_millis(10));
    let table = stdout_of(&reading(&["runs"]));
    assert!(table.contains("stale · ") && table.contains("no heartbeat"), "{table}");
    let resumed = without_locks(fixture.command(&["resume", &run.name(), "--detach"])).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr_of(&resumed));
    fixture.control(&run, "stop");
    assert_eq!(wait_for_end(&run), RunPhase::Stopped);
    wait_for("its lease to be given back", || (!run.lease().exists()).then_some(()));
}

#[test]
fn the_queued_runs_of_a_killed_trainer_are_stale_at_once() {
    let fixture = TrainingFixture::new();
    let output =
        fixture.train_command(&["epochs=100000"], &["--detach", "--seeds", "2", "--jobs", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let runs: Vec<RunDir> = stdout_of(&output).lines().map(RunDir::new).collect();
    let [first, second] = runs.as_slice() else { panic!("{}", stdout_of(&output)) };
    let shown = |run: &RunDir| stdout_of(&fixture.output(&["status", &run.name()]));
    assert!(shown(second).contains("queued · "), "{}", shown(second));
    let pid = status(first).pid.unwrap();
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    wait_for("its end", || has_ended(pid).then_some(()));
    for run in [first, second] {
        assert!(shown(run).contains("stale · "), "{}", shown(run));
    }
    let resumed = fixture.output(&["resume", &second.name(), "--detach"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr_of(&resumed));
    fixture.control(second, "stop");
    assert_eq!(wait_for_end(second), RunPhase::Stopped);
}
