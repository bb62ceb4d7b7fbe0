//! The summary of a run: everything that follows from its events except the reports of single steps.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::request_verb::RequestVerb;
use super::run_clock::RunClock;
use super::run_event::{RunEvent, RunEventKind};
use super::run_records::{
    AcknowledgedRequest, DataMove, EpochMetrics, EpochRecord, LearningRateReduction, LoggedMessage, SavedCheckpoint,
    SkippedSample, SplitEvaluation, Timed, TrainerFacts, TrainingSetup,
};
use super::run_status::{BestEpoch, RunPhase};
use crate::training::training_changes::SettingChange;
use crate::training::training_config::Monitor;

/// The number of files that an error message names.
const MAX_NAMED_FILES: usize = 4;

/// Everything that a run's events say so far, except the reports of its steps: its size depends on the number of epochs
/// only. It is part of a [`RunState`](super::run_state::RunState), which keeps it up to date.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The metric that decides which epoch is the best.
    pub monitor: Monitor,
    /// The number of epochs to train.
    pub epochs: u32,
    pub phase: RunPhase,
    /// True if the trainer was asked to stop and has not stopped yet; a pause does not change this.
    pub stop_requested: bool,
    /// The reason why the run ended, for people.
    pub reason: Option<String>,
    /// The present trainer, or the last one.
    pub trainer: Option<TrainerFacts>,
    pub setup: Option<TrainingSetup>,
    /// The current epoch, from 1; 0 before the first.
    pub epoch: u32,
    /// The weight updates so far.
    pub step: u64,
    /// The learning rate of the last step.
    pub learning_rate: Option<f64>,
    /// Training images per second; `None` from when training goes back to a checkpoint until the next report.
    pub images_per_s: Option<f64>,
    /// The completed epochs, in order. Copies of a summary share them.
    pub records: Arc<Vec<Timed<EpochRecord>>>,
    /// The best of them by `monitor`; the first of equals.
    pub best: Option<BestEpoch>,
    /// The reductions of the learning rate, by epoch.
    pub reductions: Vec<LearningRateReduction>,
    /// The settings that were changed since the run began, in order.
    pub changes: Vec<Timed<SettingChange>>,
    /// The moves of its images, in order.
    pub moves: Vec<Timed<DataMove>>,
    /// The checkpoints that were written; one per file name.
    pub checkpoints: Vec<Timed<SavedCheckpoint>>,
    /// The images that were left out, each once.
    pub skipped: Vec<SkippedSample>,
    /// The warnings, each message once.
    pub warnings: Vec<LoggedMessage>,
    pub acknowledged: Vec<Timed<AcknowledgedRequest>>,
    /// The evaluations on disk, one per split.
    pub evaluations: Vec<SplitEvaluation>,
    /// The last error under the present trainer.
    pub last_error: Option<LoggedMessage>,
    /// When the first trainer took over the run.
    pub started: Option<DateTime<Utc>>,
    /// When the last event was recorded.
    pub updated: Option<DateTime<Utc>>,
    /// The time that the run has taken.
    pub clock: RunClock,
}

impl RunSummary {
    /// The summary before the first event of a run of `epochs` epochs.
    #[must_use]
    pub fn new(monitor: Monitor, epochs: u32) -> Self {
        Self {
            monitor,
            epochs,
            phase: RunPhase::Queued,
            stop_requested: false,
            reason: None,
            trainer: None,
            setup: None,
            epoch: 0,
            step: 0,
            learning_rate: None,
            images_per_s: None,
            records: Arc::default(),
            best: None,
            reductions: Vec::new(),
            changes: Vec::new(),
            moves: Vec::new(),
            checkpoints: Vec::new(),
            skipped: Vec::new(),
            warnings: Vec::new(),
            acknowledged: Vec::new(),
            evaluations: Vec::new(),
            last_error: None,
            started: None,
            updated: None,
            clock: RunClock::default(),
        }
    }

    /// The metrics of the completed epochs, without anything that the clock decides: equal for an uninterrupted run and
    /// one that was resumed.
    #[must_use]
    pub fn history(&self) -> Vec<EpochMetrics> {
        self.records.iter().map(|record| record.metrics).collect()
    }

    /// Applies the next event.
    pub(super) fn apply(&mut self, event: &RunEvent) {
        let time = event.time;
        self.updated = Some(time);
        // The time before a trainer takes the run over does not count.
        if self.clock.is_running() || matches!(event.kind, RunEventKind::Started(_) | RunEventKind::StepReported(_)) {
            self.clock.advance(time);
        }
        let elapsed = self.clock.elapsed();
        match &event.kind {
            RunEventKind::Created { epochs, .. } | RunEventKind::EpochsChanged { epochs } => self.epochs = *epochs,
            RunEventKind::SettingChanged(change) => self.changes.push(Timed { time, elapsed, record: change.clone() }),
            RunEventKind::DataMoved(record) => self.moves.push(Timed { time, elapsed, record: record.clone() }),
            RunEventKind::Started(trainer) => self.start(time, trainer.clone()),
            RunEventKind::Prepared(setup) => {
                self.continue_training();
                self.setup = Some(setup.clone());
            }
            RunEventKind::Resumed { step, epochs_done, .. } => self.go_back(*step, *epochs_done),
            RunEventKind::EpochStarted { epoch, step, learning_rate } => {
                self.continue_training();
                self.reach(*epoch, *step, *learning_rate);
            }
            RunEventKind::StepReported(report) => self.reach(report.epoch, report.step, report.learning_rate),
            RunEventKind::EpochEnded(record) => self.end_epoch(Timed { time, elapsed, record: *record }),
            RunEventKind::LearningRateReduced(reduction) => {
                self.reductions.retain(|earlier| earlier.epoch < reduction.epoch);
                self.reductions.push(*reduction);
            }
            RunEventKind::CheckpointSaved(checkpoint) => self.save(Timed { time, elapsed, record: checkpoint.clone() }),
            RunEventKind::CheckpointRejected { file, reason } => {
                self.fail(time, format!("checkpoint {file} rejected: {reason}"));
            }
            RunEventKind::CheckpointFailed { file, reason } => {
                self.fail(time, not_written(file) + reason);
            }
            RunEventKind::RequestAcknowledged(request) => self.acknowledge(Timed { time, elapsed, record: *request }),
            RunEventKind::Paused { step } => (self.phase, self.step) = (RunPhase::Paused, *step),
            RunEventKind::Waiting { step, reason } => {
                (self.phase, self.step, self.reason) = (RunPhase::Paused, *step, Some(reason.clone()));
            }
            RunEventKind::Continued { step } => {
                self.phase = if self.stop_requested { RunPhase::Stopping } else { RunPhase::Running };
                (self.step, self.reason) = (*step, None);
            }
            RunEventKind::SampleRestored { file } => self.skipped.retain(|skipped| skipped.file != *file),
            RunEventKind::SampleSkipped(sample) => {
                // A trainer that resumes meets the same file again.
                self.skipped.retain(|skipped| skipped.file != sample.file);
                self.skipped.push(sample.clone());
            }
            RunEventKind::Warning { message } => self.warn(time, message),
            RunEventKind::Nonfinite { step, what, files } => {
                self.fail(time, format!("{what} was not finite at step {step}, with {}", first_few(files)));
            }
            RunEventKind::RolledBack { to_step, .. } => self.go_back_to(*to_step),
            RunEventKind::BatchSplit(split) => {
                let changes = split.from.changes_to(split.to).into_iter();
                self.changes.extend(changes.map(|record| Timed { time, elapsed, record }));
                self.go_back_to(split.to_step);
            }
            RunEventKind::Evaluated(evaluation) => {
                self.evaluations.retain(|earlier| earlier.split != evaluation.split);
                self.evaluations.push(*evaluation);
            }
            RunEventKind::EarlyStopRestarted { .. } => {}
            RunEventKind::Ended { state, reason, step } => self.end(time, *state, reason.as_deref(), *step),
        }
    }

    fn start(&mut self, time: DateTime<Utc>, trainer: TrainerFacts) {
        (self.phase, self.stop_requested) = (RunPhase::Starting, false);
        self.reason = None;
        self.last_error = None;
        self.started.get_or_insert(time);
        self.trainer = Some(trainer);
    }

    /// A run that is stopping stays so until it ends.
    fn continue_training(&mut self) {
        if self.phase != RunPhase::Stopping {
            self.phase = RunPhase::Running;
        }
    }

    fn reach(&mut self, epoch: u32, step: u64, learning_rate: f64) {
        (self.epoch, self.step, self.learning_rate) = (epoch, step, Some(learning_rate));
    }

    fn acknowledge(&mut self, request: Timed<AcknowledgedRequest>) {
        if matches!(request.verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch) && !self.phase.is_over() {
            (self.phase, self.stop_requested) = (RunPhase::Stopping, true);
        }
        self.step = self.step.max(request.step);
        self.acknowledged.push(request);
    }

    fn save(&mut self, checkpoint: Timed<SavedCheckpoint>) {
        // Steps are reported a few times a second only: a checkpoint may be ahead of the last report.
        self.step = checkpoint.step;
        // Each file holds one checkpoint: `last` is overwritten again and again.
        self.checkpoints.retain(|earlier| earlier.file != checkpoint.file);
        // A fault of the disk has passed.
        let failed = not_written(&checkpoint.file);
        self.last_error.take_if(|error| error.message.starts_with(&failed));
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

    fn end(&mut self, time: DateTime<Utc>, phase: RunPhase, reason: Option<&str>, step: u64) {
        (self.phase, self.stop_requested) = (phase, false);
        self.reason = reason.map(str::to_owned);
        self.step = step;
        if phase == RunPhase::Failed {
            self.fail(time, reason.unwrap_or("no reason was recorded").to_owned());
        }
    }

    fn end_epoch(&mut self, record: Timed<EpochRecord>) {
        let EpochMetrics { epoch, step, learning_rate, .. } = record.metrics;
        self.reach(epoch, step, learning_rate);
        // An epoch that is trained again replaces its earlier record, even if going back was never recorded.
        let records = Arc::make_mut(&mut self.records);
        records.retain(|earlier| earlier.metrics.epoch < epoch);
        records.push(record);
        self.choose_best();
    }

    /// Forgets everything that was recorded after a checkpoint: it will be recorded again.
    fn go_back(&mut self, step: u64, epochs_done: u32) {
        self.step = step;
        self.epoch = epochs_done;
        let holds = |record: &Timed<EpochRecord>| record.metrics.epoch <= epochs_done && record.metrics.step <= step;
        Arc::make_mut(&mut self.records).retain(holds);
        self.reductions.retain(|reduction| reduction.epoch <= epochs_done);
        self.checkpoints.retain(|checkpoint| checkpoint.step <= step);
        self.choose_best();
    }

    /// [`RunSummary::go_back`] to a checkpoint of which only the step is known.
    fn go_back_to(&mut self, step: u64) {
        let kept = self.records.iter().rfind(|record| record.metrics.step <= step);
        self.go_back(step, kept.map_or(0, |record| record.metrics.epoch));
    }

    fn choose_best(&mut self) {
        let mut best: Option<BestEpoch> = None;
        for record in &*self.records {
            let (metric, value) = record.metrics.monitored(self.monitor);
            let Some(value) = value else { continue };
            if best.as_ref().is_none_or(|best| self.monitor.is_better(value, best.value)) {
                best = Some(BestEpoch { metric: metric.to_owned(), value, epoch: record.metrics.epoch });
            }
        }
        self.best = best;
    }
}

/// The beginning of the message about a checkpoint that could not be written; the reason follows.
fn not_written(file: &str) -> String {
    format!("checkpoint {file} not written: ")
}

/// The first few names, and the number of the others.
fn first_few(files: &[String]) -> String {
    let shown = files[..files.len().min(MAX_NAMED_FILES)].join(", ");
    match files.len().saturating_sub(MAX_NAMED_FILES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
