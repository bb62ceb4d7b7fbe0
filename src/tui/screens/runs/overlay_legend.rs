//! The legend above overlaid charts: the letter and the name of every run in its colour, and its values at the cursor.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::chart_titles::{value_at, value_text};
use super::charts_view::LETTERS;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::titles;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted_name, padded_name, width};
use mammoscope_storage::runs::run_dir::RunDir;

/// The widest name in a line with values.
const MAX_NAME: usize = 24;

impl RunsScreen {
    /// The height of the legend in an area of this height: a line, or with a cursor a line for each run.
    pub(super) fn legend_height(&self, height: u16) -> u16 {
        let runs = self.drawn_runs().len() as u16;
        match self.cursor {
            _ if runs < 2 => 0,
            Some(_) if runs < height / 3 => runs,
            _ => 1,
        }
    }

    /// Draws the legend.
    pub(super) fn draw_legend(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let mut runs = self.drawn_runs();
        runs.sort_by_key(|run| self.series_of(run));
        let rows: Vec<Option<&RunRow>> =
            runs.iter().map(|run| shared.runs.position(run).map(|at| &shared.runs.rows[at])).collect();
        let names = titles(&runs, &rows, shared);
        let style = |run: &RunDir| shared.theme.series(self.series_of(run));
        let named = |run: &RunDir, name: &str| match runs.len() {
            1 => format!(" {name} "),
            _ => format!(" {} {name} ", LETTERS[self.series_of(run)]),
        };
        let cells = usize::from(area.width);
        let lines: Vec<Line<'_>> = if area.height > 1 {
            let name_cells = names.iter().map(|name| width(name)).max().unwrap_or(0).min(MAX_NAME);
            let line = |(run, name): (&RunDir, &String)| {
                let mut text = named(run, &padded_name(name, name_cells));
                for value in self.values_of(run) {
                    if width(&text) + width(&value) + 2 <= cells {
                        text = text + " " + &value + " ";
                    }
                }
                Line::styled(text, style(run))
            };
            runs.iter().zip(&names).map(line).collect()
        } else {
            let total: usize = names.iter().map(|name| width(name) + 4).sum();
            let share = (cells / names.len().max(1)).saturating_sub(4).max(4);
            let name = |name: &String| if total <= cells { name.clone() } else { fitted_name(name, share) };
            let spans = runs.iter().zip(&names).map(|(run, text)| Span::styled(named(run, &name(text)), style(run)));
            vec![Line::from(spans.collect::<Vec<_>>())]
        };
        frame.render_widget(Paragraph::new(lines).style(Style::new()), area);
    }

    /// The values of a run at the cursor, with their metrics; `–` beyond its ends.
    fn values_of(&self, run: &RunDir) -> Vec<String> {
        let (Some(cursor), Some(curves)) = (self.cursor, self.followed.curves.get(run)) else { return Vec::new() };
        let axis = self.view.axis;
        let shown =
            |metric, value: Option<f32>| value.map_or_else(|| "–".to_owned(), |value| value_text(metric, value));
        let mut values = Vec::new();
        for metric in self.charted() {
            let value = value_at(curves, metric, axis, cursor);
            values.push(format!("{} {}", metric.brief(), shown(metric, value)));
            if let Some(series) = curves.validation(metric) {
                let at = curves.nearest_epoch(axis, cursor).filter(|_| value.is_some());
                values.push(format!("val {}", shown(metric, at.map(|at| series.values()[at]))));
            }
        }
        values
    }
}
