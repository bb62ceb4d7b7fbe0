//! The last runs with the data set of the form, and the course of their validation loss.

use ratatui::text::{Line, Span};

use super::TrainScreen;
use super::sparkline::sparkline;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names;
use crate::tui::protocol::train::{RunHistory, TrainEffect};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, padded, width};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The number of runs that are shown.
const SHOWN: usize = 4;
/// Columns for the name of a run.
const NAME: usize = 12;
/// The largest width of a sparkline.
const SPARKLINE: usize = 16;

/// What is known of the last runs with the data set.
#[derive(Debug, Default)]
pub(super) struct RunsWithData {
    /// The runs, and the epochs that they had when their histories were requested.
    requested: Vec<(RunDir, u32)>,
    histories: Vec<RunHistory>,
}

impl TrainScreen {
    /// Requests the histories of the last runs with this data set, if they are others than before or have more epochs.
    pub(super) fn request_histories(&mut self, shared: &SharedState) -> Option<Effect> {
        let root = &self.data.state.known()?.root;
        let rows = shared.runs.rows.iter().filter(|row| row.spec.as_ref().is_some_and(|spec| spec.data == *root));
        let wanted: Vec<(RunDir, u32)> = rows
            .take(SHOWN)
            .map(|row| (row.run.clone(), row.status.as_ref().map_or(0, |status| status.epoch)))
            .collect();
        if wanted == self.history.requested {
            return None;
        }
        self.history.requested.clone_from(&wanted);
        let runs: Vec<RunDir> = wanted.into_iter().map(|(run, _)| run).collect();
        (!runs.is_empty()).then_some(Effect::Train(TrainEffect::ReadHistories(runs)))
    }

    pub(super) fn on_histories(&mut self, histories: Vec<RunHistory>) {
        self.history.histories = histories;
    }

    /// One line per run: its view, its name, the course of its validation loss, and its best epoch.
    pub(super) fn history_lines(&self, cells: usize, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        let known = self.history.requested.iter().filter_map(|(run, _)| {
            let row = &shared.runs.rows[shared.runs.position(run)?];
            Some((row, self.history.histories.iter().find(|history| history.run == *run)))
        });
        let lines: Vec<Line<'_>> = known.map(|(row, history)| line(row, history, cells, theme)).collect();
        if lines.is_empty() {
            return lines;
        }
        let heading = Line::styled("last runs with this data: validation loss and best epoch", theme.dim());
        std::iter::once(heading).chain(lines).collect()
    }
}

fn line(row: &RunRow, history: Option<&RunHistory>, cells: usize, theme: &Theme) -> Line<'static> {
    let view = row.spec.as_ref().map_or("", |spec| spec.view.name());
    let name = format!("{} {} ", padded(view, 5), padded(&fitted(&run_names::name(row), NAME), NAME));
    let losses = history.map_or(&[][..], |history| &history.validation_losses);
    let course = padded(&sparkline(losses, SPARKLINE, theme), SPARKLINE);
    let best = row.status.as_ref().and_then(|status| status.best.as_ref());
    let best = best.map_or_else(String::new, |best| {
        let arrow = if best.metric.ends_with("loss") { theme.sign("↓", "v") } else { theme.sign("↑", "^") };
        format!(" {} {arrow} {:.3} at {}", best.metric.replace('_', " "), best.value, best.epoch)
    });
    let room = cells.saturating_sub(width(&name) + SPARKLINE);
    Line::from(vec![
        Span::raw(name),
        Span::styled(course, theme.series(0)),
        Span::styled(fitted(&printable(&best), room), theme.dim()),
    ])
}
