//! The training loop: schedule → batch → forward → loss → backward → clip → step → report → orders.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::training_config::{Monitor, TrainingConfig};
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::run_dir::RunDir;
use tch::{Device, Kind, TchError};

use super::augmentation::Augmentation;
use super::best_models::BestModel;
use super::epoch_plan::{EpochPlan, check_batches};
use super::image_set::{ImageSet, SetFigures};
use super::learner::StepResult;
use super::nonfinite::UnreadSteps;
use super::random_stream::{Purpose, RandomStream};
use super::training_observer::{Order, TrainingObserver};
use super::training_progress::{DeviceTotals, TrainingState};

/// How often a training says how it goes.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// How a training came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs, or those that the early stop left.
    Completed {
        /// Why it ended before its last epoch.
        reason: Option<String>,
    },
    /// As a request asked.
    Stopped,
    /// As a signal asked.
    Interrupted,
}

/// What a training works on.
#[derive(Debug)]
pub struct TrainingTask<'a> {
    /// What decides what is computed.
    pub config: &'a TrainingConfig,
    /// Where its files go.
    pub run: &'a RunDir,
    /// The training images.
    pub train: ImageSet<'a>,
    /// The validation images; there may be none.
    pub validation: ImageSet<'a>,
    /// What the model files are to say.
    pub metadata: ModelMetadata,
    /// Where it is computed.
    pub device: Device,
    /// What the convolutions are computed in.
    pub kind: Kind,
}

/// A training, from where its state is to its end.
pub struct TrainingLoop<'a> {
    pub(super) task: &'a TrainingTask<'a>,
    pub(super) state: &'a mut TrainingState,
    pub(super) observer: &'a mut dyn TrainingObserver,
    augmentation: Option<Augmentation>,
    pub(super) totals: DeviceTotals,
    pub(super) unread: UnreadSteps,
    last_report: Instant,
    pub(super) last_checkpoint: Instant,
    images_since_report: usize,
    /// The gradient's norm at the last step that was read and not reported yet.
    pub(super) unreported: Option<f64>,
    has_reported: bool,
    epoch_began: Instant,
    stops_after_epoch: bool,
    classes_lost: BTreeSet<DensityClass>,
}

impl<'a> TrainingLoop<'a> {
    /// A training that goes on from `state`.
    pub fn new(
        task: &'a TrainingTask<'a>,
        state: &'a mut TrainingState,
        observer: &'a mut dyn TrainingObserver,
    ) -> Result<Self, TchError> {
        Ok(Self {
            totals: DeviceTotals::new(state.progress.totals, task.device)?,
            augmentation: Augmentation::new(task.config),
            task,
            state,
            observer,
            unread: UnreadSteps::default(),
            last_report: Instant::now(),
            last_checkpoint: Instant::now(),
            images_since_report: 0,
            unreported: None,
            has_reported: false,
            epoch_began: Instant::now(),
            stops_after_epoch: false,
            classes_lost: BTreeSet::new(),
        })
    }

    /// Trains to the end, or to an order to stop; the last checkpoint is on disk then.
    pub fn run(mut self) -> anyhow::Result<Ending> {
        self.save_first()?;
        while !self.is_complete() {
            let epoch = self.begin_epoch()?;
            let ending = match self.train_epoch(&epoch) {
                Ok(None) => self.end_epoch(),
                other => other,
            };
            match ending {
                Ok(None) => {}
                Ok(Some(ending)) => return Ok(ending),
                // Where that is the policy, the training is set back to its last checkpoint, and goes on from there.
                Err(error) => self.roll_back(error)?,
            }
        }
        let TrainingConfig { epochs, early_stop, monitor, .. } = self.task.config;
        let reason = (self.state.progress.epochs_done < *epochs)
            .then(|| format!("early stop: {monitor} was not better for {early_stop} epochs"));
        Ok(Ending::Completed { reason })
    }

    /// Whether no epoch is to come. What the state says decides, so that a training that is taken up behind its last
    /// epoch does not begin another.
    fn is_complete(&self) -> bool {
        let progress = &self.state.progress;
        let gives_up = progress.steps_in_epoch == 0 && self.state.early_stop.is_over();
        gives_up || progress.epochs_done >= self.task.config.epochs
    }

    /// One pass over the training images, or what is left of it.
    fn train_epoch(&mut self, epoch: &EpochPlan) -> anyhow::Result<Option<Ending>> {
        let TrainingTask { config, train, kind, .. } = self.task;
        for places in epoch.steps(self.state.progress.steps_in_epoch) {
            let progress = &self.state.progress;
            let rate = self.state.schedule.rate(progress.step);
            tch::manual_seed(dropout_seed(config.seed, progress.step));
            let batches = places
                .chunks(config.batch_size)
                .map(|places| train.training_batch(epoch.number, places, self.augmentation.as_ref(), *kind));
            let result = self.state.learner.step(rate, places.len(), batches)?;
            self.count(&result, places.len())?;
            self.unread.push(self.state.progress.step, places, result);
            // On the CPU nothing is computed ahead, so that reading costs nothing; a GPU is read when there is a report.
            if self.is_report_due() || self.task.device == Device::Cpu {
                self.read_steps(rate)?;
            }
            if let Some(ending) = self.obey()? {
                return Ok(Some(ending));
            }
        }
        let rate = self.state.schedule.rate(self.state.progress.step.saturating_sub(1));
        self.read_steps(rate)?;
        // An epoch that is shorter than the interval of reports has one all the same.
        if !self.has_reported {
            self.report(rate)?;
        }
        Ok(None)
    }

    /// Leaves out images that were lost, and draws the epoch's order.
    fn begin_epoch(&mut self) -> anyhow::Result<EpochPlan> {
        let images = self.images_left()?;
        let TrainingConfig { seed, batch_size, accumulate, .. } = *self.task.config;
        let (epoch, step) = (self.state.progress.epoch(), self.state.progress.step);
        let learning_rate = self.state.schedule.rate(step);
        self.observer.record(RunEventKind::EpochStarted { epoch, step, learning_rate })?;
        self.epoch_began = Instant::now();
        self.last_report = Instant::now();
        self.images_since_report = 0;
        (self.unreported, self.has_reported) = (None, false);
        Ok(EpochPlan::new(seed, epoch, &images, batch_size * accumulate))
    }

    /// The training images that can still be used, by their number.
    fn images_left(&mut self) -> anyhow::Result<Vec<usize>> {
        for (image, reason) in self.observer.lost_images() {
            if self.state.progress.lost.insert(image) {
                let file = self.task.train.files[image].clone();
                self.observer.record(RunEventKind::SampleSkipped { file, reason })?;
            }
        }
        let (labels, lost) = (&self.task.train.labels, &self.state.progress.lost);
        let images: Vec<usize> = (0..labels.len()).filter(|image| !lost.contains(image)).collect();
        anyhow::ensure!(!images.is_empty(), "no training image is left that can be used");
        check_batches(self.task.config, images.len())?;
        let is_lost = |class| labels.contains(&class) && images.iter().all(|&image| labels[image] != class);
        for class in DensityClass::ALL.into_iter().filter(|&class| is_lost(class)) {
            if self.classes_lost.insert(class) {
                let message = format!("no training image of class {class} is left that can be used");
                self.observer.record(RunEventKind::Warning { message })?;
            }
        }
        Ok(images)
    }

    fn count(&mut self, result: &StepResult, images: usize) -> Result<(), TchError> {
        self.totals.add(&result.loss_sum, &result.correct)?;
        let progress = &mut self.state.progress;
        progress.step += 1;
        progress.steps_in_epoch += 1;
        progress.images_in_epoch += images as u64;
        self.images_since_report += images;
        Ok(())
    }

    fn is_report_due(&self) -> bool {
        self.last_report.elapsed() >= REPORT_INTERVAL
    }

    /// Reads what the device has computed since the last time, makes sure that it is finite, and reports it when a
    /// report is due.
    pub(super) fn read_steps(&mut self, learning_rate: f64) -> anyhow::Result<()> {
        let Some(gradient_norm) = self.unread.read(&self.task.train)? else { return Ok(()) };
        self.state.progress.totals = self.totals.read()?;
        self.unreported = Some(gradient_norm);
        if self.is_report_due() { self.report(learning_rate) } else { Ok(()) }
    }

    /// Reports what was read last, once.
    fn report(&mut self, learning_rate: f64) -> anyhow::Result<()> {
        let Some(gradient_norm) = self.unreported.take() else { return Ok(()) };
        // A clock that did not move would make a speed that no file can hold.
        let seconds = self.last_report.elapsed().as_secs_f64().max(1e-6);
        let progress = &self.state.progress;
        let images = progress.images_in_epoch as f64;
        let event = RunEventKind::StepReported {
            epoch: progress.epoch(),
            step: progress.step,
            loss: progress.totals[0] / images,
            accuracy: progress.totals[1] / images,
            learning_rate,
            gradient_norm,
            images_per_s: self.images_since_report as f64 / seconds,
        };
        self.last_report = Instant::now();
        self.images_since_report = 0;
        self.has_reported = true;
        self.observer.record(event)
    }

    /// Carries out what is asked for, and writes a checkpoint when it is time.
    fn obey(&mut self) -> anyhow::Result<Option<Ending>> {
        let mut paused = false;
        loop {
            let step = self.state.progress.step;
            let Some(order) = self.observer.next_order() else {
                if !paused {
                    break;
                }
                self.observer.wait();
                continue;
            };
            match order {
                Order::Pause if !paused => {
                    paused = true;
                    self.observer.record(RunEventKind::Paused { step })?;
                }
                Order::Continue if paused => {
                    paused = false;
                    self.observer.record(RunEventKind::Continued { step })?;
                }
                Order::Pause | Order::Continue => {}
                Order::Checkpoint => self.save_last()?,
                Order::StopAfterEpoch => {
                    self.stops_after_epoch = true;
                    // The epoch does not end while nothing is trained.
                    if std::mem::take(&mut paused) {
                        self.observer.record(RunEventKind::Continued { step })?;
                    }
                }
                Order::Stop | Order::Interrupt => {
                    self.save_last()?;
                    self.observer.obeyed(&order, step)?;
                    return Ok(Some(if order == Order::Stop { Ending::Stopped } else { Ending::Interrupted }));
                }
            }
            self.observer.obeyed(&order, step)?;
        }
        // A pause is no reason to write, nor is a long one to be counted as training time.
        if self.last_checkpoint.elapsed().as_secs_f64() >= self.task.config.checkpoint_minutes * 60.0 {
            self.save_last()?;
        }
        Ok(None)
    }

    /// Validation, schedule, best models, checkpoint.
    fn end_epoch(&mut self) -> anyhow::Result<Option<Ending>> {
        let figures = match self.validate()? {
            Validation::Figures(figures) => Some(figures),
            Validation::NoImages => None,
            Validation::CutShort => return self.obey(),
        };
        let progress = &mut self.state.progress;
        let (epoch, step) = (progress.epoch(), progress.step);
        let images = progress.images_in_epoch as f64;
        let [train_loss, train_accuracy] = progress.totals.map(|total| total / images);
        let learning_rate = self.state.schedule.rate(step.saturating_sub(1));
        let reduction = figures.map(|figures| figures.loss.unwrap_or(f64::NAN));
        let reduction = reduction.and_then(|loss| self.state.schedule.epoch_ended(loss));
        let value = monitored(self.task.config.monitor, figures, train_accuracy, train_loss);
        self.state.early_stop.epoch_ended(value);
        let best = value.map(|value| BestModel { epoch, value });
        let best = best.and_then(|model| Some((self.state.best.place_of(model)?, model)));
        progress.epochs_done += 1;
        progress.steps_in_epoch = 0;
        progress.images_in_epoch = 0;
        progress.totals = [0.0; 2];
        self.totals = DeviceTotals::new([0.0; 2], self.task.device)?;
        let seconds = self.epoch_began.elapsed().as_secs_f64();
        self.observer.record(RunEventKind::EpochEnded {
            epoch,
            step,
            train_loss,
            train_accuracy,
            val_loss: figures.and_then(|figures| figures.loss),
            val_accuracy: figures.map(|figures| figures.accuracy),
            val_kappa: figures.and_then(|figures| figures.kappa),
            learning_rate,
            seconds,
        })?;
        if let Some(reduction) = reduction {
            let (from, to) = (reduction.from, reduction.to);
            self.observer.record(RunEventKind::LearningRateReduced { epoch, from, to })?;
        }
        if let Some((place, model)) = best {
            self.save_best(model)?;
            self.state.best.insert(place, model);
        }
        self.save_last()?;
        self.state.best.remove_others(self.task.run)?;
        // Behind the last epoch there is nothing left to stop.
        Ok((self.stops_after_epoch && !self.is_complete()).then_some(Ending::Stopped))
    }

    /// Evaluates the validation images, unless an order to end comes first.
    fn validate(&mut self) -> anyhow::Result<Validation> {
        let TrainingTask { validation, device, kind, .. } = self.task;
        if validation.is_empty() {
            return Ok(Validation::NoImages);
        }
        let network = self.state.learner.for_inference(*kind)?;
        let images: Vec<usize> = (0..validation.len()).collect();
        let mut answers: Vec<([f32; DensityClass::COUNT], DensityClass)> = Vec::with_capacity(images.len());
        for batch in images.chunks(super::inference::batch_size(*device)) {
            if self.observer.is_to_end() {
                return Ok(Validation::CutShort);
            }
            let logits = validation.logits(&network, batch, *kind)?;
            answers.extend(logits.into_iter().zip(batch.iter().map(|&image| validation.labels[image])));
        }
        Ok(Validation::Figures(SetFigures::of(&answers)))
    }
}

/// What came of a validation.
enum Validation {
    Figures(SetFigures),
    /// There are no validation images.
    NoImages,
    /// An order to end came first; the epoch is not over.
    CutShort,
}

/// The value that decides which epoch is best. Without validation images the training figures have to do.
fn monitored(monitor: Monitor, figures: Option<SetFigures>, train_accuracy: f64, train_loss: f64) -> Option<f64> {
    match (monitor, figures) {
        (Monitor::ValAccuracy, Some(figures)) => Some(figures.accuracy),
        (Monitor::ValLoss, Some(figures)) => figures.loss,
        (Monitor::ValKappa, Some(figures)) => figures.kappa,
        (Monitor::ValLoss, None) => Some(train_loss),
        (Monitor::ValAccuracy | Monitor::ValKappa, None) => Some(train_accuracy),
    }
}

/// Seeds libtorch's generator for one step, so that dropout is a pure function of seed and step.
fn dropout_seed(seed: u64, step: u64) -> i64 {
    let mut stream = RandomStream::new(seed, Purpose::Dropout, (step >> 32) as u32, (step & 0xffff_ffff) as usize);
    stream.below(1 << 62) as i64
}
