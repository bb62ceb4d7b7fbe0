//! One run, from its lock to its end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::Utc;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::early_stop::EarlyStop;
use mammoscope_domain::training::lr_schedule::LearningRateSchedule;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_engine_protocol::protocol::VERSION;
use mammoscope_storage::models::model_file::{ModelMetadata, grey_range_entry, sha256_hex};
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointError};
use mammoscope_storage::runs::model_splits::ModelSplits;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::status_of_this_process;
use tch::{Device, Kind, with_grad};

use super::desk::Desk;
use super::final_evaluation::evaluate_best;
use super::preparation::{Cancelled, PreparedImages};
use super::recorder::Recorder;
use super::run_log;
use crate::learning::best_models::BestModels;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::epoch_plan::{check_batches, steps_per_epoch};
use crate::learning::initial_weights::initial_model;
use crate::learning::learner::Learner;
use crate::learning::loss::CrossEntropy;
use crate::learning::memory_advice::{NotEnoughMemory, StepMemory, explain_failure};
use crate::learning::training_loop::{Ending, TrainingLoop, TrainingTask};
use crate::learning::training_observer::{Order, TrainingObserver as _};
use crate::learning::training_progress::{Progress, TrainingState};
use crate::thread::serve::panic_message;

/// A run whose turn has come.
pub(super) struct SingleRun<'a> {
    /// The directory.
    pub(super) run: &'a RunDir,
    /// Epochs to train to, where they are to change.
    pub(super) epochs: Option<u32>,
    /// Where orders come from.
    pub(super) desk: &'a Arc<Desk>,
    /// The GPUs.
    pub(super) cuda: &'a CudaFacts,
    /// CPU threads of a run that asks for no number.
    pub(super) default_threads: usize,
}

impl SingleRun<'_> {
    /// Trains the run to its end; `false` when it failed. Whatever happens stands in its directory, as far as that can be
    /// written.
    pub(super) fn train(&self) -> bool {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt()));
        self.desk.end();
        match attempt {
            Ok(Ok(well)) => well,
            Ok(Err(error)) => {
                tracing::error!("{error:#}");
                false
            }
            Err(panic) => {
                tracing::error!("{}", panic_message(panic.as_ref()));
                false
            }
        }
    }

    /// An error here is one that could not even be recorded.
    fn attempt(&self) -> anyhow::Result<bool> {
        run_log::switch_to(self.run)?;
        let _lock = RunLock::acquire(self.run)?;
        let spec = read_run_spec(&self.run.spec()).with_context(|| printable_path(&self.run.spec()))?;
        self.desk.begin(self.run, status_of_this_process(&spec, RunPhase::Starting, Utc::now()));
        let mut recorder = Recorder::open(self.run, &spec, Arc::clone(self.desk))?;
        recorder.announce()?;
        let started = RunEventKind::Started { pid: std::process::id(), host: host_name(), version: VERSION.to_owned() };
        recorder.record(started)?;
        if let Some(epochs) = self.epochs.filter(|&epochs| epochs != recorder.state().epochs) {
            recorder.record(RunEventKind::EpochsChanged { epochs })?;
        }
        let mut spec = spec;
        spec.config.epochs = recorder.state().epochs;
        // A run before this one that panicked within `no_grad` has left gradients switched off on this thread.
        let memory = Cell::new(None);
        let to_the_end = || with_grad(|| self.run_to_the_end(&spec, &mut recorder, &memory));
        let attempt = catch_unwind(AssertUnwindSafe(to_the_end));
        let explained = |message: &str| Some(self.explained(message, &spec, memory.take()));
        let (state, reason) = match attempt {
            Ok(Ok(Ending::Completed { reason })) => (RunPhase::Completed, reason),
            Ok(Ok(Ending::Stopped)) => (RunPhase::Stopped, Some("as a request asked".to_owned())),
            Ok(Ok(Ending::Interrupted)) => (RunPhase::Interrupted, Some("by a signal".to_owned())),
            Ok(Err(error)) if error.is::<Cancelled>() => Self::cancelled(&mut recorder)?,
            Ok(Err(error)) if error.is::<NotEnoughMemory>() => (RunPhase::Failed, Some(error.to_string())),
            Ok(Err(error)) => (RunPhase::Failed, explained(&format!("{error:#}"))),
            Err(panic) => (RunPhase::Failed, explained(panic_message(panic.as_ref()))),
        };
        let step = recorder.state().step;
        let ended = recorder.record(RunEventKind::Ended { state, reason: reason.clone(), step });
        if let Err(error) = ended {
            tracing::error!("the end cannot be recorded: {error:#}");
            self.desk.update_status(|status| (status.state, status.reason) = (state, reason));
            self.desk.write_last_status()?;
        }
        Ok(state != RunPhase::Failed)
    }

    /// An order to end came while there was nothing to save.
    fn cancelled(recorder: &mut Recorder) -> anyhow::Result<(RunPhase, Option<String>)> {
        let step = recorder.state().step;
        let mut phase = RunPhase::Interrupted;
        while let Some(order) = recorder.next_order() {
            if order == Order::Stop {
                phase = RunPhase::Stopped;
            }
            recorder.obeyed(&order, step)?;
        }
        let reason = if phase == RunPhase::Stopped { "as a request asked" } else { "by a signal" };
        Ok((phase, Some(reason.to_owned())))
    }

    /// `memory` is told what a step needs, once that is known.
    fn run_to_the_end(
        &self,
        spec: &RunSpec,
        recorder: &mut Recorder,
        memory: &Cell<Option<StepMemory>>,
    ) -> anyhow::Result<Ending> {
        let config = &spec.config;
        config.check()?;
        let device = select_device(spec.device, self.cuda)?;
        let (precision, kind) = select_precision(config.precision, device)?;
        let threads = if config.threads == 0 { self.default_threads } else { config.threads };
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));

        let desk = Arc::clone(self.desk);
        let images = PreparedImages::read(self.run, config.size, threads, recorder, &move || desk.is_to_end())?;
        let (train, lost) = images.training_set(device)?;
        let (validation, _) = images.evaluation_set(Split::Validation, device)?;
        let (test, _) = images.evaluation_set(Split::Test, Device::Cpu)?;
        let data = images.manifest.fingerprint();
        // Schedule and class weights stay those of the images that the run began with, whether one is lost while it
        // trains or while it is interrupted.
        let per_epoch = steps_per_epoch(train.len(), config.batch_size * config.accumulate);
        check_batches(config, train.len() - lost.len())?;
        recorder.record(RunEventKind::Prepared {
            device: device_name(device),
            precision,
            threads,
            train: train.len() - lost.len(),
            validation: validation.len(),
            test: test.len(),
            steps_per_epoch: per_epoch,
        })?;
        if validation.is_empty() {
            let message = "there is no validation image: the best epoch is chosen by the training figures".to_owned();
            recorder.record(RunEventKind::Warning { message })?;
        }

        // No batch is larger than the images are many.
        let largest = TrainingConfig { batch_size: config.batch_size.min(train.len()), ..config.clone() };
        let resident = train.images.resident_bytes() + validation.images.resident_bytes();
        let step = StepMemory::new(&largest, kind, device, resident);
        // A GPU's allocator says by itself when it has no more.
        if device == Device::Cpu {
            step.check(device)?;
        }
        memory.set(Some(step));

        let loss = CrossEntropy::new(config.class_weights, config.label_smoothing, &train.labels, device)?;
        let initial = initial_model(config.width, config.size, Some(spec.view), config.seed);
        let mut state = TrainingState {
            learner: Learner::new(config, &initial.tensors, loss, device, kind)?,
            progress: Progress::default(),
            schedule: LearningRateSchedule::new(config, per_epoch),
            early_stop: EarlyStop::new(config),
            best: BestModels::new(config.monitor, config.keep_best),
        };
        let notes = checkpoint_notes(config, &data);
        self.restore(&mut state, &notes, recorder)?;
        state.progress.lost.extend(lost);
        recorder.watch(notes, images.watched());
        let metadata = self.metadata(spec, &images, &data);
        let task = TrainingTask { config, run: self.run, train, validation, metadata, device, kind };
        let ending = TrainingLoop::new(&task, &mut state, recorder)?.run()?;
        if matches!(ending, Ending::Completed { .. }) {
            evaluate_best(self.run, &images, device, recorder)?;
        }
        Ok(ending)
    }

    /// Takes up the last checkpoint, or the one before where that is damaged. Without any, the run begins anew.
    fn restore(
        &self,
        state: &mut TrainingState,
        notes: &BTreeMap<String, String>,
        recorder: &mut Recorder,
    ) -> anyhow::Result<()> {
        let mut damaged = Vec::new();
        for path in [self.run.last_checkpoint(), self.run.previous_checkpoint()] {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            match Checkpoint::read(&path) {
                Ok(checkpoint) => {
                    for key in ["config_sha256", "dataset_sha256"] {
                        anyhow::ensure!(
                            checkpoint.notes.get(key) == notes.get(key),
                            "{file} belongs to another configuration or data set ({key} differs): were run.toml or \
                             dataset.json changed? Undo it, or start a new run"
                        );
                    }
                    state.restore(&checkpoint).with_context(|| file.clone())?;
                    if damaged.is_empty() {
                        state.best.remove_others(self.run)?;
                    } else {
                        // Left there, it would take this one's place when the next checkpoint is written. This one does
                        // not know of later models, which stay until there is a checkpoint that does.
                        std::fs::rename(self.run.last_checkpoint(), self.run.rejected_checkpoint())
                            .context("set last.safetensors aside")?;
                    }
                    recorder.warn_of_lost_events(&checkpoint.notes)?;
                    let Progress { step, epochs_done, .. } = state.progress;
                    return recorder.record(RunEventKind::Resumed { step, epochs_done, checkpoint: file });
                }
                Err(CheckpointError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let reason = error.to_string();
                    recorder.record(RunEventKind::CheckpointRejected { file: file.clone(), reason: reason.clone() })?;
                    damaged.push(format!("{file}: {reason}"));
                }
            }
        }
        anyhow::ensure!(
            damaged.is_empty(),
            "no checkpoint can be used ({}); remove what is damaged to begin anew",
            damaged.join("; ")
        );
        if recorder.state().step > 0 {
            // It was ended before its first checkpoint: what it recorded comes again.
            let checkpoint = "none".to_owned();
            recorder.record(RunEventKind::Resumed { step: 0, epochs_done: 0, checkpoint })?;
        }
        Ok(state.best.remove_others(self.run)?)
    }

    fn metadata(&self, spec: &RunSpec, images: &PreparedImages, data: &str) -> ModelMetadata {
        let mut provenance = ModelSplits::of_manifest(&images.manifest).to_provenance();
        provenance.extend(
            [
                ("source", "mammoscope train".to_owned()),
                ("version", VERSION.to_owned()),
                ("run", self.run.name()),
                ("group", spec.group.clone()),
                ("preset", spec.preset.clone()),
                ("seed", spec.config.seed.to_string()),
                ("dataset_sha256", data.to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        provenance.extend([grey_range_entry(images.manifest.grey_range)]);
        let training = images.manifest.findings_of(Split::Train).map(|(_, findings)| findings);
        provenance.extend(TrainingImages::of(training).map(|training| training.to_provenance()));
        let TrainingConfig { width, size, .. } = spec.config;
        ModelMetadata { width, size, view: Some(spec.view), input_route: InputRoute::One, provenance }
    }

    /// A failure in one line; where memory ran out, with what would fit.
    fn explained(&self, message: &str, spec: &RunSpec, memory: Option<StepMemory>) -> String {
        let device = select_device(spec.device, self.cuda).unwrap_or(Device::Cpu);
        let kind = select_precision(spec.config.precision, device).map_or(Kind::Float, |(_, kind)| kind);
        let memory = memory.unwrap_or_else(|| StepMemory::new(&spec.config, kind, device, 0));
        explain_failure(message, &memory, device)
    }
}

/// The hashes that tie a checkpoint to its run.
fn checkpoint_notes(config: &TrainingConfig, data: &str) -> BTreeMap<String, String> {
    // More epochs, other threads or more frequent checkpoints leave a training what it is.
    let lasting = TrainingConfig { epochs: 1, threads: 0, checkpoint_minutes: 1.0, ..config.clone() };
    let config = serde_json::to_vec(&lasting).expect("a configuration is plain data");
    BTreeMap::from([("config_sha256".to_owned(), sha256_hex(&config)), ("dataset_sha256".to_owned(), data.to_owned())])
}
