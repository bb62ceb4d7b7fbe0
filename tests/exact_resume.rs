//! A training that was interrupted and resumed ends with the same bytes as one that was not: the data section of its last
//! checkpoint and the figures of its epochs. Real processes, ended by a signal, by SIGKILL and by requests.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use rustix::process::{Pid, Signal};
use support::names_in;
use support::trainer_stage::{EVERY_STEP, TrainerStage, Training, send, wait_exit};

/// 38 are trained on, in ten steps of four images an epoch, the last of two.
const SUBJECTS: u32 = 48;
const STEPS: u64 = 30;
const EPOCHS: u64 = 3;

/// How a training is ended, once a checkpoint with so many steps is on disk.
#[derive(Clone, Copy, Debug)]
enum End {
    /// SIGTERM, heard within a tenth of a second: it finishes the step and writes a checkpoint.
    Terminate { from: u64 },
    /// SIGKILL, at any place of a step.
    Kill { from: u64 },
    /// `control RUN stop`.
    Stop { from: u64 },
    /// `control RUN stop-after-epoch`.
    StopAfterEpoch { from: u64 },
}

impl End {
    /// Ends a training; gives the steps that it is to be resumed with, at least.
    fn bring(self, stage: &TrainerStage, training: &mut Training, trainer: Pid) -> u64 {
        let name = training.run.name();
        match self {
            Self::Terminate { from } => {
                training.wait_checkpoint(from);
                send(trainer, Signal::TERM);
                let (phase, step) = training.wait_ended();
                assert_eq!(phase, RunPhase::Interrupted, "SIGTERM came too late; {}", training.log());
                assert_eq!(wait_exit(trainer), Ok(0));
                step
            }
            Self::Kill { from } => {
                let step = training.wait_checkpoint(from);
                send(trainer, Signal::KILL);
                assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
                assert_ne!(training.state().phase, RunPhase::Completed, "SIGKILL came too late");
                step
            }
            Self::Stop { from } => {
                training.wait_checkpoint(from);
                let answer = stage.output(&["control", &name, "stop"]);
                let (phase, step) = training.wait_ended();
                assert_eq!(phase, RunPhase::Stopped, "{answer}");
                assert!(answer.contains(&format!("acknowledged at step {step}")), "{answer}");
                step
            }
            Self::StopAfterEpoch { from } => {
                training.wait_checkpoint(from);
                stage.output(&["control", &name, "stop-after-epoch"]);
                let (phase, step) = training.wait_ended();
                assert_eq!((phase, step % (STEPS / EPOCHS)), (RunPhase::Stopped, 0));
                step
            }
        }
    }
}

/// Trains once without and once with interruptions, and compares.
fn resumes_exactly(settings: &str, steps: u64, ends: &[End]) {
    let stage = TrainerStage::new(SUBJECTS);
    let settings = format!("epochs={EPOCHS},{settings}");
    let mut whole = stage.train("CC_R", &settings).remove(0);
    assert_eq!(whole.wait_ended(), (RunPhase::Completed, steps), "{}", whole.log());

    let mut parts = stage.train("CC_R", &format!("{settings},{EVERY_STEP}")).remove(0);
    let mut trainer = parts.wait_started();
    for end in ends {
        let reached = end.bring(&stage, &mut parts, trainer);
        stage.output(&["resume", &parts.run.name(), "--detach"]);
        trainer = parts.wait_started();
        let resumed = parts.wait("the resumption", |kind| match kind {
            RunEventKind::Resumed { step, .. } => Some(*step),
            _ => None,
        });
        assert!(resumed >= reached && resumed < steps, "{end:?}: {resumed}, where {reached} had been reached");
    }
    assert_eq!(parts.wait_ended(), (RunPhase::Completed, steps), "{}", parts.log());
    assert_same(&whole, &parts);
}

fn assert_same(whole: &Training, parts: &Training) {
    let history = whole.state().history();
    assert_eq!(history.len() as u64, EPOCHS);
    assert_eq!(parts.state().history(), history);
    assert!(parts.data_section() == whole.data_section(), "the last checkpoints differ");
    assert_eq!(parts.state().best, whole.state().best);
    assert_eq!(best_files(parts), best_files(whole));
}

fn best_files(training: &Training) -> Vec<String> {
    names_in(&training.run.checkpoints()).into_iter().filter(|name| name.starts_with("best-")).collect()
}

#[test]
fn gradient_descent() {
    let ends = [End::Terminate { from: 1 }, End::Kill { from: 14 }];
    resumes_exactly("optimizer=sgd,momentum=0,schedule=plateau,plateau_patience=1", STEPS, &ends);
}

#[test]
fn gradient_descent_with_momentum() {
    let ends = [End::Kill { from: 2 }, End::Stop { from: 12 }];
    resumes_exactly("optimizer=sgd,momentum=0.9,learning_rate=0.01", STEPS, &ends);
}

#[test]
fn nesterov() {
    let ends = [End::StopAfterEpoch { from: 3 }, End::Kill { from: 22 }];
    resumes_exactly("optimizer=nesterov,momentum=0.9,learning_rate=0.01,keep_best=2", STEPS, &ends);
}

#[test]
fn adamw() {
    let ends = [End::Kill { from: 9 }, End::Terminate { from: 15 }];
    resumes_exactly("optimizer=adamw,momentum=0.9,learning_rate=0.002,weight_decay=0.05", STEPS, &ends);
}

#[test]
fn rmsprop() {
    let ends = [End::Stop { from: 5 }, End::Kill { from: 20 }];
    resumes_exactly("optimizer=rmsprop,momentum=0.5,learning_rate=0.001,grad_clip=1", STEPS, &ends);
}

#[test]
fn accumulation_moving_average_and_all_else_that_can_be_set() {
    let ends = [End::Terminate { from: 2 }, End::Kill { from: 8 }];
    let settings = "optimizer=adamw,momentum=0.9,learning_rate=0.002,accumulate=2,ema=0.9,class_weights=balanced,\
                    label_smoothing=0.1,schedule=cosine,warmup_epochs=1,grad_clip=1,monitor=val_loss,keep_best=2";
    resumes_exactly(settings, STEPS / 2, &ends);
}

#[test]
fn a_training_killed_before_its_first_checkpoint_begins_anew() {
    let stage = TrainerStage::new(SUBJECTS);
    let settings = format!("epochs={EPOCHS},optimizer=sgd,momentum=0.9");
    let mut whole = stage.train("CC_R", &settings).remove(0);
    assert_eq!(whole.wait_ended(), (RunPhase::Completed, STEPS), "{}", whole.log());

    let mut parts = stage.train("CC_R", &settings).remove(0);
    let trainer = parts.wait_started();
    parts.wait("the first epoch", |kind| matches!(kind, RunEventKind::EpochStarted { .. }).then_some(()));
    send(trainer, Signal::KILL);
    assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
    assert!(!parts.run.last_checkpoint().exists(), "SIGKILL came too late");
    stage.output(&["resume", &parts.run.name(), "--detach"]);
    parts.wait_started();
    assert_eq!(parts.wait_ended(), (RunPhase::Completed, STEPS), "{}", parts.log());
    assert_same(&whole, &parts);
}
