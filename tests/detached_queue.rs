//! Trainers and their queues, as real processes: they outlive who started them, hear requests and signals, and leave
//! every run so that it can be resumed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::process::{Child, Stdio};

use mammoscope_domain::run::run_event::{RequestVerb, RunEventKind};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;
use rustix::process::{Pid, Signal};
use support::trainer_stage::{EVERY_STEP, TrainerStage, Training, send, wait_exit};
use support::wait_for;

const SUBJECTS: u32 = 24;
const STEPS_PER_EPOCH: u64 = 4;

fn phase(run: &RunDir) -> RunPhase {
    read_status(&run.status()).unwrap().state
}

fn epoch_started(training: &mut Training) {
    training.wait("an epoch", |kind| matches!(kind, RunEventKind::EpochStarted { .. }).then_some(()));
}

fn is_started(training: &Training) -> bool {
    training.events().iter().any(|kind| matches!(kind, RunEventKind::Started { .. }))
}

/// The step in an answer of `mammoscope control`.
fn acknowledged_step(answer: &str) -> u64 {
    let step = answer.trim_end().rsplit_once(" → acknowledged at step ").map(|(_, step)| step);
    step.and_then(|step| step.parse().ok()).unwrap_or_else(|| panic!("no acknowledgement: {answer}"))
}

/// Starts a training of all views in a process of its own.
fn starter(stage: &TrainerStage, manner: &str) -> Child {
    let mut command = stage.train_command("all", "cpu", "epochs=2");
    command.arg(manner).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The runs of all views and the process that trains them, once the first has begun.
fn begun(stage: &TrainerStage) -> (Vec<Training>, Pid) {
    let mut trainings = wait_for("the first of four runs", || {
        let trainings = stage.trainings();
        (trainings.len() == 4 && trainings.iter().any(is_started)).then_some(trainings)
    });
    let first = trainings.iter().position(is_started).unwrap();
    let trainer = trainings[first].wait_started();
    (stage.trainings(), trainer)
}

fn assert_all_complete(trainings: &mut [Training], trainer: Pid) {
    for training in trainings {
        assert_eq!(training.wait_started(), trainer);
        assert_eq!(training.wait_ended().0, RunPhase::Completed, "{}", training.log());
    }
    assert_eq!(wait_exit(trainer), Ok(0));
}

#[test]
fn who_started_a_training_may_be_killed_and_the_terminal_may_go() {
    for manner in ["--follow", "--detach"] {
        let stage = TrainerStage::new(SUBJECTS);
        let mut starter = starter(&stage, manner);
        let (mut trainings, trainer) = begun(&stage);
        // With --detach it may have ended by itself just now.
        let _ = starter.kill();
        starter.wait().unwrap();
        send(trainer, Signal::HUP);
        // Those that wait belong to the trainer, not to who is gone.
        for waiting in trainings.iter().filter(|training| !is_started(training)) {
            let status = read_status(&waiting.run.status()).unwrap();
            assert_eq!(status.pid, Some(trainer.as_raw_pid().unsigned_abs()), "{manner}");
        }
        assert_all_complete(&mut trainings, trainer);
    }
}

#[test]
fn requests_are_acknowledged_with_their_step() {
    let stage = TrainerStage::new(SUBJECTS);
    let mut training = stage.train("CC_R", "epochs=1000").remove(0);
    let name = training.run.name();
    let trainer = training.wait_started();
    epoch_started(&mut training);
    let ask = |verb: &str| acknowledged_step(&stage.output(&["control", &name, verb]));

    let step = ask("pause");
    assert_eq!(phase(&training.run), RunPhase::Paused);
    assert_eq!(ask("checkpoint"), step, "nothing is trained in a pause");
    let checkpoint = Checkpoint::read(&training.run.last_checkpoint()).unwrap();
    assert_eq!(checkpoint.counters("state/progress").unwrap()[0], step as i64);
    assert_eq!(ask("pause"), step, "a second pause changes nothing");
    assert_eq!(ask("continue"), step);
    let asked = ask("stop-after-epoch");
    let (ended_as, last) = training.wait_ended();
    assert_eq!((ended_as, last % STEPS_PER_EPOCH), (RunPhase::Stopped, 0));
    assert!(last >= asked && last - asked <= STEPS_PER_EPOCH, "asked at {asked}, stopped at {last}");
    assert_eq!(wait_exit(trainer), Ok(0));
    assert_eq!(fs::read_dir(training.run.requests()).unwrap().count(), 0, "requests that were heard are gone");

    // More epochs than were done, fewer than were asked for.
    let epochs = last / STEPS_PER_EPOCH + 1;
    stage.output(&["resume", &name, "--detach", "--epochs", &epochs.to_string()]);
    assert_eq!(training.wait_ended(), (RunPhase::Completed, epochs * STEPS_PER_EPOCH), "{}", training.log());
}

#[test]
fn a_paused_training_that_is_to_stop_after_its_epoch_trains_on_to_there() {
    let stage = TrainerStage::new(SUBJECTS);
    let mut training = stage.train("CC_R", "epochs=100000").remove(0);
    let name = training.run.name();
    let trainer = training.wait_started();
    epoch_started(&mut training);
    let paused = acknowledged_step(&stage.output(&["control", &name, "pause"]));
    assert_eq!(acknowledged_step(&stage.output(&["control", &name, "stop-after-epoch"])), paused);
    let (ended_as, last) = training.wait_ended();
    assert_eq!((ended_as, last % STEPS_PER_EPOCH), (RunPhase::Stopped, 0));
    assert!(last >= paused && last - paused <= STEPS_PER_EPOCH, "paused at {paused}, stopped at {last}");
    assert!(training.events().contains(&RunEventKind::Continued { step: paused }));
    assert_eq!(wait_exit(trainer), Ok(0));
}

#[test]
fn a_run_can_be_stopped_before_its_turn() {
    let stage = TrainerStage::new(SUBJECTS);
    let mut trainings = stage.train("CC_R,CC_L,MLO_R", "epochs=2");
    let names: Vec<String> = trainings.iter().map(|training| training.run.name()).collect();
    let trainer = trainings[0].wait_started();
    let paused = acknowledged_step(&stage.output(&["control", &names[0], "pause"]));

    let answer = stage.output(&["control", &names[1], "stop"]);
    assert_eq!(acknowledged_step(&answer), 0, "{answer}");
    // The status is written behind the events that the answer was read from.
    wait_for("the status", || (phase(&trainings[1].run) == RunPhase::Stopped).then_some(()));
    assert_eq!(phase(&trainings[2].run), RunPhase::Queued);
    assert_eq!(acknowledged_step(&stage.output(&["control", &names[0], "continue"])), paused);
    for place in [0, 2] {
        assert_eq!(trainings[place].wait_ended().0, RunPhase::Completed, "{}", trainings[place].log());
    }
    assert_eq!(wait_exit(trainer), Ok(0));
    assert!(!is_started(&trainings[1]), "its turn does not come");

    stage.output(&["resume", &names[1], "--detach"]);
    trainings[1].wait_started();
    assert_eq!(trainings[1].wait_ended().0, RunPhase::Completed, "{}", trainings[1].log());
}

#[test]
fn sigterm_interrupts_the_run_in_work_and_those_that_wait() {
    let stage = TrainerStage::new(SUBJECTS);
    let mut trainings = stage.train("CC_R,CC_L,MLO_R", "epochs=3");
    let trainer = trainings[0].wait_started();
    epoch_started(&mut trainings[0]);
    send(trainer, Signal::TERM);
    assert_eq!(wait_exit(trainer), Ok(0));
    for training in &trainings {
        assert_eq!(phase(&training.run), RunPhase::Interrupted, "{}", training.log());
    }
    let (_, step) = trainings[0].wait_ended();
    let checkpoint = Checkpoint::read(&trainings[0].run.last_checkpoint()).unwrap();
    assert_eq!(checkpoint.counters("state/progress").unwrap()[0], step as i64);
    assert!(!trainings[1].run.last_checkpoint().exists());

    let group = read_run_spec(&trainings[0].run.spec()).unwrap().group;
    stage.output(&["resume", &group, "--detach"]);
    let again = trainings[0].wait_started();
    // A run that was interrupted before its turn has an end, but no beginning yet.
    for training in &mut trainings[1..] {
        assert_eq!(training.wait_started(), again);
    }
    for training in &mut trainings {
        assert_eq!(training.wait_ended(), (RunPhase::Completed, 3 * STEPS_PER_EPOCH), "{}", training.log());
    }
    assert_eq!(wait_exit(again), Ok(0));
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_the_last_checkpoint() {
    let stage = TrainerStage::new(SUBJECTS);
    let mut training = stage.train("CC_R", &format!("epochs=3,{EVERY_STEP}")).remove(0);
    let name = training.run.name();
    let trainer = training.wait_started();
    training.wait_checkpoint(2);
    // In a pause the file is known to be whole, and what it was before the signals.
    stage.output(&["control", &name, "pause"]);
    let before = fs::read(training.run.last_checkpoint()).unwrap();
    // Both reach it at once: after the first alone it might have ended before the second came.
    for signal in [Signal::STOP, Signal::TERM, Signal::INT, Signal::CONT] {
        send(trainer, signal);
    }
    assert_eq!(wait_exit(trainer), Ok(130));
    assert!(fs::read(training.run.last_checkpoint()).unwrap() == before);
    assert!(stage.output(&["status", &name]).contains("stale"), "nobody was left to say how it ended");
    // What was asked of a trainer that died before it heard does not stop the next one.
    RunRequest::new(RequestVerb::Stop).write(&training.run).unwrap();

    stage.output(&["resume", &name, "--detach"]);
    training.wait_started();
    assert_eq!(training.wait_ended(), (RunPhase::Completed, 3 * STEPS_PER_EPOCH), "{}", training.log());
}
