//! The columns of the list of runs.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::tui::protocol::run_list::RunRow;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::time_label;
use mammoscope_domain::run::run_condition::{RunCondition, age_text};
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase, RunStatus};
use mammoscope_domain::text::printable::printable;

/// A column of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Column {
    /// The view and the name; always the first column.
    Name,
    State,
    /// The validation loss of every epoch.
    Curve,
    Best,
    Epoch,
    Eta,
    Tags,
    Preset,
    /// The time when the run was created; the order of the list unless another is chosen.
    Created,
}

impl Column {
    /// The columns that can be shown or hidden, in their order on screen.
    pub(super) const OPTIONAL: [Self; 8] =
        [Self::State, Self::Curve, Self::Best, Self::Eta, Self::Epoch, Self::Tags, Self::Preset, Self::Created];
    /// The columns that are shown unless others are chosen.
    pub(super) const USUAL: [Self; 6] = [Self::State, Self::Curve, Self::Best, Self::Eta, Self::Epoch, Self::Tags];
    /// The columns that the runs can be sorted by, in the order of the key.
    const SORTED: [Self; 8] =
        [Self::Created, Self::Best, Self::Name, Self::State, Self::Epoch, Self::Eta, Self::Tags, Self::Preset];

    /// The heading.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Name => "run",
            Self::State => "state",
            Self::Curve => "val",
            Self::Best => "best",
            Self::Epoch => "epoch",
            Self::Eta => "ETA",
            Self::Tags => "tags",
            Self::Preset => "preset",
            Self::Created => "created",
        }
    }

    /// What the column shows, for the list of columns.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Name => "view and name",
            Self::State => "state, and the evidence for it",
            Self::Curve => "validation loss of each epoch",
            Self::Best => "best value of the monitored metric",
            Self::Epoch => "epochs done and requested",
            Self::Eta => "remaining time",
            Self::Tags => "tags",
            Self::Preset => "preset",
            Self::Created => "when it was created",
        }
    }

    /// Its width in cells; `None` for the column that takes the room that is left.
    pub(super) const fn cells(self) -> Option<usize> {
        match self {
            Self::Name | Self::State => None,
            Self::Curve | Self::Epoch => Some(7),
            Self::Best => Some(11),
            Self::Eta => Some(5),
            Self::Tags => Some(12),
            Self::Preset | Self::Created => Some(6),
        }
    }

    /// True if numbers are aligned to the right.
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Best | Self::Epoch | Self::Eta)
    }

    /// The next column to sort by.
    pub(super) fn next_sort(self) -> Self {
        let at = Self::SORTED.iter().position(|column| *column == self).unwrap_or(0);
        Self::SORTED[(at + 1) % Self::SORTED.len()]
    }

    /// True if the arrow of the heading points up: the smallest value, or the first of the alphabet, comes first.
    pub(super) const fn ascends(self, reversed: bool) -> bool {
        matches!(self, Self::Name | Self::State | Self::Eta | Self::Tags | Self::Preset) != reversed
    }
}

/// The columns that give way if there is not enough room, the first one first.
const GIVING_WAY: [Column; 7] =
    [Column::Created, Column::Preset, Column::Tags, Column::Curve, Column::Eta, Column::Epoch, Column::Best];
/// The smallest width of the state: `completed`.
const MIN_STATE: usize = 9;
/// A width for names that is reached before the state gets more room.
const COMFORTABLE_NAME: usize = 18;
/// The width from which on a failure is shown with its reason.
const MIN_REASON: usize = 18;
/// Cells for the mark and the sign of the state.
pub(super) const LEAD: usize = 3;

/// The columns of a list with their widths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) name: usize,
    pub(super) columns: Vec<(Column, usize)>,
}

impl Layout {
    /// Those of the chosen columns that fit into a width.
    pub(super) fn of(chosen: &[Column], cells: usize) -> Self {
        let name = match cells {
            ..60 => 11,
            60..84 => 17,
            _ => 26,
        };
        let mut columns: Vec<Column> = Column::OPTIONAL.into_iter().filter(|column| chosen.contains(column)).collect();
        let least = |columns: &[Column]| {
            let widths = columns.iter().map(|column| column.cells().unwrap_or(MIN_STATE) + 1);
            LEAD + name + widths.sum::<usize>()
        };
        for column in GIVING_WAY {
            if least(&columns) <= cells {
                break;
            }
            columns.retain(|other| *other != column);
        }
        let spare = cells.saturating_sub(least(&columns));
        let has_state = columns.contains(&Column::State);
        // Names first, then the evidence for the state.
        let for_name = if has_state { spare.min(COMFORTABLE_NAME.saturating_sub(name)) } else { spare };
        let width = |column: Column| column.cells().unwrap_or(MIN_STATE + spare - for_name);
        Self { name: name + for_name, columns: columns.into_iter().map(|column| (column, width(column))).collect() }
    }
}

/// The best value with its metric and the direction in which it is better: `acc 0.796↑`.
pub(super) fn best_text(best: &BestEpoch, theme: &Theme) -> String {
    let direction = if best.metric.ends_with("loss") { theme.sign("↓", "v") } else { theme.sign("↑", "^") };
    format!("{} {:.3}{direction}", metric_name(&best.metric, theme), best.value)
}

/// A short name of a monitored metric; that of the training images only where there are no others.
fn metric_name(metric: &str, theme: &Theme) -> String {
    match metric {
        "val_accuracy" => "acc".to_owned(),
        "val_loss" => "loss".to_owned(),
        "val_kappa" => theme.sign("κ", "kappa").to_owned(),
        "train_accuracy" => "t.acc".to_owned(),
        "train_loss" => "t.loss".to_owned(),
        other => printable(other),
    }
}

/// The epochs done and requested.
pub(super) fn epoch_text(status: Option<&RunStatus>) -> String {
    match status.filter(|status| status.epoch > 0) {
        Some(status) => format!("{}/{}", status.epoch, status.epochs),
        None => "–".to_owned(),
    }
}

/// The remaining seconds of a run that is being trained; a paused run has none.
pub(super) fn remaining(row: &RunRow) -> Option<f64> {
    let condition = row.condition.as_ref().filter(|condition| condition.is_active());
    let is_training = condition.is_some_and(|condition| condition.phase != RunPhase::Paused);
    row.status.as_ref()?.eta_s.filter(|eta| is_training && eta.is_finite() && *eta > 0.0)
}

/// The remaining time in at most five characters.
pub(super) fn eta_text(row: &RunRow) -> String {
    remaining(row).map_or_else(String::new, |seconds| {
        // Minutes are exact enough for hours, hours for days.
        let unit = match seconds {
            ..600.0 => 1.0,
            ..86_400.0 => 60.0,
            _ => 3600.0,
        };
        time_label((seconds / unit).round() * unit)
    })
}

/// The state in a number of cells: with the evidence if it fits.
pub(super) fn state_in(text: String, condition: Option<&RunCondition>, silence: TimeDelta, cells: usize) -> String {
    let fits = |text: &String| crate::tui::widgets::fitted::width(text) <= cells;
    let Some(condition) = condition.filter(|_| !fits(&text)) else { return text };
    if condition.phase == RunPhase::Failed && condition.stale.is_none() && cells >= MIN_REASON {
        return text;
    }
    let name = condition.name().to_owned();
    if condition.phase == RunPhase::Failed {
        return name;
    }
    let aged = format!("{name} · {}", age_text(silence));
    if fits(&aged) { aged } else { name }
}

#[cfg(test)]
mod tests {
    use Column::{Best, Curve, Epoch, Eta, State, Tags};

    use super::*;

    #[test]
    fn columns_give_way_until_they_fit() {
        let shown = |cells| Layout::of(&Column::USUAL, cells).columns.into_iter().map(|(column, _)| column);
        assert_eq!(shown(94).collect::<Vec<_>>(), [State, Curve, Best, Eta, Epoch, Tags]);
        assert_eq!(shown(78).collect::<Vec<_>>(), [State, Curve, Best, Eta, Epoch, Tags]);
        assert_eq!(shown(58).collect::<Vec<_>>(), [State, Curve, Best, Eta, Epoch], "at 120 columns");
        assert_eq!(shown(50).collect::<Vec<_>>(), [State, Best, Eta, Epoch]);
        assert_eq!(shown(40).collect::<Vec<_>>(), [State, Best]);
        for cells in 30..200 {
            let layout = Layout::of(&Column::OPTIONAL, cells);
            let used = LEAD + layout.name + layout.columns.iter().map(|(_, cells)| cells + 1).sum::<usize>();
            assert!(used <= cells.max(LEAD + layout.name + MIN_STATE + 1), "{cells}: {layout:?}");
        }
        let without_state = Layout::of(&[Best], 60);
        assert_eq!(without_state.name + LEAD + 12, 60);
    }
}
