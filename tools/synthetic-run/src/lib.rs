//! Runs that were never trained: histories of any length, for measuring the cost of showing them.
//!
//! They are written by the trainer's own code, so that every reader takes them for runs. The curves are synthetic: a
//! decay with noise, a spike now and then, and one value that is not finite.

use std::io;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{
    CheckpointKind, EpochMetrics, EpochRecord, SavedCheckpoint, StepReport, TrainerFacts, TrainingSetup,
};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase, RunStatus};
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::{Monitor, TrainingConfig};
use mammoscope_engine_protocol::VERSION;
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::write_run_spec;
use mammoscope_storage::runs::run_status_file::{status_of_this_process, write_status};
use mammoscope_storage::runs::workspace::Workspace;

/// Seconds between two reports in a history.
const SECONDS_PER_STEP: f64 = 0.4;
/// Steps between spikes, at which the loss is ten times what it should be.
const SPIKE_EVERY: u64 = 7919;

/// The length and seed of a synthetic run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntheticHistory {
    pub epochs: u32,
    /// Each step is reported.
    pub steps_per_epoch: u64,
    /// Determines all values.
    pub seed: u64,
    /// The number of the study that the run belongs to, and its place in it: fold by fold, then point by point.
    pub study: Option<(u32, u32)>,
}

/// The folds of a synthetic study.
const FOLDS: u32 = 5;

/// The place of a run in a synthetic study.
fn member((study, place): (u32, u32)) -> StudyMember {
    let point = place / FOLDS + 1;
    StudyMember {
        id: format!("2026-01-01T00-00-00_synthetic_{study:04}"),
        point,
        values: [("learning_rate".to_owned(), (f64::from(point) / 1000.0).to_string())].into(),
        repetition: 1,
        fold: Some(place % FOLDS + 1),
    }
}

/// A run that grows as if it were being trained.
#[derive(Debug)]
pub struct SyntheticRun {
    run: RunDir,
    history: SyntheticHistory,
    events: EventLog,
    status: RunStatus,
    random: ChaCha8Rng,
    /// The time of the next event.
    time: DateTime<Utc>,
    step: u64,
}

impl SyntheticRun {
    /// Creates a prepared run in the workspace, before its first step. It starts so long before `end` that its whole
    /// history fits.
    pub fn create(workspace: &Workspace, history: SyntheticHistory, end: DateTime<Utc>) -> io::Result<Self> {
        let SyntheticHistory { epochs, steps_per_epoch, seed, study } = history;
        let seconds = (u64::from(epochs) * steps_per_epoch) as f64 * SECONDS_PER_STEP;
        let time = end - TimeDelta::milliseconds((seconds * 1e3) as i64);
        let view = View::ALL[(seed % View::ALL.len() as u64) as usize];
        let run = workspace.create_run(time, view, "synthetic")?;
        let quick = Preset::named("quick").expect("a preset that ships").config;
        let config = TrainingConfig { epochs, seed, monitor: Monitor::ValAccuracy, ..quick };
        let spec = RunSpec {
            grey_range: GreyRange::Auto,
            schema: RUN_SCHEMA,
            on_event: None,
            placement: None,
            study: study.map(member),
            created: time,
            group: run.name(),
            view,
            preset: "quick".to_owned(),
            data: workspace.path().join("synthetic"),
            device: DeviceChoice::Cpu,
            config,
        };
        write_run_spec(&run.spec(), &spec).map_err(io::Error::other)?;
        let mut status = status_of_this_process(&spec, RunPhase::Running, end);
        status.steps_per_epoch = steps_per_epoch;
        let events = EventLog::open(&run.events())?;
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut synthetic = Self { run, history, events, status, random, time, step: 0 };
        synthetic.record(RunEventKind::Created { preset: spec.preset, epochs })?;
        let pid = std::process::id();
        synthetic.record(RunEventKind::Started(TrainerFacts {
            pid,
            host: host_name(),
            version: VERSION.to_owned(),
            slurm: None,
        }))?;
        synthetic.record(RunEventKind::Prepared(TrainingSetup {
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 2,
            train: steps_per_epoch as usize * 8,
            validation: steps_per_epoch as usize,
            test: steps_per_epoch as usize,
            steps_per_epoch,
        }))?;
        Ok(synthetic)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.run.path()
    }

    /// Makes one step, with the events at the start and end of its epoch. Returns `false` if there are no more steps.
    pub fn advance(&mut self) -> io::Result<bool> {
        let SyntheticHistory { epochs, steps_per_epoch, .. } = self.history;
        if self.step >= u64::from(epochs) * steps_per_epoch {
            return Ok(false);
        }
        let epoch = (self.step / steps_per_epoch) as u32 + 1;
        let learning_rate = 0.01 * 0.5_f64.powi((epoch / 20) as i32);
        if self.step.is_multiple_of(steps_per_epoch) {
            self.record(RunEventKind::EpochStarted { epoch, step: self.step, learning_rate })?;
        }
        self.step += 1;
        self.time += TimeDelta::milliseconds((SECONDS_PER_STEP * 1e3) as i64);
        let progress = self.step as f64 / (u64::from(epochs) * steps_per_epoch) as f64;
        let smooth = 1.4 * (-3.0 * progress).exp() + 0.15;
        let noise = self.random.random_range(-1.0..1.0);
        let spike = if self.step.is_multiple_of(SPIKE_EVERY) { 10.0 } else { 1.0 };
        let images_per_s = 20.0 + self.random.random_range(-2.0..2.0);
        self.record(RunEventKind::StepReported(StepReport {
            epoch,
            step: self.step,
            loss: smooth * (1.0 + 0.1 * noise) * spike,
            accuracy: (1.0 - 0.45 * smooth + 0.02 * noise).clamp(0.0, 1.0),
            learning_rate,
            gradient_norm: smooth * (1.5 + noise),
            images_per_s,
        }))?;
        if self.step == steps_per_epoch / 2 {
            let files = vec!["1_1_A_CC_R.png".to_owned()];
            self.record(RunEventKind::Nonfinite { step: self.step, what: "loss".to_owned(), files })?;
        }
        (self.status.step, self.status.epoch) = (self.step, epoch);
        self.status.images_per_s = Some(images_per_s);
        self.status.eta_s = Some((u64::from(epochs) * steps_per_epoch - self.step) as f64 * SECONDS_PER_STEP);
        if self.step.is_multiple_of(steps_per_epoch) {
            self.end_epoch(epoch, smooth, learning_rate)?;
        }
        Ok(true)
    }

    fn end_epoch(&mut self, epoch: u32, smooth: f64, learning_rate: f64) -> io::Result<()> {
        let noise = self.random.random_range(-1.0..1.0);
        let accuracy = (0.95 - 0.4 * smooth + 0.03 * noise).clamp(0.0, 1.0);
        self.record(RunEventKind::EpochEnded(EpochRecord {
            metrics: EpochMetrics {
                epoch,
                step: self.step,
                train_loss: smooth,
                train_accuracy: (1.0 - 0.45 * smooth).clamp(0.0, 1.0),
                val_loss: Some(smooth * (1.15 + 0.1 * noise)),
                val_accuracy: Some(accuracy),
                val_kappa: Some((accuracy * 1.1 - 0.2).clamp(0.0, 1.0)),
                learning_rate,
            },
            seconds: self.history.steps_per_epoch as f64 * SECONDS_PER_STEP,
        }))?;
        if self.status.best.as_ref().is_none_or(|best| accuracy > best.value) {
            self.status.best = Some(BestEpoch { metric: "val_accuracy".to_owned(), value: accuracy, epoch });
            let file = format!("best-{epoch:03}-{accuracy:.2}.safetensors");
            let kind = CheckpointKind::Best;
            self.record(RunEventKind::CheckpointSaved(SavedCheckpoint {
                epoch,
                step: self.step,
                kind,
                file,
                value: Some(accuracy),
            }))?;
        }
        Ok(())
    }

    /// Writes the status, as a trainer does every few seconds. From now on, events have the current time.
    pub fn beat(&mut self) -> io::Result<()> {
        self.time = Utc::now();
        (self.status.heartbeat, self.status.updated) = (self.time, self.time);
        write_status(&self.run.status(), &self.status)
    }

    /// Ends the run: in the state `completed` if all steps were made, else in `stopped`.
    pub fn end(mut self) -> io::Result<()> {
        let all = u64::from(self.history.epochs) * self.history.steps_per_epoch;
        let state = if self.step >= all { RunPhase::Completed } else { RunPhase::Stopped };
        self.record(RunEventKind::Ended { state, reason: None, step: self.step })?;
        (self.status.state, self.status.eta_s) = (state, None);
        (self.status.heartbeat, self.status.updated) = (self.time, self.time);
        write_status(&self.run.status(), &self.status)
    }

    fn record(&mut self, kind: RunEventKind) -> io::Result<()> {
        self.events.append(&RunEvent { time: self.time, kind })
    }
}
