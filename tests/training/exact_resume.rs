//! A resumed run ends with the same bytes as an uninterrupted one: the data section of its last checkpoint and the
//! metrics of its epochs. Real processes are ended by SIGTERM, by SIGKILL and by requests.
#![cfg(target_os = "linux")]

use std::path::Path;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::kept_checkpoints::kept_checkpoints;
use mammoscope_test_support::names_in;
use mammoscope_test_support::trainer_fixture::{EVERY_STEP, TrainerFixture, WatchedRun, data_section, send, wait_exit};
use rustix::process::{Pid, Signal};

/// 38 of them are for training, in ten steps of four images per epoch, the last of two.
const SUBJECTS: u32 = 48;
const STEPS: u64 = 30;
const EPOCHS: u64 = 3;

/// A way to end a run once a checkpoint of at least `from` steps is on disk.
#[derive(Clone, Copy, Debug)]
enum End {
    /// A signal after which the trainer finishes its step and writes a checkpoint.
    Signal { signal: Signal, name: &'static str, from: u64 },
    /// SIGKILL, anywhere in a step.
    Kill { from: u64 },
    /// `control RUN stop`.
    Stop { from: u64 },
    /// `control RUN stop-after-epoch`.
    StopAfterEpoch { from: u64 },
}

impl End {
    fn terminate(from: u64) -> Self {
        Self::Signal { signal: Signal::TERM, name: "SIGTERM", from }
    }

    /// Ends a run. Returns the step from which it has to resume, at the least.
    fn end(self, fixture: &TrainerFixture, run: &mut WatchedRun, trainer: Pid) -> u64 {
        let name = run.dir.name();
        match self {
            Self::Signal { signal, name, from } => {
                run.wait_checkpoint(from);
                send(trainer, signal);
                let (phase, step) = run.wait_ended();
                assert_eq!(phase, RunPhase::Interrupted, "{name} came too late; {}", run.log());
                assert_eq!(run.summary().reason, Some(format!("by {name}")));
                assert_eq!(wait_exit(trainer), Ok(0));
                step
            }
            Self::Kill { from } => {
                let step = run.wait_checkpoint(from);
                send(trainer, Signal::KILL);
                assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
                assert_ne!(run.summary().phase, RunPhase::Completed, "SIGKILL came too late");
                step
            }
            Self::Stop { from } => {
                run.wait_checkpoint(from);
                let answer = fixture.output(&["control", &name, "stop"]);
                let (phase, step) = run.wait_ended();
                assert_eq!(phase, RunPhase::Stopped, "{answer}");
                assert!(answer.contains(&format!("acknowledged at step {step}")), "{answer}");
                step
            }
            Self::StopAfterEpoch { from } => {
                run.wait_checkpoint(from);
                fixture.output(&["control", &name, "stop-after-epoch"]);
                let (phase, step) = run.wait_ended();
                assert_eq!((phase, step % (STEPS / EPOCHS)), (RunPhase::Stopped, 0));
                step
            }
        }
    }
}

/// Trains once without and once with interruptions, and compares the results.
fn assert_resumes_exactly(settings: &str, steps: u64, ends: &[End]) {
    let fixture = TrainerFixture::new(SUBJECTS);
    let settings = format!("epochs={EPOCHS},keep_every=1,{settings}");
    let mut whole = fixture.train("CC_R", &settings).remove(0);
    assert_eq!(whole.wait_ended(), (RunPhase::Completed, steps), "{}", whole.log());

    let mut parts = fixture.train("CC_R", &format!("{settings},{EVERY_STEP}")).remove(0);
    let mut trainer = parts.wait_started();
    for way in ends {
        let reached = way.end(&fixture, &mut parts, trainer);
        fixture.output(&["resume", &parts.dir.name(), "--detach"]);
        trainer = parts.wait_started();
        let resumed = parts.wait("the resumption", |kind| match kind {
            RunEventKind::Resumed { step, .. } => Some(*step),
            _ => None,
        });
        assert!(resumed >= reached && resumed < steps, "{way:?}: resumed at {resumed} after reaching {reached}");
    }
    assert_eq!(parts.wait_ended(), (RunPhase::Completed, steps), "{}", parts.log());
    assert_same(&whole, &parts);
    assert_same_kept(&whole, &parts);
}

/// Asserts that two runs have kept the same models of the same epochs, but for the names of the runs in their headers.
fn assert_same_kept(whole: &WatchedRun, parts: &WatchedRun) {
    let kept = |run: &WatchedRun| kept_checkpoints(&run.dir).unwrap();
    assert_eq!(kept(whole).len() as u64, EPOCHS);
    assert_eq!(kept(parts).len() as u64, EPOCHS);
    let metadata = |path: &Path| {
        let mut metadata = ModelMetadata::read(path).unwrap();
        for own in ["run", "group"] {
            assert!(metadata.provenance.remove(own).is_some());
        }
        metadata
    };
    for (one, other) in kept(whole).iter().zip(kept(parts)) {
        assert!(data_section(&one.path) == data_section(&other.path), "the models of epoch {} differ", one.epoch);
        assert_eq!(metadata(&one.path), metadata(&other.path));
        assert_eq!(metadata(&one.path).provenance["epoch"], one.epoch.to_string());
    }
}

fn assert_same(whole: &WatchedRun, parts: &WatchedRun) {
    let history = whole.summary().history();
    assert_eq!(history.len() as u64, EPOCHS);
    assert_eq!(parts.summary().history(), history);
    assert!(parts.data_section() == whole.data_section(), "the last checkpoints differ");
    assert_eq!(parts.summary().best, whole.summary().best);
    assert_eq!(best_files(parts), best_files(whole));
}

fn best_files(run: &WatchedRun) -> Vec<String> {
    names_in(&run.dir.checkpoints()).into_iter().filter(|name| name.starts_with("best-")).collect()
}

#[test]
fn every_signal_of_a_batch_system_or_a_limit() {
    let signals = [
        (Signal::INT, "SIGINT"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
    ];
    let ends: Vec<End> = signals
        .iter()
        .zip((1..).step_by(5))
        .map(|(&(signal, name), from)| End::Signal { signal, name, from })
        .collect();
    assert_resumes_exactly("optimizer=sgd,momentum=0,schedule=constant", STEPS, &ends);
}

#[test]
fn gradient_descent() {
    let ends = [End::terminate(1), End::Kill { from: 14 }];
    assert_resumes_exactly("optimizer=sgd,momentum=0,schedule=plateau,plateau_patience=1", STEPS, &ends);
}

#[test]
fn gradient_descent_with_momentum() {
    let ends = [End::Kill { from: 2 }, End::Stop { from: 12 }];
    assert_resumes_exactly("optimizer=sgd,momentum=0.9,learning_rate=0.01", STEPS, &ends);
}

#[test]
fn nesterov() {
    let ends = [End::StopAfterEpoch { from: 3 }, End::Kill { from: 22 }];
    assert_resumes_exactly("optimizer=nesterov,momentum=0.9,learning_rate=0.01,keep_best=2", STEPS, &ends);
}

#[test]
fn adamw() {
    let ends = [End::Kill { from: 9 }, End::terminate(15)];
    assert_resumes_exactly("optimizer=adamw,momentum=0.9,learning_rate=0.002,weight_decay=0.05", STEPS, &ends);
}

#[test]
fn rmsprop() {
    let ends = [End::Stop { from: 5 }, End::Kill { from: 20 }];
    assert_resumes_exactly("optimizer=rmsprop,momentum=0.5,learning_rate=0.001,grad_clip=1", STEPS, &ends);
}

#[test]
fn accumulation_ema_and_all_other_options() {
    let ends = [End::terminate(2), End::Kill { from: 8 }];
    let settings = "optimizer=adamw,momentum=0.9,learning_rate=0.002,accumulate=2,ema=0.9,class_weights=balanced,\
                    label_smoothing=0.1,schedule=cosine,warmup_epochs=1,grad_clip=1,monitor=val_loss,keep_best=2";
    assert_resumes_exactly(settings, STEPS / 2, &ends);
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_over() {
    let fixture = TrainerFixture::new(SUBJECTS);
    let settings = format!("epochs={EPOCHS},optimizer=sgd,momentum=0.9");
    let mut whole = fixture.train("CC_R", &settings).remove(0);
    assert_eq!(whole.wait_ended(), (RunPhase::Completed, STEPS), "{}", whole.log());

    let mut parts = fixture.train("CC_R", &settings).remove(0);
    let trainer = parts.wait_started();
    parts.wait("the first epoch", |kind| matches!(kind, RunEventKind::EpochStarted { .. }).then_some(()));
    send(trainer, Signal::KILL);
    assert_eq!(wait_exit(trainer), Err(Signal::KILL.as_raw()));
    assert!(!parts.dir.last_checkpoint().exists(), "SIGKILL came too late");
    fixture.output(&["resume", &parts.dir.name(), "--detach"]);
    parts.wait_started();
    assert_eq!(parts.wait_ended(), (RunPhase::Completed, STEPS), "{}", parts.log());
    assert_same(&whole, &parts);
}
