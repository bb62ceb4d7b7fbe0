//! Sorting runs by a metric of their best epoch, or by their state.

use std::cmp::Ordering;

use clap::ValueEnum;

use super::listed::Listed;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_records::EpochMetrics;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_runs::snapshot::RunSnapshot;

/// What runs are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SortKey {
    /// Accuracy on the validation images, the largest first
    #[value(name = "val_accuracy")]
    ValAccuracy,
    /// Loss on the validation images, the smallest first
    #[value(name = "val_loss")]
    ValLoss,
    /// Quadratic-weighted kappa on the validation images, the largest first
    #[value(name = "val_kappa")]
    ValKappa,
    /// Running, queued, failed, … completed
    State,
    /// Name
    Name,
}

impl SortKey {
    /// The metric of the key, if it is one.
    pub(super) const fn metric(self) -> Option<Monitor> {
        match self {
            Self::ValAccuracy => Some(Monitor::ValAccuracy),
            Self::ValLoss => Some(Monitor::ValLoss),
            Self::ValKappa => Some(Monitor::ValKappa),
            Self::State | Self::Name => None,
        }
    }
}

/// Sorts runs; a metric is that of the run's best epoch by its own monitor, and runs without one come last. Returns the
/// metric's value of each run, in the new order.
pub(super) fn sort(runs: &mut Vec<Listed>, key: SortKey) -> Vec<Option<f64>> {
    let Some(metric) = key.metric() else {
        runs.sort_by(|one, other| by_text(one, other, key));
        return vec![None; runs.len()];
    };
    let mut with_values: Vec<(Option<f64>, Listed)> =
        std::mem::take(runs).into_iter().map(|run| (value(&run, metric), run)).collect();
    with_values.sort_by(|(one, _), (other, _)| match (one, other) {
        (Some(a), Some(b)) if metric.is_better(*a, *b) => Ordering::Less,
        (Some(a), Some(b)) if metric.is_better(*b, *a) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    });
    let (values, sorted): (Vec<_>, Vec<_>) = with_values.into_iter().unzip();
    *runs = sorted;
    values
}

fn by_text(one: &Listed, other: &Listed, key: SortKey) -> Ordering {
    let state = |run: &Listed| match run.condition.as_ref().map(RunCondition::name) {
        Some("starting" | "running" | "paused" | "stopping") => 0,
        Some("queued") => 1,
        Some("failed") => 2,
        Some("stale") | None => 3,
        Some("interrupted" | "stopped") => 4,
        Some(_) => 5,
    };
    let names = || one.entry.run.name().cmp(&other.entry.run.name());
    if key == SortKey::State { state(one).cmp(&state(other)).then_with(names) } else { names() }
}

/// The metric at the run's best epoch. The status has the monitored one; others are read from the events.
fn value(run: &Listed, metric: Monitor) -> Option<f64> {
    let best = run.entry.status.as_ref().ok()?.best.as_ref()?;
    if best.metric == metric.name() {
        return Some(best.value);
    }
    let snapshot = RunSnapshot::read(run.entry.run.clone());
    let history: Vec<EpochMetrics> = snapshot.summary().history();
    let epoch = history.iter().find(|metrics| metrics.epoch == best.epoch)?;
    let (name, value) = epoch.monitored(metric);
    value.filter(|_| name == metric.name())
}
