//! Trains one run, from acquiring its lock to recording its end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::Utc;
use mammoscope_cluster::job_environment::JobEnvironment;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{SlurmAttempt, TrainerFacts, TrainingSetup};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::training_changes::{TrainingChanges, changed_config, initial_config};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::VERSION;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::models::model_file::{ModelMetadata, grey_range_entry};
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointError};
use mammoscope_storage::runs::event_command_file::event_command;
use mammoscope_storage::runs::file_seal::seal_warning;
use mammoscope_storage::runs::kept_checkpoints::remove_kept_after;
use mammoscope_storage::runs::model_splits::ModelSplits;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::status_of_this_process;
use mammoscope_storage::runs::trainer_evidence::trained_elsewhere;
use tch::{Device, Kind, with_grad};

use super::configuration_changes::{record_changes, report_rate_change};
use super::event_command::EventCommand;
use super::final_evaluation::evaluate_best;
use super::preparation::{Cancelled, PreparedImages};
use super::recorder::Recorder;
use super::requeue::end_of_interrupted;
use super::run_log;
use super::run_queue::RunQueue;
use super::storage_faults::removed_text;
use super::unrecorded_models::record_models;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::epoch_plan::{check_batches, steps_per_epoch};
use crate::learning::libtorch_ext::cuda_graph::use_own_stream;
use crate::learning::loss::{CrossEntropy, TrainingLabels};
use crate::learning::memory_advice::{NotEnoughMemory, StepMemory, explain_failure};
use crate::learning::replay::replay_on;
use crate::learning::training_loop::{Ending, TrainingLoop, TrainingTask};
use crate::learning::training_observer::{Command, NotSaved, TrainingObserver as _};
use crate::learning::training_progress::{Progress, TrainingState};
use crate::thread::serve::panic_message;

/// The current run of a trainer.
pub(super) struct SingleRun<'a> {
    pub(super) run: &'a RunDir,
    /// The changes to the run's configuration.
    pub(super) changes: &'a TrainingChanges,
    pub(super) queue: &'a Arc<RunQueue>,
    pub(super) cuda: &'a CudaFacts,
    /// CPU threads of a run that does not set a number.
    pub(super) default_threads: usize,
    /// The Slurm job of this process.
    pub(super) job: Option<&'a JobEnvironment>,
}

/// What becomes known while a run trains.
#[derive(Default)]
struct AttemptFacts {
    /// The memory of a step.
    memory: Cell<Option<StepMemory>>,
    /// The step at which training began.
    first_step: Cell<Option<u64>>,
    /// The number of epochs before the changes to the run.
    epochs_before: u32,
}

impl SingleRun<'_> {
    /// Trains the run to its end; returns false if it failed. The outcome is recorded in the run's directory, as far as
    /// that can be written.
    pub(super) fn train(&self) -> bool {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.attempt()));
        self.queue.end_run();
        match attempt {
            Ok(Ok(succeeded)) => succeeded,
            Ok(Err(error)) => self.log_error(&format!("{error:#}")),
            Err(panic) => self.log_error(panic_message(panic.as_ref())),
        }
    }

    /// Logs an error that cannot be recorded as the end of the run; returns false.
    fn log_error(&self, message: &str) -> bool {
        tracing::error!("{}", self.run.in_shown_paths(message));
        false
    }

    /// Returns false if the run failed; an error could not even be recorded.
    fn attempt(&self) -> anyhow::Result<bool> {
        run_log::switch_to(self.run)?;
        let lock = self.queue.take_lock(self.run).map_or_else(|| RunLock::acquire(self.run), Ok)?;
        let without_locks = lock.unsupported().map(str::to_owned);
        if without_locks.is_none()
            && let Some(host) = trained_elsewhere(self.run)
        {
            anyhow::bail!(
                "a trainer on {} works on this run, as its heartbeat shows, although the lock of the run is free here: \
                 this file system keeps locks to each host",
                printable(&host)
            );
        }
        let spec = read_run_spec(&self.run.spec()).with_context(|| printable_path(&self.run.spec()))?;
        self.queue.start_run(self.run, Some(lock), status_of_this_process(&spec, RunPhase::Starting, Utc::now()));
        let mut recorder = Recorder::open(self.run, &spec, Arc::clone(self.queue))?;
        recorder.publish_status();
        recorder.set_time_limit(self.job.and_then(|job| job.time_limit));
        let started = RunEventKind::Started(TrainerFacts {
            pid: std::process::id(),
            host: host_name(),
            version: VERSION.to_owned(),
            slurm: self.job.map(|job| SlurmAttempt { job: job.id.to_string(), restarts: job.restarts }),
        });
        recorder.record(started)?;
        for file in [self.run.spec(), self.run.manifest()] {
            if let Some(message) = seal_warning(&file).ok().flatten() {
                recorder.record(RunEventKind::Warning { message })?;
            }
        }
        match event_command(self.run, &spec) {
            Ok(command) => {
                recorder.set_event_command(command.map(|command| EventCommand::new(command, self.run, &spec)));
            }
            Err(error) => {
                let message = self.run.in_shown_paths(&error.to_string());
                recorder.record(RunEventKind::Warning { message })?;
            }
        }
        if let Some(error) = without_locks {
            let message = format!(
                "the file system of this run has no locks ({error}): a lease, lease.json, keeps other trainers away"
            );
            recorder.record(RunEventKind::Warning { message })?;
        }
        let epochs_before = recorder.summary().epochs;
        let spec = record_changes(self.changes, self.run, spec, &mut recorder)?;
        recorder.set_full_disk_policy(spec.config.on_full);
        let facts = AttemptFacts { epochs_before, ..AttemptFacts::default() };
        // An earlier run that panicked within `no_grad` has left gradients disabled on this thread.
        let run_to_end = || with_grad(|| self.run_to_end(&spec, &mut recorder, &facts));
        let attempt = catch_unwind(AssertUnwindSafe(run_to_end));
        let changes = || recorder.summary().changes.iter().map(|change| &change.record);
        let describe = |message: &str| {
            // While it was trained, its batches may have become smaller.
            let config = changed_config(&spec.config, changes()).unwrap_or_else(|_| spec.config.clone());
            let memory = facts.memory.take().map(|memory| memory.in_batches_of(config.batch_size));
            Some(self.describe_failure(message, &RunSpec { config, ..spec.clone() }, memory))
        };
        let (state, reason) = match attempt {
            Ok(Ok(_) | Err(_)) if self.run.is_removed() => (RunPhase::Failed, Some(removed_text(self.run))),
            Ok(Ok(Ending::Completed { reason })) => (RunPhase::Completed, reason),
            Ok(Ok(Ending::Stopped)) => (RunPhase::Stopped, Some("on request".to_owned())),
            Ok(Ok(Ending::Interrupted)) => self.interrupted(&mut recorder, &facts)?,
            Ok(Err(error)) if error.is::<Cancelled>() => self.cancelled(&mut recorder, &facts)?,
            Ok(Err(error)) if error.is::<NotSaved>() => {
                let (state, reason) = self.cancelled(&mut recorder, &facts)?;
                (state, Some(reason.map_or_else(|| error.to_string(), |reason| format!("{reason}; {error}"))))
            }
            Ok(Err(error)) if error.is::<NotEnoughMemory>() => (RunPhase::Failed, Some(error.to_string())),
            Ok(Err(error)) => (RunPhase::Failed, describe(&format!("{error:#}"))),
            Err(panic) => (RunPhase::Failed, describe(panic_message(panic.as_ref()))),
        };
        if state == RunPhase::Queued {
            // From here on no process is working on the run, and its next one may be on another node.
            self.queue.update_status(|status| (status.pid, status.host, status.boot_id) = (None, None, None));
        }
        let step = recorder.summary().step;
        let reason = reason.map(|reason| self.run.in_shown_paths(&reason));
        recorder.record(RunEventKind::Ended { state, reason, step })?;
        recorder.finish();
        Ok(state != RunPhase::Failed)
    }

    /// Acknowledges the commands of a run that was stopped while nothing had to be saved.
    fn cancelled(&self, recorder: &mut Recorder, facts: &AttemptFacts) -> anyhow::Result<(RunPhase, Option<String>)> {
        let step = recorder.summary().step;
        let mut is_stopped = false;
        while let Some(command) = recorder.next_command() {
            is_stopped |= command == Command::Stop;
            recorder.acknowledge(&command, step)?;
        }
        if is_stopped {
            return Ok((RunPhase::Stopped, Some("on request".to_owned())));
        }
        self.interrupted(recorder, facts)
    }

    fn interrupted(&self, recorder: &mut Recorder, facts: &AttemptFacts) -> anyhow::Result<(RunPhase, Option<String>)> {
        let signal = self.queue.interruption();
        end_of_interrupted(signal, self.job, facts.first_step.get(), recorder)
            .map(|(phase, reason)| (phase, Some(reason)))
    }

    fn run_to_end(&self, spec: &RunSpec, recorder: &mut Recorder, facts: &AttemptFacts) -> anyhow::Result<Ending> {
        let config = &spec.config;
        config.check()?;
        let device = select_device(spec.device, self.cuda)?;
        use_own_stream(device)?;
        let (precision, kind) = select_precision(config.precision, device)?;
        // A run that was prepared before keeps its number: another one would change the last digits of sums.
        let earlier = recorder.summary().setup.as_ref().map(|setup| setup.threads);
        let threads = Some(config.threads).filter(|&threads| threads > 0).or(earlier).unwrap_or(self.default_threads);
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
        let readers = spec.placement.as_ref().map_or(threads, |chosen| chosen.reading_threads(self.default_threads));

        let queue = Arc::clone(self.queue);
        let images = PreparedImages::read(
            self.run,
            config.size,
            readers,
            recorder,
            Cancellation::new(&move || queue.should_stop()),
        )?;
        let (train, unusable) = images.training_set(device)?;
        let (validation, _) = images.evaluation_set(Split::Validation, device)?;
        let (test, _) = images.evaluation_set(Split::Test, Device::Cpu)?;
        let data = images.manifest.fingerprint();
        // Schedule and class weights stay those of the images that the run started with, even if some become unusable
        // while it trains or is interrupted.
        let per_epoch = steps_per_epoch(train.len(), config.batch_size * config.accumulate);
        check_batches(config, train.len() - unusable.len())?;
        recorder.record(RunEventKind::Prepared(TrainingSetup {
            device: device_name(device),
            precision,
            threads,
            train: train.len() - unusable.len(),
            validation: validation.len(),
            test: test.len(),
            steps_per_epoch: per_epoch,
        }))?;
        if validation.is_empty() {
            let message = "there are no validation images: the best epoch is chosen by the training metrics".to_owned();
            recorder.record(RunEventKind::Warning { message })?;
        }

        // No batch has more images than there are.
        let largest = TrainingConfig { batch_size: config.batch_size.min(train.len()), ..config.clone() };
        let resident = train.images.resident_bytes() + validation.images.resident_bytes();
        let step = StepMemory::new(&largest, kind, device, resident);
        // A GPU's allocator reports by itself that it has run out.
        if device == Device::Cpu {
            step.check(device)?;
        }
        facts.memory.set(Some(step));

        let labels = TrainingLabels { classes: &train.labels, distributions: train.targets.as_deref() };
        let loss = CrossEntropy::new(config.class_weights, config.label_smoothing, labels, device)?;
        let mut state = TrainingState::initial(config, per_epoch, loss, device, kind)?;
        let notes = checkpoint_notes(config, &data, recorder)?;
        self.restore(&mut state, &notes, recorder)?;
        record_models(self.run, config, &state, recorder)?;
        if let Err(error) = remove_kept_after(self.run, state.progress.epochs_done) {
            let message = format!("models of epochs that are trained again cannot be removed: {error}");
            recorder.record(RunEventKind::Warning { message })?;
        }
        // The next checkpoint lists fewer models, if fewer are to be kept now; until then, their files stay.
        state.best.drop_surplus();
        report_rate_change(config, facts.epochs_before, per_epoch, &state, recorder)?;
        // More epochs were asked for, so an early stop does not end the run before them.
        let progress = &state.progress;
        let continues =
            self.changes.epochs.is_some() && progress.steps_in_epoch == 0 && progress.epochs_done < config.epochs;
        let starts_again = continues && state.early_stop.is_over();
        if starts_again {
            recorder.record(RunEventKind::EarlyStopRestarted { epochs_done: state.progress.epochs_done })?;
            state.early_stop.start_again();
        }
        facts.first_step.set(Some(state.progress.step));
        // All images were just checked: one that was lost and has come back is used again.
        state.progress.unusable = unusable.into_iter().collect();
        recorder.watch(notes, images.watched(&state.progress.unusable));
        let metadata = self.metadata(spec, &images, &data);
        let task = TrainingTask { config, run: self.run, train, validation, metadata, device, kind };
        let mut training = TrainingLoop::new(&task, &mut state, recorder, replay_on(device))?;
        if starts_again {
            // An interruption before the next checkpoint must not bring the old count back.
            training.save_last()?;
        }
        let ending = training.run()?;
        if matches!(ending, Ending::Completed { .. }) {
            evaluate_best(self.run, &images, device, recorder)?;
        }
        Ok(ending)
    }

    /// Restores the last checkpoint, or the previous one if that is damaged. Without either, the run starts from
    /// scratch.
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
                            "{file} belongs to another configuration or data set ({key} differs): was run.toml or \
                             dataset.json changed? Undo the change, or start a new run"
                        );
                    }
                    state.restore(&checkpoint).with_context(|| file.clone())?;
                    if damaged.is_empty() {
                        state.best.remove_others(self.run)?;
                    } else {
                        // Otherwise the damaged file would replace this one when the next checkpoint is written. This
                        // checkpoint does not list later best models, which are kept until a checkpoint does.
                        std::fs::rename(self.run.last_checkpoint(), self.run.rejected_checkpoint())
                            .context("set last.safetensors aside")?;
                    }
                    recorder.take_over_events(&checkpoint.notes)?;
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
            "no checkpoint can be used ({}); remove the damaged files to start from scratch",
            damaged.join("; ")
        );
        if recorder.summary().step > 0 {
            // The run ended before its first checkpoint: its events are recorded again.
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
        ModelMetadata { width, size, view: Some(spec.view), input_route: InputRoute::Training, provenance }
    }

    /// The message of a failure in one line; if memory ran out, with advice on what would fit.
    fn describe_failure(&self, message: &str, spec: &RunSpec, memory: Option<StepMemory>) -> String {
        let device = select_device(spec.device, self.cuda).unwrap_or(Device::Cpu);
        let kind = select_precision(spec.config.precision, device).map_or(Kind::Float, |(_, kind)| kind);
        let memory = memory.unwrap_or_else(|| StepMemory::new(&spec.config, kind, device, 0));
        explain_failure(message, &memory, device)
    }
}

/// The hashes that tie a checkpoint to its run: those of the configuration that the run began with, and of its images.
fn checkpoint_notes(
    config: &TrainingConfig,
    data: &str,
    recorder: &Recorder,
) -> anyhow::Result<BTreeMap<String, String>> {
    let initial = initial_config(config, recorder.summary().changes.iter().map(|change| &change.record))?;
    Ok(BTreeMap::from([
        ("config_sha256".to_owned(), initial.fingerprint()),
        ("dataset_sha256".to_owned(), data.to_owned()),
    ]))
}
