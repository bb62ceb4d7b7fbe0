//! The training loop: schedule → batch → forward → loss → backward → clip → step → report → commands.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{
    EpochMetrics, EpochRecord, LearningRateReduction, SkippedSample, StepReport,
};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::step_batches::StepBatches;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::run_dir::RunDir;
use tch::{Device, Kind, TchError};

use super::augmentation::Augmentation;
use super::best_models::BestModel;
use super::checkpoint_writer::CheckpointWriter;
use super::dropout::dropout_seed;
use super::epoch_inputs::EpochInputs;
use super::epoch_plan::{EpochPlan, check_batches};
use super::evaluation::EvaluationBatch;
use super::image_set::{ImageSet, SetMetrics};
use super::nonfinite::UnreadSteps;
use super::replay::{Eager, Replay, without_recordings};
use super::training_observer::{Command, ImageChanges, TrainingObserver, UnusableImage};
use super::training_progress::TrainingState;

/// The shortest interval between two step reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// The end of a training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs were trained, or the early stop ended the run.
    Completed {
        /// The reason for an early stop.
        reason: Option<String>,
    },
    /// Stopped by a request.
    Stopped,
    /// Interrupted by a signal.
    Interrupted,
}

/// The fixed inputs of a training run.
#[derive(Debug)]
pub struct TrainingTask<'a> {
    pub config: &'a TrainingConfig,
    /// The directory for checkpoints.
    pub run: &'a RunDir,
    pub train: ImageSet<'a>,
    /// May be empty.
    pub validation: ImageSet<'a>,
    /// The metadata of the best models.
    pub metadata: ModelMetadata,
    pub device: Device,
    /// The precision of the convolutions.
    pub kind: Kind,
}

/// Trains a state to its end.
pub struct TrainingLoop<'a> {
    pub(super) task: &'a TrainingTask<'a>,
    pub(super) state: &'a mut TrainingState,
    pub(super) observer: &'a mut dyn TrainingObserver,
    /// The task's configuration, with smaller batches after GPU memory ran out.
    pub(super) config: TrainingConfig,
    evaluation_batch: EvaluationBatch,
    inputs: EpochInputs<'a>,
    pub(super) replay: Box<dyn Replay>,
    pub(super) unread: UnreadSteps,
    last_report: Instant,
    pub(super) last_checkpoint: Instant,
    pub(super) writer: CheckpointWriter,
    images_since_report: usize,
    /// The gradient norm of the last step that was read but not yet reported.
    pub(super) unreported: Option<f64>,
    has_reported: bool,
    epoch_start: Instant,
    stops_after_epoch: bool,
    /// True while a checkpoint cannot be written.
    pub(super) is_waiting_for_room: bool,
    /// The classes of which no usable image is left.
    missing_classes: BTreeSet<DensityClass>,
}

impl<'a> TrainingLoop<'a> {
    /// A loop that continues from `state`, carrying out full steps by `replay`.
    pub fn new(
        task: &'a TrainingTask<'a>,
        state: &'a mut TrainingState,
        observer: &'a mut dyn TrainingObserver,
        replay: Box<dyn Replay>,
    ) -> Result<Self, TchError> {
        let config = task.config.clone();
        let augmentation = Augmentation::new(&config);
        Ok(Self {
            evaluation_batch: EvaluationBatch::new(task.device, config.size),
            inputs: EpochInputs::new(&task.train, augmentation, config.batch_size, task.kind)?,
            replay,
            config,
            task,
            state,
            observer,
            unread: UnreadSteps::default(),
            last_report: Instant::now(),
            last_checkpoint: Instant::now(),
            writer: CheckpointWriter::default(),
            images_since_report: 0,
            unreported: None,
            has_reported: false,
            epoch_start: Instant::now(),
            stops_after_epoch: false,
            is_waiting_for_room: false,
            missing_classes: BTreeSet::new(),
        })
    }

    /// Trains to the end or until a command stops the run; the last checkpoint is on disk by then.
    pub fn run(mut self) -> anyhow::Result<Ending> {
        self.save_first()?;
        while !self.is_complete() {
            let epoch = self.start_epoch()?;
            let ending = match self.train_epoch(&epoch) {
                Ok(None) => self.end_epoch(),
                other => other,
            };
            let is_last = matches!(ending, Ok(Some(_))) || self.is_complete();
            match ending.and_then(|ending| if is_last { self.finish_saving(true).map(|()| ending) } else { Ok(ending) })
            {
                Ok(None) => {}
                Ok(Some(ending)) => return Ok(ending),
                // Returns the error, unless training continues from the last checkpoint.
                Err(error) => self.recover(error)?,
            }
        }
        let TrainingConfig { epochs, early_stop, monitor, .. } = &self.config;
        let reason = (self.state.progress.epochs_done < *epochs)
            .then(|| format!("early stop: {monitor} has not improved for {early_stop} epochs"));
        Ok(Ending::Completed { reason })
    }

    /// True after the last epoch. This depends on the state alone, so that a run resumed after its last epoch does not
    /// start another.
    fn is_complete(&self) -> bool {
        let progress = &self.state.progress;
        let stops_early = progress.steps_in_epoch == 0 && self.state.early_stop.is_over();
        stops_early || progress.epochs_done >= self.config.epochs
    }

    /// One pass over the training images, or the rest of it.
    fn train_epoch(&mut self, epoch: &EpochPlan) -> anyhow::Result<Option<Ending>> {
        let StepBatches { batch_size, accumulate } = StepBatches::of(&self.config);
        let steps_done = self.state.progress.steps_in_epoch;
        let next = epoch.steps(steps_done).flatten().next();
        self.inputs.start(epoch, next.map_or(0, |entry| entry.position));
        for entries in epoch.steps(steps_done) {
            let progress = &self.state.progress;
            let rate = self.state.schedule.rate(progress.step);
            self.state.learner.seed_dropout(dropout_seed(self.config.seed, progress.step))?;
            let counts: Vec<usize> = entries.chunks(batch_size).map(<[_]>::len).collect();
            // The last step of an epoch may have fewer images.
            let is_full = entries.len() == batch_size * accumulate;
            let replay: &mut dyn Replay = if is_full { self.replay.as_mut() } else { &mut Eager };
            self.state.learner.step(rate, &counts, &mut self.inputs, replay)?;
            self.unread.push(self.state.progress.step + 1, entries);
            self.count(entries.len());
            if let Some(reason) = self.replay.take_failure() {
                self.observer.record(RunEventKind::Warning { message: without_recordings(&reason) })?;
            }
            // On the CPU nothing is computed asynchronously, so reading is free; a GPU is read only for a report.
            if self.is_report_due() || self.task.device == Device::Cpu || self.unread.are_many() {
                self.read_steps(rate)?;
            }
            if let Some(ending) = self.handle_commands()? {
                return Ok(Some(ending));
            }
        }
        let rate = self.state.schedule.rate(self.state.progress.step.saturating_sub(1));
        self.read_steps(rate)?;
        // An epoch shorter than the report interval gets one report nevertheless.
        if !self.has_reported {
            self.report(rate)?;
        }
        Ok(None)
    }

    /// Excludes images that have become unusable and draws the epoch's order.
    fn start_epoch(&mut self) -> anyhow::Result<EpochPlan> {
        let images = self.usable_images()?;
        let (epoch, step) = (self.state.progress.epoch(), self.state.progress.step);
        let learning_rate = self.state.schedule.rate(step);
        self.observer.record(RunEventKind::EpochStarted { epoch, step, learning_rate })?;
        self.epoch_start = Instant::now();
        self.last_report = Instant::now();
        self.images_since_report = 0;
        (self.unreported, self.has_reported) = (None, false);
        Ok(EpochPlan::new(self.config.seed, epoch, &images, StepBatches::of(&self.config).images()))
    }

    /// The indices of the training images that can still be used.
    fn usable_images(&mut self) -> anyhow::Result<Vec<usize>> {
        let ImageChanges { unusable, restored, notice } = self.observer.image_changes();
        if let Some(message) = notice {
            self.observer.record(RunEventKind::Warning { message })?;
        }
        for image in restored {
            if self.state.progress.unusable.remove(&image) {
                let file = self.task.train.files[image].clone();
                self.observer.record(RunEventKind::SampleRestored { file })?;
            }
        }
        for UnusableImage { image, reason } in unusable {
            if self.state.progress.unusable.insert(image) {
                let file = self.task.train.files[image].clone();
                self.observer.record(RunEventKind::SampleSkipped(SkippedSample { file, reason }))?;
            }
        }
        let (labels, unusable) = (&self.task.train.labels, &self.state.progress.unusable);
        let images: Vec<usize> = (0..labels.len()).filter(|image| !unusable.contains(image)).collect();
        anyhow::ensure!(!images.is_empty(), "no training image is left that can be used");
        check_batches(&self.config, images.len())?;
        let is_missing = |class| labels.contains(&class) && images.iter().all(|&image| labels[image] != class);
        for class in DensityClass::ALL.into_iter().filter(|&class| is_missing(class)) {
            if self.missing_classes.insert(class) {
                let message = format!("no training image of class {class} is left that can be used");
                self.observer.record(RunEventKind::Warning { message })?;
            }
        }
        Ok(images)
    }

    fn count(&mut self, images: usize) {
        let progress = &mut self.state.progress;
        progress.step += 1;
        progress.steps_in_epoch += 1;
        progress.images_in_epoch += images as u64;
        self.images_since_report += images;
    }

    fn is_report_due(&self) -> bool {
        self.last_report.elapsed() >= REPORT_INTERVAL
    }

    /// Reads the results since the last read from the device, checks that they are finite, and reports them if a report
    /// is due.
    pub(super) fn read_steps(&mut self, learning_rate: f64) -> anyhow::Result<()> {
        let TrainingState { learner, progress, .. } = &mut *self.state;
        let Some(read) = self.unread.read(learner, progress.totals, &self.task.train)? else { return Ok(()) };
        progress.totals = read.totals;
        self.unreported = Some(read.gradient_norm);
        if self.is_report_due() { self.report(learning_rate) } else { Ok(()) }
    }

    /// Reports the last results that were read, once.
    fn report(&mut self, learning_rate: f64) -> anyhow::Result<()> {
        let Some(gradient_norm) = self.unreported.take() else { return Ok(()) };
        // A clock that did not advance would give an infinite speed, which JSON cannot represent.
        let seconds = self.last_report.elapsed().as_secs_f64().max(1e-6);
        let progress = &self.state.progress;
        let images = progress.images_in_epoch as f64;
        let event = RunEventKind::StepReported(StepReport {
            epoch: progress.epoch(),
            step: progress.step,
            loss: progress.totals[0] / images,
            accuracy: progress.totals[1] / images,
            learning_rate,
            gradient_norm,
            images_per_s: self.images_since_report as f64 / seconds,
        });
        self.last_report = Instant::now();
        self.images_since_report = 0;
        self.has_reported = true;
        self.observer.record(event)
    }

    /// Carries out pending commands, and writes a checkpoint if one is due.
    fn handle_commands(&mut self) -> anyhow::Result<Option<Ending>> {
        let mut paused = false;
        loop {
            self.finish_saving(false)?;
            let step = self.state.progress.step;
            let Some(command) = self.observer.next_command() else {
                if !paused {
                    break;
                }
                self.observer.wait();
                continue;
            };
            match command {
                Command::Pause if !paused => {
                    // During a pause nothing changes on disk.
                    self.finish_saving(true)?;
                    paused = true;
                    self.observer.record(RunEventKind::Paused { step })?;
                }
                Command::Continue if paused => {
                    paused = false;
                    self.observer.record(RunEventKind::Continued { step })?;
                }
                Command::Pause | Command::Continue => {}
                Command::Checkpoint => self.save_last()?,
                Command::StopAfterEpoch => {
                    self.stops_after_epoch = true;
                    // The epoch cannot end during a pause.
                    if std::mem::take(&mut paused) {
                        self.observer.record(RunEventKind::Continued { step })?;
                    }
                }
                Command::Stop | Command::Interrupt => {
                    self.save_last()?;
                    self.observer.acknowledge(&command, step)?;
                    return Ok(Some(if command == Command::Stop { Ending::Stopped } else { Ending::Interrupted }));
                }
            }
            self.observer.acknowledge(&command, step)?;
        }
        // Not checked during a pause, when there is nothing new to save.
        if self.last_checkpoint.elapsed().as_secs_f64() >= self.config.checkpoint_minutes * 60.0 {
            self.save_last_meanwhile()?;
        }
        Ok(None)
    }

    /// Validation, schedule, best models, checkpoint.
    fn end_epoch(&mut self) -> anyhow::Result<Option<Ending>> {
        let validation = match self.validate()? {
            Validation::Done(metrics) => Some(metrics),
            Validation::NoImages => None,
            Validation::Cancelled => return self.handle_commands(),
        };
        // It lists other models than the state will.
        self.finish_saving(true)?;
        let progress = &mut self.state.progress;
        let (epoch, step) = (progress.epoch(), progress.step);
        let images = progress.images_in_epoch as f64;
        let [train_loss, train_accuracy] = progress.totals.map(|total| total / images);
        let metrics = EpochMetrics {
            epoch,
            step,
            train_loss,
            train_accuracy,
            val_loss: validation.and_then(|metrics| metrics.loss),
            val_accuracy: validation.map(|metrics| metrics.accuracy),
            val_kappa: validation.and_then(|metrics| metrics.kappa),
            learning_rate: self.state.schedule.rate(step.saturating_sub(1)),
        };
        let reduction = validation.map(|metrics| metrics.loss.unwrap_or(f64::NAN));
        let reduction = reduction.and_then(|loss| self.state.schedule.epoch_ended(loss));
        let (_, value) = metrics.monitored(self.config.monitor);
        self.state.early_stop.epoch_ended(value);
        let best = value.map(|value| BestModel { epoch, value });
        let best = best.and_then(|model| Some((self.state.best.rank_of(model)?, model)));
        progress.epochs_done += 1;
        progress.steps_in_epoch = 0;
        progress.images_in_epoch = 0;
        progress.totals = [0.0; 2];
        let seconds = self.epoch_start.elapsed().as_secs_f64();
        self.observer.record(RunEventKind::EpochEnded(EpochRecord { metrics, seconds }))?;
        if let Some(reduction) = reduction {
            let (from, to) = (reduction.from, reduction.to);
            self.observer.record(RunEventKind::LearningRateReduced(LearningRateReduction { epoch, from, to }))?;
        }
        if let Some((rank, model)) = best {
            self.state.best.insert(rank, model);
        }
        self.save_epoch_meanwhile(epoch, best.map(|(_, model)| model))?;
        // After the last epoch there is nothing left to stop.
        Ok((self.stops_after_epoch && !self.is_complete()).then_some(Ending::Stopped))
    }

    /// Evaluates the validation images, unless a command stops the run first.
    fn validate(&mut self) -> anyhow::Result<Validation> {
        let TrainingTask { validation, kind, .. } = self.task;
        if validation.is_empty() {
            return Ok(Validation::NoImages);
        }
        let network = self.state.learner.for_inference(*kind)?;
        let logits = self.evaluation_batch.logits(validation, &network, *kind, self.observer)?;
        let Some(logits) = logits else { return Ok(Validation::Cancelled) };
        let outputs: Vec<_> = logits.into_iter().zip(validation.labels.iter().copied()).collect();
        Ok(Validation::Done(SetMetrics::of(&outputs)))
    }
}

/// The outcome of a validation.
enum Validation {
    Done(SetMetrics),
    NoImages,
    /// A command stops the run; the epoch has not ended.
    Cancelled,
}
