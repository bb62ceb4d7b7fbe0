//! The state of a run, folded from its events: live, replayed from disk, or tailed from another node.

use chrono::{DateTime, Utc};

use super::run_event::{RequestVerb, RunEvent, RunEventKind};
use super::run_records::{
    AcknowledgedRequest, EpochFigures, EpochRecord, LearningRateReduction, LoggedMessage, SavedCheckpoint,
    SkippedSample, SplitEvaluation, StepPoint, TrainerFacts, TrainingSetting,
};
use super::run_status::{BestEpoch, RunPhase};
use crate::training::training_config::Monitor;

/// What a run's events say up to now. [`RunState::apply`] is the only way that it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    /// What decides which epoch was the best.
    pub monitor: Monitor,
    /// Epochs asked for.
    pub epochs: u32,
    /// What the run is doing.
    pub phase: RunPhase,
    /// Whether its trainer was asked to stop and has not done so yet, which a pause does not change.
    pub stops: bool,
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
    pub warnings: Vec<LoggedMessage>,
    /// Requests that were acknowledged.
    pub acknowledged: Vec<AcknowledgedRequest>,
    /// Splits whose figures are on disk.
    pub evaluations: Vec<SplitEvaluation>,
    /// What last went wrong under the present trainer.
    pub last_error: Option<LoggedMessage>,
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
            stops: false,
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
                (self.phase, self.stops) = (RunPhase::Starting, false);
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
                self.save(SavedCheckpoint { time, epoch, step, kind, file: file.clone(), value });
            }
            RunEventKind::CheckpointRejected { file, reason } => {
                self.fail(time, format!("checkpoint {file} rejected: {reason}"));
            }
            RunEventKind::CheckpointFailed { file, reason } => {
                self.fail(time, format!("checkpoint {file} not written: {reason}"));
            }
            &RunEventKind::RequestAcknowledged { verb, step } => {
                if matches!(verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch) && !self.phase.is_over() {
                    (self.phase, self.stops) = (RunPhase::Stopping, true);
                }
                self.step = self.step.max(step);
                self.acknowledged.push(AcknowledgedRequest { time, verb, step });
            }
            RunEventKind::Paused { step } => (self.phase, self.step) = (RunPhase::Paused, *step),
            RunEventKind::Continued { step } => (self.phase, self.step) = (self.phase_at_work(), *step),
            RunEventKind::SampleSkipped { file, reason } => {
                // A trainer that resumes meets the same file again.
                self.skipped.retain(|skipped| skipped.file != *file);
                self.skipped.push(SkippedSample { file: file.clone(), reason: reason.clone() });
            }
            RunEventKind::Warning { message } => self.warn(time, message),
            RunEventKind::Nonfinite { step, what, files } => {
                self.fail(time, format!("{what} was not finite at step {step}, with {}", some_of(files)));
            }
            RunEventKind::RolledBack { to_step, .. } => {
                let kept = self.records.iter().rfind(|record| record.figures.step <= *to_step);
                self.go_back(*to_step, kept.map_or(0, |record| record.figures.epoch));
            }
            &RunEventKind::Evaluated { split, images, accuracy, kappa_linear } => {
                self.evaluations.retain(|evaluation| evaluation.split != split);
                self.evaluations.push(SplitEvaluation { split, images, accuracy, kappa_linear });
            }
            RunEventKind::Ended { state, reason, step } => {
                (self.phase, self.stops) = (*state, false);
                self.reason.clone_from(reason);
                self.step = *step;
                if *state == RunPhase::Failed {
                    self.fail(time, reason.clone().unwrap_or_else(|| "no reason was recorded".to_owned()));
                }
            }
        }
    }

    fn phase_at_work(&self) -> RunPhase {
        if self.stops { RunPhase::Stopping } else { RunPhase::Running }
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

    fn save(&mut self, checkpoint: SavedCheckpoint) {
        // Steps are reported a few times a second: a checkpoint may know of more.
        self.step = checkpoint.step;
        // A file name stands for one checkpoint: `last` is written over and over.
        self.checkpoints.retain(|other| other.file != checkpoint.file);
        self.checkpoints.push(checkpoint);
    }

    fn warn(&mut self, time: DateTime<Utc>, message: &str) {
        if self.warnings.iter().all(|warning| warning.message != message) {
            self.warnings.push(LoggedMessage { time, message: message.to_owned() });
        }
    }

    fn fail(&mut self, time: DateTime<Utc>, message: String) {
        self.last_error = Some(LoggedMessage { time, message });
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
        let mut best: Option<BestEpoch> = None;
        for EpochRecord { figures, .. } in &self.records {
            let (metric, value) = figures.monitored(self.monitor);
            let Some(value) = value.filter(|value| !value.is_nan()) else { continue };
            if best.as_ref().is_none_or(|best| self.monitor.is_better(value, best.value)) {
                best = Some(BestEpoch { metric: metric.to_owned(), value, epoch: figures.epoch });
            }
        }
        self.best = best;
    }
}

/// The first few names, and how many there are beside.
fn some_of(files: &[String]) -> String {
    let shown = files[..files.len().min(4)].join(", ");
    if files.len() > 4 { format!("{shown} and {} more", files.len() - 4) } else { shown }
}

#[cfg(test)]
mod tests;
