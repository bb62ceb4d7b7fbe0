use super::*;
use chrono::DateTime;

use crate::run::request_verb::RequestVerb;
use crate::run::run_records::{
    AcknowledgedRequest, BatchSplit, CheckpointKind, EpochMetrics, EpochRecord, LearningRateReduction, SavedCheckpoint,
    SkippedSample, TrainerFacts,
};
use crate::run::run_status::RunPhase;
use crate::training::step_batches::StepBatches;

/// The state after these events, one second apart.
fn folded(monitor: Monitor, kinds: &[RunEventKind]) -> RunState {
    let mut state = RunState::new(monitor, 10);
    for (second, kind) in kinds.iter().enumerate() {
        let time = DateTime::from_timestamp(1_795_000_000 + second as i64, 0).unwrap();
        state.apply(&RunEvent { time, kind: kind.clone() });
    }
    state
}

fn started() -> RunEventKind {
    RunEventKind::Started(TrainerFacts { pid: 7, host: "node3".to_owned(), version: "0.1.0".to_owned(), slurm: None })
}

fn report(epoch: u32, step: u64) -> RunEventKind {
    RunEventKind::StepReported(StepReport {
        epoch,
        step,
        loss: 1.0 / step as f64,
        accuracy: 0.5,
        learning_rate: 0.01,
        gradient_norm: 2.0,
        images_per_s: 61.0,
    })
}

fn epoch_ended(epoch: u32, step: u64, val_accuracy: f64) -> RunEventKind {
    RunEventKind::EpochEnded(EpochRecord {
        metrics: EpochMetrics {
            epoch,
            step,
            train_loss: 1.0 / f64::from(epoch),
            train_accuracy: 0.5,
            val_loss: Some(1.5 / f64::from(epoch)),
            val_accuracy: Some(val_accuracy),
            val_kappa: None,
            learning_rate: 0.01,
        },
        seconds: 70.0,
    })
}

fn saved(epoch: u32, step: u64) -> RunEventKind {
    let (kind, file) = (CheckpointKind::Last, "last.safetensors".to_owned());
    RunEventKind::CheckpointSaved(SavedCheckpoint { epoch, step, kind, file, value: None })
}

fn created() -> RunEventKind {
    RunEventKind::Created { preset: "quick".to_owned(), epochs: 10 }
}

fn resumed(step: u64, epochs_done: u32) -> RunEventKind {
    RunEventKind::Resumed { step, epochs_done, checkpoint: "last.safetensors".to_owned() }
}

#[test]
fn a_resumed_run_has_the_history_of_an_uninterrupted_one() {
    let reduced = RunEventKind::LearningRateReduced(LearningRateReduction { epoch: 2, from: 0.01, to: 0.002 });
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
    assert_eq!(whole.summary.history(), interrupted.summary.history());
    assert_eq!((whole.summary.history().len(), whole.summary.reductions.len()), (2, 1));
    assert_eq!(whole.summary.reductions, interrupted.summary.reductions);
    assert_eq!(whole.summary.best, interrupted.summary.best);
    let step = |state: &RunState| state.last_report.map(|report| report.step);
    assert_eq!(step(&interrupted), Some(15), "step 19 was not reported again");
    assert_eq!(step(&whole), step(&interrupted));
}

#[test]
fn a_checkpoint_taken_before_the_end_of_its_epoch_was_recorded_voids_that_epoch() {
    let events = [started(), epoch_ended(1, 10, 0.9), started(), resumed(10, 0)];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!(
        (state.summary.records.len(), state.summary.best, state.summary.step, state.summary.epoch),
        (0, None, 10, 0)
    );
}

#[test]
fn the_step_is_that_of_the_latest_event() {
    let mut events = vec![started(), report(1, 3)];
    let later = [saved(1, 5), RunEventKind::Paused { step: 7 }, RunEventKind::Continued { step: 8 }, resumed(5, 0)];
    for (event, step) in later.into_iter().zip([5, 7, 8, 5]) {
        events.push(event);
        assert_eq!(folded(Monitor::ValAccuracy, &events).summary.step, step, "{:?}", events.last());
    }
}

#[test]
fn rolling_back_keeps_the_epochs_of_the_checkpoint() {
    let rolled_back = RunEventKind::RolledBack { from_step: 17, to_step: 10, learning_rate_factor: 0.5 };
    let nonfinite =
        RunEventKind::Nonfinite { step: 17, what: "loss".to_owned(), files: vec!["7_1_A_CC_R.png".to_owned()] };
    let events = [started(), epoch_ended(1, 10, 0.6), report(2, 16), nonfinite, rolled_back];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!(
        (state.summary.records.len(), state.last_report, state.summary.step, state.summary.epoch),
        (1, None, 10, 1)
    );
    assert!(state.summary.last_error.unwrap().message.contains("7_1_A_CC_R.png"));
}

#[test]
fn smaller_batches_go_back_to_the_checkpoint_and_are_changes_of_settings() {
    let [from, to] = [(6, 1), (3, 2)].map(|(batch_size, accumulate)| StepBatches { batch_size, accumulate });
    let split = RunEventKind::BatchSplit(BatchSplit { from_step: 17, to_step: 10, from, to });
    let events = [started(), epoch_ended(1, 10, 0.6), report(2, 16), split];
    let RunState { summary, last_report } = folded(Monitor::ValAccuracy, &events);
    assert_eq!((summary.records.len(), last_report, summary.step, summary.epoch), (1, None, 10, 1));
    let changes: Vec<_> = summary.changes.iter().map(|change| change.to_string()).collect();
    assert_eq!(changes, ["batch_size from 6 to 3", "accumulate from 1 to 2"]);
    assert_eq!(summary.last_error, None, "the run continues");
}

#[test]
fn the_best_epoch_is_the_first_of_equals() {
    let events = [epoch_ended(1, 10, 0.6), epoch_ended(2, 20, 0.8), epoch_ended(3, 30, 0.8)];
    let best = |monitor| folded(monitor, &events).summary.best.map(|best| (best.metric, best.epoch));
    assert_eq!(best(Monitor::ValAccuracy), Some(("val_accuracy".to_owned(), 2)));
    assert_eq!(best(Monitor::ValLoss), Some(("val_loss".to_owned(), 3)));
    assert_eq!(best(Monitor::ValKappa), None, "there is no kappa");
    let nan_first = [epoch_ended(1, 10, f64::NAN), epoch_ended(2, 20, 0.1)];
    assert_eq!(folded(Monitor::ValAccuracy, &nan_first).summary.best.unwrap().epoch, 2, "NaN is never the best");
}

#[test]
fn the_phases_of_a_run() {
    let acknowledged = |verb| RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step: 5 });
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
        assert_eq!(folded(Monitor::ValAccuracy, &events).summary.phase, phase, "{:?}", events.last());
    }
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!(state.summary.epochs, 3);
    assert_eq!(state.summary.reason.as_deref(), Some("loss became NaN at step 9"));
    assert_eq!(state.summary.last_error.unwrap().message, "loss became NaN at step 9");
}

#[test]
fn warnings_repeated_by_a_resumed_trainer_are_kept_once() {
    let warning = RunEventKind::Warning { message: "fewer than 1,000 training images".to_owned() };
    let skipped =
        RunEventKind::SampleSkipped(SkippedSample { file: "a.png".to_owned(), reason: "truncated".to_owned() });
    let events = [started(), warning.clone(), skipped.clone(), saved(1, 10), started(), warning, skipped, saved(1, 20)];
    let state = folded(Monitor::ValAccuracy, &events);
    assert_eq!((state.summary.warnings.len(), state.summary.skipped.len(), state.summary.checkpoints.len()), (1, 1, 1));
    assert_eq!(state.summary.checkpoints[0].step, 20);
}

#[test]
fn a_clock_that_is_set_back_reverses_neither_the_times_nor_the_order_of_checkpoints() {
    let mut state = RunState::new(Monitor::ValAccuracy, 10);
    let seconds = [0, 10, 20, 30, 40 - 3600, 50 - 3600, 60 - 3600];
    let kinds = [started(), report(1, 4), saved(1, 4), epoch_ended(1, 8, 0.5), report(2, 12), epoch_ended(2, 16, 0.6)];
    let mut reports = Vec::new();
    for (second, kind) in seconds.iter().zip(kinds.into_iter().chain([saved(2, 16)])) {
        let time = DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap();
        state.apply(&RunEvent { time, kind });
        reports.extend(state.last_report.map(|report| report.elapsed));
    }
    reports.dedup();
    let elapsed = |times: &[chrono::TimeDelta]| times.iter().map(chrono::TimeDelta::num_seconds).collect::<Vec<_>>();
    assert_eq!(elapsed(&reports), [10, 30]);
    let epochs: Vec<_> = state.summary.records.iter().map(|record| record.elapsed).collect();
    assert_eq!(elapsed(&epochs), [30, 40]);
    assert_eq!(state.summary.checkpoints.last().map(|saved| saved.step), Some(16));
}

#[test]
fn time_in_the_queue_does_not_count() {
    let state = folded(Monitor::ValAccuracy, &[created(), started(), report(1, 1)]);
    assert_eq!(state.last_report.unwrap().elapsed.num_seconds(), 1);
}

#[test]
fn a_checkpoint_that_is_written_after_all_ends_its_error() {
    let failed = |file: &str| RunEventKind::CheckpointFailed {
        file: file.to_owned(),
        reason: "No space left on device (os error 28)".to_owned(),
    };
    let error =
        |events: &[RunEventKind]| folded(Monitor::ValAccuracy, events).summary.last_error.map(|error| error.message);
    let expected = "checkpoint last.safetensors not written: No space left on device (os error 28)";
    assert_eq!(error(&[started(), failed("last.safetensors")]).as_deref(), Some(expected));
    assert_eq!(error(&[started(), failed("last.safetensors"), saved(1, 10)]), None);
    assert!(error(&[started(), failed("best-002-0.50.safetensors"), saved(1, 10)]).is_some(), "another file");
}
