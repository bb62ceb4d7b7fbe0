//! The estimate of the training time, and what it is made from.

use chrono::{DateTime, Utc};

use super::form::TrainForm;
use crate::tui::protocol::train::DataSummary;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::step_timing::EpochImages;
use mammoscope_domain::training::training_config::{OptimizerKind, ScheduleKind, TrainingConfig};
use mammoscope_engine_client::placement_benchmark::PlacementTiming;

/// The state of the data set's summary.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum DataState {
    /// Not requested yet.
    #[default]
    Unknown,
    Reading,
    Known(DataSummary),
    /// The data set cannot be used, for this reason.
    Failed(String),
}

impl DataState {
    pub(super) fn known(&self) -> Option<&DataSummary> {
        if let Self::Known(summary) = self { Some(summary) } else { None }
    }
}

/// The state of the timing of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Timing {
    /// Not requested yet.
    #[default]
    Unknown,
    /// Engines are timing steps.
    Running,
    Known {
        timing: PlacementTiming,
        at: DateTime<Utc>,
    },
    Failed(String),
}

/// The estimated durations, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Estimate {
    /// The longest epoch.
    pub(super) epoch: f64,
    /// The time until the last run ends.
    pub(super) total: f64,
}

/// For each trainer, its device and the indices of its runs. Before anything is timed, and the GPUs are counted, one
/// trainer per device and a single device are assumed.
pub(super) fn shares(
    devices: &DeviceList,
    runs: usize,
    timing: Option<&PlacementTiming>,
) -> Vec<(DeviceChoice, Vec<usize>)> {
    let shares = match timing {
        Some(timing) => devices.assign_side_by_side(runs, timing.steps.gpus, timing.placement.jobs),
        None => devices.assign(runs, 0),
    };
    if shares.is_empty() { vec![(DeviceChoice::Cuda(0), (0..runs).collect())] } else { shares }
}

/// Estimates the durations from a timing and a data set.
pub(super) fn estimate(form: &TrainForm, data: &DataSummary, timing: &PlacementTiming) -> Estimate {
    let batch_size = form.config.batch_size;
    // Points may differ in their steps; as on the command line, the first stands for the others.
    let of_views = data.views.iter().map(|view| view.of_epoch());
    let runs: Vec<EpochImages> = std::iter::repeat_n(of_views, form.runs_per_view()).flatten().collect();
    let shares = shares(&form.devices(), runs.len(), Some(timing));
    let steps = &timing.steps;
    Estimate {
        epoch: runs.iter().map(|images| steps.epoch_seconds(batch_size, *images)).fold(0.0, f64::max),
        total: steps.total_seconds(form.config.epochs, batch_size, &runs, &shares),
    }
}

/// The configuration with everything normalised that does not affect the duration of a step.
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
        // Nesterov's method requires some.
        momentum: if config.optimizer == OptimizerKind::Nesterov || config.momentum > 0.0 { 0.9 } else { 0.0 },
        keep_best: 1,
        keep_every: 0,
        early_stop: 0,
        checkpoint_minutes: 10.0,
        ..config.clone()
    }
}
