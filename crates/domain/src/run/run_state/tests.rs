use super::*;
use crate::run::run_event::CheckpointKind;

/// The fold of events one second apart.
fn folded(monitor: Monitor, kinds: &[RunEventKind]) -> RunState {
    let mut state = RunState::new(monitor, 10);
    for (second, kind) in kinds.iter().enumerate() {
        let time = DateTime::from_timestamp(1_795_000_000 + second as i64, 0).unwrap();
        state.apply(&RunEvent { time, kind: kind.clone() });
    }
    state
}

fn started() -> RunEventKind {
    RunEventKind::Started { pid: 7, host: "node3".to_owned(), version: "0.1.0".to_owned() }
}

fn report(epoch: u32, step: u64) -> RunEventKind {
    RunEventKind::StepReported {
        epoch,
        step,
        loss: 1.0 / step as f64,
        accuracy: 0.5,
        learning_rate: 0.01,
        gradient_norm: 2.0,
        images_per_s: 61.0,
    }
}

fn epoch_ended(epoch: u32, step: u64, val_accuracy: f64) -> RunEventKind {
    RunEventKind::EpochEnded {
        epoch,
        step,
        train_loss: 1.0 / f64::from(epoch),
        train_accuracy: 0.5,
        val_loss: Some(1.5 / f64::from(epoch)),
        val_accuracy: Some(val_accuracy),
        val_kappa: None,
        learning_rate: 0.01,
        seconds: 70.0,
    }
}

fn saved(epoch: u32, step: u64) -> RunEventKind {
    let (kind, file) = (CheckpointKind::Last, "last.safetensors".to_owned());
    RunEventKind::CheckpointSaved { epoch, step, kind, file, value: None }
}

fn resumed(step: u64, epochs_done: u32) -> RunEventKind {
    RunEventKind::Resumed { step, epochs_done, checkpoint: "last.safetensors".to_owned() }
}

#[test]
fn a_resumed_run_has_the_history_of_an_uninterrupted_one() {
    let reduced = RunEventKind::LearningRateReduced { epoch: 2, from: 0.01, to: 0.002 };
    let (first, second) = (epoch_ended(1, 10, 0.6), epoch_ended(2, 20, 0.7));
    let whole = [started(), report(1, 5), first.clone(), saved(1, 10), report(2, 15), second.clone(), reduced.clone()];
    let interrupted = [
        started(),
        report(1, 5),
        first,
        saved(1, 10),
        report(2, 15),
        report(2, 19),
        second.clone(),
        reduced.clone(),
        started(),
        resumed(10, 1),
        report(2, 15),
        second,
        reduced,
    ];
    let (whole, interrupted) = (folded(Monitor::ValAccuracy, &whole), folded(Monitor::ValAccuracy, &interrupted));
    assert_eq!(whole.history(), interrupted.history());
    assert_eq!((whole.history().len(), whole.reductions.len()), (2, 1));
    assert_eq!(whole.reductions, interrupted.reductions);
    assert_eq!(whole.best, interrupted.best);
    let steps = |state: &RunState| state.steps.iter().map(|point| point.step).collect::<Vec<_>>();
    assert_eq!(steps(&interrupted), [5, 15], "the report of step 19 did not come again");
    assert_eq!(steps(&whole), steps(&interrupted));
}

#[test]
fn a_checkpoint_between_the_last_step_and_the_epochs_end_brings_the_end_again() {
    let events = [started(), epoch_ended(1, 10, 0.9), started(), resumed(10, 0)];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!((state.records.len(), state.best, state.step, state.epoch), (0, None, 10, 0));
}

#[test]
fn the_step_is_the_last_that_anything_knows_of() {
    let mut events = vec![started(), report(1, 3)];
    let later = [saved(1, 5), RunEventKind::Paused { step: 7 }, RunEventKind::Continued { step: 8 }, resumed(5, 0)];
    for (event, step) in later.into_iter().zip([5, 7, 8, 5]) {
        events.push(event);
        assert_eq!(folded(Monitor::ValAccuracy, &events).step, step, "{:?}", events.last());
    }
}

#[test]
fn going_back_after_bad_numbers_keeps_the_epochs_of_the_checkpoint() {
    let rolled_back = RunEventKind::RolledBack { from_step: 17, to_step: 10, learning_rate_factor: 0.5 };
    let nonfinite =
        RunEventKind::Nonfinite { step: 17, what: "loss".to_owned(), files: vec!["7_1_A_CC_R.png".to_owned()] };
    let events = [started(), epoch_ended(1, 10, 0.6), report(2, 16), nonfinite, rolled_back];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!((state.records.len(), state.steps.len(), state.step, state.epoch), (1, 0, 10, 1));
    assert!(state.last_error.unwrap().message.contains("7_1_A_CC_R.png"));
}

#[test]
fn the_best_epoch_is_the_first_of_equals_by_the_monitor() {
    let events = [epoch_ended(1, 10, 0.6), epoch_ended(2, 20, 0.8), epoch_ended(3, 30, 0.8)];
    let best = |monitor| folded(monitor, &events).best.map(|best| (best.metric, best.epoch));
    assert_eq!(best(Monitor::ValAccuracy), Some(("val_accuracy".to_owned(), 2)));
    assert_eq!(best(Monitor::ValLoss), Some(("val_loss".to_owned(), 3)));
    assert_eq!(best(Monitor::ValKappa), None, "there is no kappa");
    let nan_first = [epoch_ended(1, 10, f64::NAN), epoch_ended(2, 20, 0.1)];
    assert_eq!(folded(Monitor::ValAccuracy, &nan_first).best.unwrap().epoch, 2, "NaN is never the best");
}

#[test]
fn the_phases_of_a_run() {
    let acknowledged = |verb| RunEventKind::RequestAcknowledged { verb, step: 5 };
    let ended = |state, reason: Option<&str>| RunEventKind::Ended { state, reason: reason.map(str::to_owned), step: 9 };
    let epoch_started = RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 };
    let mut events = Vec::new();
    let steps = [
        (RunEventKind::Created { preset: "seed".to_owned(), epochs: 3 }, RunPhase::Queued),
        (started(), RunPhase::Starting),
        (epoch_started, RunPhase::Running),
        (acknowledged(RequestVerb::Checkpoint), RunPhase::Running),
        (RunEventKind::Paused { step: 5 }, RunPhase::Paused),
        (RunEventKind::Continued { step: 5 }, RunPhase::Running),
        (acknowledged(RequestVerb::StopAfterEpoch), RunPhase::Stopping),
        (report(1, 6), RunPhase::Stopping),
        (RunEventKind::Paused { step: 6 }, RunPhase::Paused),
        (RunEventKind::Continued { step: 6 }, RunPhase::Stopping),
        (ended(RunPhase::Stopped, None), RunPhase::Stopped),
        (started(), RunPhase::Starting),
        (RunEventKind::Paused { step: 9 }, RunPhase::Paused),
        (RunEventKind::Continued { step: 9 }, RunPhase::Running),
        (ended(RunPhase::Failed, Some("loss became NaN at step 9")), RunPhase::Failed),
    ];
    for (kind, phase) in steps {
        events.push(kind);
        assert_eq!(folded(Monitor::ValAccuracy, &events).phase, phase, "{:?}", events.last());
    }
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!(state.epochs, 3);
    assert_eq!(state.reason.as_deref(), Some("loss became NaN at step 9"));
    assert_eq!(state.last_error.unwrap().message, "loss became NaN at step 9");
}

#[test]
fn what_a_resumed_trainer_says_again_is_kept_once() {
    let warning = RunEventKind::Warning { message: "fewer than 1,000 training images".to_owned() };
    let skipped = RunEventKind::SampleSkipped { file: "a.png".to_owned(), reason: "truncated".to_owned() };
    let events = [started(), warning.clone(), skipped.clone(), saved(1, 10), started(), warning, skipped, saved(1, 20)];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!((state.warnings.len(), state.skipped.len(), state.checkpoints.len()), (1, 1, 1));
    assert_eq!(state.checkpoints[0].step, 20);
}
