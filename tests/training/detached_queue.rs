//! Trainers and their queues as real processes: they outlive the process that started them, act on requests and
//! signals, and leave every run so that it can be resumed.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Stdio};

use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_test_support::trainer_fixture::{EVERY_STEP, TrainerFixture, WatchedRun, send, wait_exit};
use mammoscope_test_support::wait_for;
use rustix::process::{Pid, Signal};

const SUBJECTS: u32 = 24;
const STEPS_PER_EPOCH: u64 = 4;

fn phase(dir: &RunDir) -> RunPhase {
    read_status(&dir.status()).unwrap().state
}

fn wait_epoch_started(run: &mut WatchedRun) {
    run.wait("an epoch", |kind| matches!(kind, RunEventKind::EpochStarted { .. }).then_some(()));
}

fn is_started(run: &WatchedRun) -> bool {
    run.events().iter().any(|kind| matches!(kind, RunEventKind::Started(_)))
}

/// The step in the output of `mammoscope control`.
fn acknowledged_step(answer: &str) -> u64 {
    let step = answer.trim_end().rsplit_once(" → acknowledged at step ").map(|(_, step)| step);
    step.and_then(|step| step.parse().ok()).unwrap_or_else(|| panic!("no acknowledgement: {answer}"))
}

/// Starts to train all views, with `--follow` or `--detach`.
fn start_all_views(fixture: &TrainerFixture, manner: &str) -> Child {
    let mut command = fixture.train_command("all", "cpu", "epochs=2");
    command.arg(manner).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The runs of all views and the process that trains them, once the first has started.
fn started_runs(fixture: &TrainerFixture) -> (Vec<WatchedRun>, Pid) {
    let mut runs = wait_for("the first of four runs", || {
        let runs = fixture.runs();
        (runs.len() == 4 && runs.iter().any(is_started)).then_some(runs)
    });
    let first = runs.iter().position(is_started).unwrap();
    let trainer = runs[first].wait_started();
    (fixture.runs(), trainer)
}

fn assert_all_complete(runs: &mut [WatchedRun], trainer: Pid) {
    for run in runs {
        assert_eq!(run.wait_started(), trainer);
        assert_eq!(run.wait_ended().0, RunPhase::Completed, "{}", run.log());
    }
    assert_eq!(wait_exit(trainer), Ok(0));
}

#[test]
fn trainers_survive_the_loss_of_their_starter_and_terminal() {
    for manner in ["--follow", "--detach"] {
        let fixture = TrainerFixture::new(SUBJECTS);
        let mut starter = start_all_views(&fixture, manner);
        let (mut runs, trainer) = started_runs(&fixture);
        // With --detach it may already have ended.
        let _ = starter.kill();
        starter.wait().unwrap();
        send(trainer, Signal::HUP);
        // Queued runs belong to the trainer, not to the process that started it.
        for waiting in runs.iter().filter(|run| !is_started(run)) {
            let status = read_status(&waiting.dir.status()).unwrap();
            assert_eq!(status.pid, Some(trainer.as_raw_pid().unsigned_abs()), "{manner}");
        }
        assert_all_complete(&mut runs, trainer);
    }
}

#[test]
fn requests_are_acknowledged_with_their_step() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut run = fixture.train("CC_R", "epochs=1000").remove(0);
    let name = run.dir.name();
    let trainer = run.wait_started();
    wait_epoch_started(&mut run);
    let ask = |verb: &str| acknowledged_step(&fixture.output(&["control", &name, verb]));

    let step = ask("pause");
    assert_eq!(phase(&run.dir), RunPhase::Paused);
    assert_eq!(ask("checkpoint"), step, "nothing is trained while paused");
    let checkpoint = Checkpoint::read(&run.dir.last_checkpoint()).unwrap();
    assert_eq!(checkpoint.counters("state/progress").unwrap()[0], step as i64);
    assert_eq!(ask("pause"), step, "a second pause changes nothing");
    assert_eq!(ask("continue"), step);
    let asked = ask("stop-after-epoch");
    let (ended_as, last) = run.wait_ended();
    assert_eq!((ended_as, last % STEPS_PER_EPOCH), (RunPhase::Stopped, 0));
    assert!(last >= asked && last - asked <= STEPS_PER_EPOCH, "asked at {asked}, stopped at {last}");
    assert_eq!(wait_exit(trainer), Ok(0));
    assert_eq!(fs::read_dir(run.dir.requests()).unwrap().count(), 0, "acknowledged requests are removed");

    // More epochs than were completed, fewer than were requested.
    let epochs = last / STEPS_PER_EPOCH + 1;
    fixture.output(&["resume", &name, "--detach", "--epochs", &epochs.to_string()]);
    assert_eq!(run.wait_ended(), (RunPhase::Completed, epochs * STEPS_PER_EPOCH), "{}", run.log());
}

#[test]
fn stop_after_epoch_continues_a_paused_run_to_the_end_of_its_epoch() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut run = fixture.train("CC_R", "epochs=100000").remove(0);
    let name = run.dir.name();
    let trainer = run.wait_started();
    wait_epoch_started(&mut run);
    let paused = acknowledged_step(&fixture.output(&["control", &name, "pause"]));
    assert_eq!(acknowledged_step(&fixture.output(&["control", &name, "stop-after-epoch"])), paused);
    let (ended_as, last) = run.wait_ended();
    assert_eq!((ended_as, last % STEPS_PER_EPOCH), (RunPhase::Stopped, 0));
    assert!(last >= paused && last - paused <= STEPS_PER_EPOCH, "paused at {paused}, stopped at {last}");
    assert!(run.events().contains(&RunEventKind::Continued { step: paused }));
    assert_eq!(wait_exit(trainer), Ok(0));
}

#[test]
fn a_queued_run_can_be_stopped() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut runs = fixture.train("CC_R,CC_L,MLO_R", "epochs=2");
    let names: Vec<String> = runs.iter().map(|run| run.dir.name()).collect();
    let trainer = runs[0].wait_started();
    let paused = acknowledged_step(&fixture.output(&["control", &names[0], "pause"]));

    let answer = fixture.output(&["control", &names[1], "stop"]);
    assert_eq!(acknowledged_step(&answer), 0, "{answer}");
    // The status is written after the event that the answer was read from.
    wait_for("the status", || (phase(&runs[1].dir) == RunPhase::Stopped).then_some(()));
    assert_eq!(phase(&runs[2].dir), RunPhase::Queued);
    assert_eq!(acknowledged_step(&fixture.output(&["control", &names[0], "continue"])), paused);
    for place in [0, 2] {
        assert_eq!(runs[place].wait_ended().0, RunPhase::Completed, "{}", runs[place].log());
    }
    assert_eq!(wait_exit(trainer), Ok(0));
    assert!(!is_started(&runs[1]), "it is never started");

    fixture.output(&["resume", &names[1], "--detach"]);
    runs[1].wait_started();
    assert_eq!(runs[1].wait_ended().0, RunPhase::Completed, "{}", runs[1].log());
}

#[test]
fn sigterm_interrupts_the_current_and_the_queued_runs() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut runs = fixture.train("CC_R,CC_L,MLO_R", "epochs=3");
    let trainer = runs[0].wait_started();
    wait_epoch_started(&mut runs[0]);
    send(trainer, Signal::TERM);
    assert_eq!(wait_exit(trainer), Ok(0));
    for run in &runs {
        assert_eq!(phase(&run.dir), RunPhase::Interrupted, "{}", run.log());
    }
    let (_, step) = runs[0].wait_ended();
    let checkpoint = Checkpoint::read(&runs[0].dir.last_checkpoint()).unwrap();
    assert_eq!(checkpoint.counters("state/progress").unwrap()[0], step as i64);
    assert!(!runs[1].dir.last_checkpoint().exists());

    let group = read_run_spec(&runs[0].dir.spec()).unwrap().group;
    fixture.output(&["resume", &group, "--detach"]);
    let again = runs[0].wait_started();
    // A run that was interrupted while queued has ended without having started.
    for run in &mut runs[1..] {
        assert_eq!(run.wait_started(), again);
    }
    for run in &mut runs {
        assert_eq!(run.wait_ended(), (RunPhase::Completed, 3 * STEPS_PER_EPOCH), "{}", run.log());
    }
    assert_eq!(wait_exit(again), Ok(0));
}

#[test]
fn a_second_signal_ends_at_once_and_keeps_the_last_checkpoint() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let mut run = fixture.train("CC_R", &format!("epochs=3,{EVERY_STEP}")).remove(0);
    let name = run.dir.name();
    let trainer = run.wait_started();
    run.wait_checkpoint(2);
    // While the run is paused, the file is complete and does not change.
    fixture.output(&["control", &name, "pause"]);
    let before = fs::read(run.dir.last_checkpoint()).unwrap();
    // Both arrive at once: after the first alone it might have ended before the second.
    for signal in [Signal::STOP, Signal::TERM, Signal::INT, Signal::CONT] {
        send(trainer, signal);
    }
    assert_eq!(wait_exit(trainer), Ok(130));
    assert!(fs::read(run.dir.last_checkpoint()).unwrap() == before);
    assert!(fixture.output(&["status", &name]).contains("stale"), "no process was left to record the end");
    // A request to a trainer that died before it read it does not stop the next one.
    RunRequest::new(RequestVerb::Stop).write(&run.dir).unwrap();

    fixture.output(&["resume", &name, "--detach"]);
    run.wait_started();
    assert_eq!(run.wait_ended(), (RunPhase::Completed, 3 * STEPS_PER_EPOCH), "{}", run.log());
}
