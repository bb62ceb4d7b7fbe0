//! The order of runs by a column. Runs without a value come last, however the others are ordered.

use std::cmp::Ordering;

use super::columns::{Column, remaining};
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::title;
use mammoscope_domain::run::run_condition::RunCondition;

/// What a run is sorted by.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Number(f64),
    /// A metric's name and its value, so that values of different metrics are not compared.
    Metric(String, f64),
}

impl Key {
    fn of(row: &RunRow, column: Column) -> Option<Self> {
        let status = row.status.as_ref();
        match column {
            Column::Name => Some(Self::Text(title(row).to_lowercase())),
            Column::State => Some(Self::Number(state_rank(row.condition.as_ref()))),
            Column::Best => {
                let best = status?.best.as_ref().filter(|best| best.value.is_finite())?;
                let is_loss = best.metric.ends_with("loss");
                Some(Self::Metric(best.metric.clone(), if is_loss { best.value } else { -best.value }))
            }
            Column::Epoch => Some(Self::Number(-f64::from(status.filter(|status| status.epoch > 0)?.epoch))),
            Column::Eta => remaining(row).map(Self::Number),
            Column::Preset => Some(Self::Text(row.spec.as_ref()?.preset.to_lowercase())),
            Column::Tags => {
                Some(Self::Text(row.tags_text().to_lowercase())).filter(|key| *key != Self::Text(String::new()))
            }
            Column::Created => Some(Self::Number(-(row.created()?.timestamp_millis() as f64))),
            Column::Curve => None,
        }
    }
}

/// Sorts positions of rows by a column: the best, the largest progress or the first of the alphabet first.
pub(super) fn sort(shown: &mut [usize], rows: &[RunRow], column: Column, reversed: bool) {
    let keys: Vec<Option<Key>> = rows.iter().map(|row| Key::of(row, column)).collect();
    shown.sort_by(|one, other| match (&keys[*one], &keys[*other]) {
        (Some(a), Some(b)) => {
            let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if reversed { order.reverse() } else { order }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
}

/// Active runs first, completed ones last.
fn state_rank(condition: Option<&RunCondition>) -> f64 {
    match condition.map(RunCondition::name) {
        Some("starting" | "running" | "paused" | "stopping") => 0.0,
        Some("queued") => 1.0,
        Some("failed") => 2.0,
        Some("stale") | None => 3.0,
        Some("interrupted" | "stopped") => 4.0,
        Some(_) => 5.0,
    }
}
