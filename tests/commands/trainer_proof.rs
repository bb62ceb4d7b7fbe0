//! The proof of a trainer: a heartbeat that moves, and the lock of the run before anything is killed.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::view::View;
use mammoscope_runs::ending::{ForcedEnd, kill_trainer, mark_ended};
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::run_fixture::{RunFixture, idle_process, lock_holding_process, set_status};
use mammoscope_test_support::{names_in, skipped};

#[test]
fn a_heartbeat_from_a_clock_that_is_ahead_is_life_only_while_it_moves() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    let beat = || {
        let heartbeat = Utc::now() + TimeDelta::hours(1);
        set_status(&run, |status| (status.host, status.heartbeat) = (Some("another host".to_owned()), heartbeat));
    };
    beat();
    let condition = || {
        let document = fixture.json(&["status", &run.name(), "--json"]);
        document["condition"].as_str().unwrap().to_owned()
    };
    let still = condition();
    assert!(still.starts_with("stale · ") && still.contains("no heartbeat, its clock is "), "{still}");
    let has_ended = AtomicBool::new(false);
    let moving = thread::scope(|scope| {
        scope.spawn(|| {
            while !has_ended.load(Ordering::Relaxed) {
                beat();
                thread::sleep(Duration::from_millis(300));
            }
        });
        let condition = condition();
        has_ended.store(true, Ordering::Relaxed);
        condition
    });
    assert!(moving.starts_with("running · just now, its clock is "), "{moving}");
}

#[test]
fn a_trainer_is_killed_and_its_run_marked_as_ended() {
    let fixture = RunFixture::new();
    let run = fixture.running(View::CcR, "one");
    let problem = mark_ended(&run).unwrap_err().to_string();
    assert!(problem.contains("nothing to mark"), "{problem}");
    let Some(mut trainer) = lock_holding_process(&run) else { return skipped("flock is not installed") };
    set_status(&run, |status| status.pid = Some(trainer.id()));
    assert_eq!(kill_trainer(&run).unwrap(), ForcedEnd::Killed(trainer.id()));
    assert!(!trainer.wait().unwrap().success());
    let problem = kill_trainer(&run).unwrap_err().to_string();
    assert!(problem.contains("its lock is free"), "{problem}");

    assert_eq!(fixture.json(&["status", &run.name(), "--json"])["state"], "stale");
    mark_ended(&run).unwrap();
    let status = read_status(&run.status()).unwrap();
    assert_eq!(status.state, RunPhase::Interrupted);
    assert_eq!(status.reason.as_deref(), Some("marked as ended: its process was gone"));
    let snapshot = RunSnapshot::read(run.clone());
    assert_eq!(snapshot.summary().phase, RunPhase::Interrupted, "the events say so too");
}

#[test]
fn only_a_process_that_is_proved_to_be_the_trainer_is_killed() {
    let fixture = RunFixture::new();
    // The status names a stranger: the number is that of another PID namespace, or of a copied run's original.
    let run = fixture.running(View::CcR, "one");
    let mut stranger = idle_process();
    set_status(&run, |status| status.pid = Some(stranger.id()));
    let problem = kill_trainer(&run).unwrap_err().to_string();
    assert!(problem.contains("no trainer holds it"), "{problem}");
    // The trainer is found by its lock, whatever number the status has.
    if let Some(mut trainer) = lock_holding_process(&run) {
        assert_eq!(kill_trainer(&run).unwrap(), ForcedEnd::Killed(trainer.id()));
        trainer.wait().unwrap();
    } else {
        skipped("flock is not installed");
    }
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    // Where the holder of the lock cannot be seen, here since it is this process, the trainer is asked.
    let other = fixture.running(View::CcL, "one");
    set_status(&other, |status| (status.pid, status.host) = (Some(stranger.id()), Some("another host".to_owned())));
    let _held = RunLock::acquire(&other).unwrap();
    let asked = kill_trainer(&other).unwrap().to_string();
    assert!(asked.contains("on another host, can only be killed there; it was asked to stop instead"), "{asked}");
    assert_eq!(names_in(&other.requests()).len(), 1);
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
