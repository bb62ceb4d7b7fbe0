//! What will happen: images, devices, memory and time of the training that is asked for.

use chrono::{DateTime, Utc};

use super::form::TrainForm;
use crate::tui::protocol::train::DataSummary;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::step_timing::{EpochImages, StepTiming};
use mammoscope_domain::training::training_config::{OptimizerKind, ScheduleKind, TrainingConfig};

/// What is known of the data set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum DataState {
    /// Nothing was asked for yet.
    #[default]
    Unknown,
    /// Its folders are being listed.
    Reading,
    /// It can be trained on.
    Known(DataSummary),
    /// It cannot, and why.
    Failed(String),
}

impl DataState {
    /// What is known, where something is.
    pub(super) fn known(&self) -> Option<&DataSummary> {
        if let Self::Known(outlook) = self { Some(outlook) } else { None }
    }
}

/// What is known of the time that a step takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Timing {
    /// Nothing was asked of the engine.
    #[default]
    Unknown,
    /// The engine is timing three steps.
    Running,
    /// It has.
    Known { timing: StepTiming, at: DateTime<Utc> },
    /// It could not, and why.
    Failed(String),
}

/// How long the whole takes, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Estimate {
    /// Seconds of the longest epoch.
    pub(super) epoch: f64,
    /// Seconds until the last run is over.
    pub(super) total: f64,
}

/// For each trainer its device and the positions of its runs; one on an unknown device where GPUs are not counted yet.
pub(super) fn shares(devices: &DeviceList, runs: usize, gpus: usize) -> Vec<(DeviceChoice, Vec<usize>)> {
    let shares = devices.deal(runs, gpus);
    if shares.is_empty() { vec![(DeviceChoice::Cuda(0), (0..runs).collect())] } else { shares }
}

/// The time that a timing and a data set give.
pub(super) fn estimate(form: &TrainForm, data: &DataSummary, timing: &StepTiming) -> Estimate {
    let batch_size = form.config.batch_size;
    let runs: Vec<EpochImages> = data.views.iter().map(|view| view.of_epoch()).collect();
    let shares = shares(&form.devices(), runs.len(), timing.gpus);
    Estimate {
        epoch: runs.iter().map(|images| timing.epoch_seconds(batch_size, *images)).fold(0.0, f64::max),
        total: timing.total_seconds(form.config.epochs, batch_size, &runs, &shares),
    }
}

/// The configuration without what makes no difference to the time of a step.
pub(super) fn as_timed(config: &TrainingConfig) -> TrainingConfig {
    TrainingConfig {
        epochs: 1,
        seed: 0,
        accumulate: 1,
        learning_rate: 0.01,
        warmup_epochs: 0,
        schedule: ScheduleKind::Constant,
        plateau_min: 0.0,
        plateau_factor: 0.5,
        plateau_patience: 1,
        // Nesterov's wants some.
        momentum: if config.optimizer == OptimizerKind::Nesterov || config.momentum > 0.0 { 0.9 } else { 0.0 },
        keep_best: 1,
        early_stop: 0,
        checkpoint_minutes: 10.0,
        ..config.clone()
    }
}
