//! The state of a run, folded from its events: live, replayed from disk, or tailed from another node.

use chrono::{DateTime, Utc};

use super::run_event::{RequestVerb, RunEvent, RunEventKind};
use super::run_records::{
    AcknowledgedRequest, EpochFigures, EpochRecord, LearningRateReduction, Remark, SavedCheckpoint, SkippedSample,
    SplitEvaluation, StepPoint, TrainerFacts, TrainingSetting,
};
use super::run_status::{BestEpoch, RunPhase};
use super::training_config::Monitor;

/// What a run's events say up to now. [`RunState::apply`] is the only way that it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    /// What decides which epoch was the best.
    pub monitor: Monitor,
    /// Epochs asked for.
    pub epochs: u32,
    /// What the run is doing.
    pub phase: RunPhase,
    /// Why it ended, in words.
    pub reason: Option<String>,
    /// The trainer at work on it, or the last one that was.
    pub trainer: Option<TrainerFacts>,
    /// What it computes on and with how many images.
    pub setting: Option<TrainingSetting>,
    /// The epoch it is in, from 1; 0 before the first.
    pub epoch: u32,
    /// Updates of the weights so far.
    pub step: u64,
    /// Learning rate of the last step.
    pub learning_rate: Option<f64>,
    /// The reports within epochs, by step.
    pub steps: Vec<StepPoint>,
    /// The epochs that are over, by their numbers.
    pub records: Vec<EpochRecord>,
    /// The best of them by the monitor; of equal ones, the first.
    pub best: Option<BestEpoch>,
    /// Reductions of the learning rate, by epoch.
    pub reductions: Vec<LearningRateReduction>,
    /// Checkpoints that were written.
    pub checkpoints: Vec<SavedCheckpoint>,
    /// Images that were left out, each once.
    pub skipped: Vec<SkippedSample>,
    /// What a person should know, each message once.
    pub warnings: Vec<Remark>,
    /// Requests that were acknowledged.
    pub acknowledged: Vec<AcknowledgedRequest>,
    /// Splits whose figures are on disk.
    pub evaluations: Vec<SplitEvaluation>,
    /// What last went wrong under the present trainer.
    pub last_error: Option<Remark>,
    /// When the first trainer took the run up.
    pub started: Option<DateTime<Utc>>,
    /// When the last event was recorded.
    pub updated: Option<DateTime<Utc>>,
}

impl RunState {
    /// The state before the first event of a run that is to have `epochs` epochs.
    #[must_use]
    pub fn new(monitor: Monitor, epochs: u32) -> Self {
        Self {
            monitor,
            epochs,
            phase: RunPhase::Queued,
            reason: None,
            trainer: None,
            setting: None,
            epoch: 0,
            step: 0,
            learning_rate: None,
            steps: Vec::new(),
            records: Vec::new(),
            best: None,
            reductions: Vec::new(),
            checkpoints: Vec::new(),
            skipped: Vec::new(),
            warnings: Vec::new(),
            acknowledged: Vec::new(),
            evaluations: Vec::new(),
            last_error: None,
            started: None,
            updated: None,
        }
    }

    /// The epochs that are over, without anything that the clock decides: equal for an uninterrupted run and one that
    /// was resumed.
    #[must_use]
    pub fn history(&self) -> Vec<EpochFigures> {
        self.records.iter().map(|record| record.figures).collect()
    }

    /// Takes one event in.
    pub fn apply(&mut self, event: &RunEvent) {
        let time = event.time;
        self.updated = Some(time);
        match &event.kind {
            RunEventKind::Created { epochs, .. } | RunEventKind::EpochsChanged { epochs } => self.epochs = *epochs,
            RunEventKind::Started { pid, host, version } => {
                self.phase = RunPhase::Starting;
                self.reason = None;
                self.last_error = None;
                self.started.get_or_insert(time);
                self.trainer = Some(TrainerFacts { pid: *pid, host: host.clone(), version: version.clone() });
            }
            &RunEventKind::Prepared { ref device, precision, threads, train, validation, test, steps_per_epoch } => {
                self.trains();
                let device = device.clone();
                let setting = TrainingSetting { device, precision, threads, train, validation, test, steps_per_epoch };
                self.setting = Some(setting);
            }
            RunEventKind::Resumed { step, epochs_done, .. } => self.go_back(*step, *epochs_done),
            &RunEventKind::EpochStarted { epoch, step, learning_rate } => {
                self.trains();
                self.reach(epoch, step, learning_rate);
            }
            &RunEventKind::StepReported { epoch, step, loss, accuracy, learning_rate, gradient_norm, images_per_s } => {
                self.reach(epoch, step, learning_rate);
                self.steps.truncate(self.steps.partition_point(|point| point.step < step));
                let point = StepPoint { time, epoch, step, loss, accuracy, learning_rate, gradient_norm, images_per_s };
                self.steps.push(point);
            }
            &RunEventKind::EpochEnded {
                epoch,
                step,
                train_loss,
                train_accuracy,
                val_loss,
                val_accuracy,
                val_kappa,
                learning_rate,
                seconds,
            } => {
                let figures = EpochFigures {
                    epoch,
                    step,
                    train_loss,
                    train_accuracy,
                    val_loss,
                    val_accuracy,
                    val_kappa,
                    learning_rate,
                };
                self.end_epoch(EpochRecord { figures, seconds, time });
            }
            &RunEventKind::LearningRateReduced { epoch, from, to } => {
                self.reductions.retain(|reduction| reduction.epoch < epoch);
                self.reductions.push(LearningRateReduction { epoch, from, to });
            }
            &RunEventKind::CheckpointSaved { epoch, step, kind, ref file, value } => {
                // A file name stands for one checkpoint: `last` is written over and over.
                self.checkpoints.retain(|checkpoint| checkpoint.file != *file);
                let file = file.clone();
                self.checkpoints.push(SavedCheckpoint { time, epoch, step, kind, file, value });
            }
            RunEventKind::CheckpointRejected { file, reason } => {
                self.fail(time, format!("checkpoint {file} rejected: {reason}"));
            }
            RunEventKind::CheckpointFailed { file, reason } => {
                self.fail(time, format!("checkpoint {file} not written: {reason}"));
            }
            &RunEventKind::RequestAcknowledged { verb, step } => {
                if matches!(verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch) && !self.phase.is_over() {
                    self.phase = RunPhase::Stopping;
                }
                self.acknowledged.push(AcknowledgedRequest { time, verb, step });
            }
            RunEventKind::Paused { .. } => self.phase = RunPhase::Paused,
            RunEventKind::Continued { .. } => self.phase = RunPhase::Running,
            RunEventKind::SampleSkipped { file, reason } => {
                // A trainer that resumes meets the same file again.
                self.skipped.retain(|skipped| skipped.file != *file);
                self.skipped.push(SkippedSample { file: file.clone(), reason: reason.clone() });
            }
            RunEventKind::Warning { message } => {
                if self.warnings.iter().all(|warning| warning.message != *message) {
                    self.warnings.push(Remark { time, message: message.clone() });
                }
            }
            RunEventKind::Nonfinite { step, what, files } => {
                self.fail(time, format!("{what} was not finite after step {step}, with {}", files.join(", ")));
            }
            RunEventKind::RolledBack { to_step, .. } => {
                let epochs_done = self
                    .records
                    .iter()
                    .rev()
                    .find(|record| record.figures.step <= *to_step)
                    .map_or(0, |record| record.figures.epoch);
                self.go_back(*to_step, epochs_done);
            }
            &RunEventKind::Evaluated { split, images, accuracy, kappa_linear } => {
                self.evaluations.retain(|evaluation| evaluation.split != split);
                self.evaluations.push(SplitEvaluation { split, images, accuracy, kappa_linear });
            }
            RunEventKind::Ended { state, reason, step } => {
                self.phase = *state;
                self.reason.clone_from(reason);
                self.step = *step;
                if *state == RunPhase::Failed {
                    let message = reason.clone().unwrap_or_else(|| "no reason was recorded".to_owned());
                    self.fail(time, message);
                }
            }
        }
    }

    /// A run that is stopping stays so until it ends.
    fn trains(&mut self) {
        if self.phase != RunPhase::Stopping {
            self.phase = RunPhase::Running;
        }
    }

    fn reach(&mut self, epoch: u32, step: u64, learning_rate: f64) {
        (self.epoch, self.step, self.learning_rate) = (epoch, step, Some(learning_rate));
    }

    fn fail(&mut self, time: DateTime<Utc>, message: String) {
        self.last_error = Some(Remark { time, message });
    }

    fn end_epoch(&mut self, record: EpochRecord) {
        let EpochFigures { epoch, step, learning_rate, .. } = record.figures;
        self.reach(epoch, step, learning_rate);
        // An epoch that is trained again replaces what was recorded of it, also without a word of going back.
        self.records.retain(|record| record.figures.epoch < epoch);
        self.records.push(record);
        self.choose_best();
    }

    /// Forgets what was recorded behind a checkpoint: it comes again.
    fn go_back(&mut self, step: u64, epochs_done: u32) {
        self.step = step;
        self.epoch = epochs_done;
        self.steps.retain(|point| point.step <= step);
        self.records.retain(|record| record.figures.epoch <= epochs_done && record.figures.step <= step);
        self.reductions.retain(|reduction| reduction.epoch <= epochs_done);
        self.checkpoints.retain(|checkpoint| checkpoint.step <= step);
        self.choose_best();
    }

    fn choose_best(&mut self) {
        let mut best: Option<(f64, u32)> = None;
        for EpochRecord { figures, .. } in &self.records {
            let Some(value) = figures.monitored(self.monitor).filter(|value| !value.is_nan()) else { continue };
            if best.is_none_or(|(best, _)| self.monitor.is_better(value, best)) {
                best = Some((value, figures.epoch));
            }
        }
        self.best = best.map(|(value, epoch)| BestEpoch { metric: self.monitor.name().to_owned(), value, epoch });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run_event::CheckpointKind;

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
        let whole =
            [started(), report(1, 5), first.clone(), saved(1, 10), report(2, 15), second.clone(), reduced.clone()];
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
        let ended =
            |state, reason: Option<&str>| RunEventKind::Ended { state, reason: reason.map(str::to_owned), step: 9 };
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
            (ended(RunPhase::Stopped, None), RunPhase::Stopped),
            (started(), RunPhase::Starting),
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
        let events =
            [started(), warning.clone(), skipped.clone(), saved(1, 10), started(), warning, skipped, saved(1, 20)];
        let state = folded(Monitor::ValAccuracy, &events);
        assert_eq!((state.warnings.len(), state.skipped.len(), state.checkpoints.len()), (1, 1, 1));
        assert_eq!(state.checkpoints[0].step, 20);
    }
}
