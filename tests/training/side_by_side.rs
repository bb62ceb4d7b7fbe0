//! Runs side by side by the real binaries: they train at once, write what they would write alone, and resume as they
//! were started.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use chrono::{DateTime, Utc};
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{read_run_spec, write_run_spec};
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::trainer_fixture::{TrainerFixture, WatchedRun, send, wait_exit};
use mammoscope_test_support::{skipped, stderr_of};
use rustix::process::{Pid, Signal};

const SUBJECTS: u32 = 24;

fn spec(run: &WatchedRun) -> RunSpec {
    read_run_spec(&run.dir.spec()).unwrap()
}

/// The times of the first event for which `wanted` is true and of the last event.
fn interval(run: &RunDir, wanted: impl Fn(&RunEventKind) -> bool) -> (DateTime<Utc>, DateTime<Utc>) {
    let mut events = Vec::new();
    EventTail::new(&run.events())
        .read(|entry| match entry {
            TailEntry::Event(event) => events.push(event),
            other => panic!("{other:?}"),
        })
        .unwrap();
    let first = events.iter().find(|event| wanted(&event.kind)).unwrap().time;
    (first, events.last().unwrap().time)
}

fn assert_complete(run: &mut WatchedRun) {
    assert_eq!(run.wait_ended().0, RunPhase::Completed, "{}", run.log());
}

/// The threads of the last preparation.
fn threads(run: &WatchedRun) -> usize {
    run.summary().setup.unwrap().threads
}

#[test]
fn two_runs_train_at_once_and_write_the_same_as_one_after_the_other() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let settings = "epochs=6,threads=1";
    let mut pair = fixture.train_side_by_side("CC_R,MLO_L", "2", settings);
    let trainers: Vec<Pid> = pair.iter_mut().map(WatchedRun::wait_started).collect();
    assert_ne!(trainers[0], trainers[1]);
    pair.iter_mut().for_each(assert_complete);
    let trained = |run: &WatchedRun| interval(&run.dir, |kind| matches!(kind, RunEventKind::Started(_)));
    let (one, other) = (trained(&pair[0]), trained(&pair[1]));
    assert!(one.0 < other.1 && other.0 < one.1, "{one:?} {other:?}");
    for run in &pair {
        let spec = spec(run);
        let placement = spec.placement.unwrap();
        assert_eq!((placement.jobs, placement.threads, spec.config.threads), (2, 1, 1));
        assert!(placement.timed.is_empty(), "nothing was left to choose");
        assert_eq!(threads(run), 1);
    }
    for trainer in trainers {
        assert_eq!(wait_exit(trainer), Ok(0));
    }

    let mut in_turn = fixture.train_side_by_side("CC_R,MLO_L", "1", settings);
    let trainer = in_turn[0].wait_started();
    in_turn.iter_mut().for_each(assert_complete);
    assert_eq!(wait_exit(trainer), Ok(0));
    for (side_by_side, alone) in pair.iter().zip(&in_turn) {
        assert_eq!(spec(side_by_side).view, spec(alone).view);
        assert!(side_by_side.data_section() == alone.data_section(), "{}", spec(alone).view);
    }
}

#[test]
fn a_group_resumes_side_by_side_with_the_chosen_threads() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut runs = fixture.train_side_by_side("CC_R,CC_L,MLO_R", "2", "epochs=40");
    let (first, second) = (runs[0].wait_started(), runs[1].wait_started());
    for trainer in [first, second] {
        send(trainer, Signal::TERM);
        assert_eq!(wait_exit(trainer), Ok(0));
    }
    let chosen = spec(&runs[0]);
    let placement = chosen.placement.unwrap();
    assert_eq!((placement.jobs, placement.threads), (2, chosen.config.threads));
    assert!(chosen.config.threads > 0, "the number is written down");

    // One more than any of them has done.
    let done = runs.iter().map(|run| read_status(&run.dir.status()).unwrap().epoch).max().unwrap();
    fixture.output(&["resume", &chosen.group, "--detach", "--epochs", &(done + 1).to_string()]);
    let (first, second) = (runs[0].wait_started(), runs[1].wait_started());
    assert_ne!(first, second);
    // This one was interrupted while it was queued, which ended it as well.
    let third = runs[2].wait_started();
    assert!([first, second].contains(&third));
    for run in &mut runs {
        assert_complete(run);
        assert_eq!(threads(run), chosen.config.threads);
    }
    for trainer in [first, second] {
        assert_eq!(wait_exit(trainer), Ok(0));
    }
}

#[test]
fn what_is_fastest_is_timed_chosen_and_recorded() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut command = fixture.placed_command("CC_R,CC_L", "auto", "epochs=1");
    let output = command.args(["--device", "cpu", "--follow"]).output().unwrap();
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let runs = fixture.runs();
    let placement = spec(&runs[0]).placement.unwrap();
    let line = placement.to_string();
    let cores = std::thread::available_parallelism().unwrap().get();
    if cores == 1 {
        return skipped("there is one core: nothing is left to choose");
    }
    assert!(stderr.lines().any(|printed| printed == line) && line.contains(" images/s ("), "{line} in {stderr}");
    assert!(placement.timed.len() >= 3, "{placement:?}");
    assert!(placement.timed.iter().all(|timed| timed.images_per_s > 0.0 && timed.jobs * timed.threads <= cores));
    assert!(placement.timed.iter().any(|timed| timed.jobs == 2));
    for run in &runs {
        let spec = spec(run);
        assert_eq!((spec.placement.as_ref(), spec.config.threads), (Some(&placement), placement.threads));
        assert_eq!(threads(run), placement.threads);
    }
}

#[test]
fn a_run_without_a_number_of_threads_resumes_with_the_one_it_had() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut run = fixture.train_side_by_side("CC_R", "1", "epochs=1,threads=3").remove(0);
    let trainer = run.wait_started();
    assert_complete(&mut run);
    assert_eq!(wait_exit(trainer), Ok(0));
    // As an earlier version wrote it.
    let mut older = spec(&run);
    (older.placement, older.config.threads) = (None, 0);
    write_run_spec(&run.dir.spec(), &older).unwrap();
    fixture.output(&["resume", &run.dir.name(), "--detach", "--epochs", "2"]);
    run.wait_started();
    assert_complete(&mut run);
    assert_eq!(threads(&run), 3);
}

#[test]
fn an_interrupted_timing_leaves_nothing() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut command = fixture.placed_command("CC_R,CC_L", "auto", "epochs=1");
    command.args(["--device", "cpu", "--detach"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("timing ") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "nothing is timed");
    }
    send(Pid::from_child(&child), Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(fixture.runs().is_empty());
}
