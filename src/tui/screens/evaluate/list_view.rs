//! The list of evaluations, with instructions while it is empty.

use chrono::Local;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::EvaluateScreen;
use super::entries::{Entry, KeptSplits, Listed};
use crate::tui::protocol::run_names::group_name;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::figure_text::figure;
use crate::tui::widgets::fitted::{first_fitting, fitted, fitted_path, padded, padded_name, padded_start};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable;

/// The width from which on the columns are wide.
const WIDE: usize = 90;
/// The fewest and the most cells of a name in a wide list.
const NAME: (usize, usize) = (12, 30);

/// The cells of the columns.
#[derive(Clone, Copy, Debug)]
struct Columns {
    started: usize,
    name: usize,
    metric: usize,
    view: usize,
    predicted: usize,
}

impl Columns {
    /// The columns of a list of this width.
    fn of(cells: usize) -> Self {
        if cells < WIDE {
            return Self { started: 17, name: 11, metric: 12, view: 6, predicted: 9 };
        }
        let wide = Self { started: 19, name: 0, metric: 13, view: 7, predicted: 16 };
        let beside = 2 + wide.started + wide.metric + View::ALL.len() * wide.view + 3 + wide.predicted;
        Self { name: cells.saturating_sub(beside).clamp(NAME.0, NAME.1), ..wide }
    }
}

impl EvaluateScreen {
    /// Draws the list, or instructions if it is empty.
    pub(super) fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let entries = self.listed(shared);
        if entries.is_empty() {
            let inner = draw_pane(frame, area, &shared.theme, true, ["Evaluations", ""]);
            self.draw_empty(frame, inner, shared);
            return;
        }
        draw_entries(frame, area, "Evaluations", &entries, &self.kept, &mut self.list, shared);
    }

    fn draw_empty(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let mut lines = vec![Line::default()];
        if let Some(problem) = &shared.runs.problem {
            lines.push(Line::styled(format!("  {}", printable(problem.text())), theme.bad()));
        } else if !shared.runs.listed || (!self.is_searched && !shared.runs.rows.is_empty()) {
            lines.push(Line::styled("  looking for evaluations …", theme.dim()));
        } else {
            let text = match (shared.runs.rows.len(), shared.runs.active().count()) {
                (0, _) => "  Nothing was trained here yet.".to_owned(),
                (_, 0) => "  No run has finished with predictions yet.".to_owned(),
                (_, 1) => "  The active run will be evaluated when it ends.".to_owned(),
                (_, active) => format!("  {active} runs are active; each will be evaluated when it ends."),
            };
            lines.push(Line::raw(text));
            lines.push(Line::default());
            let hints: &[(Verb, &str)] = if shared.runs.rows.is_empty() {
                &[
                    (Verb::Show(ScreenId::Train), "train a model"),
                    (Verb::Show(ScreenId::Datasets), "look at the data first"),
                    (Verb::OpenOther, "open a folder of predictions"),
                ]
            } else {
                &[
                    (Verb::Show(ScreenId::Runs), "watch the runs"),
                    (Verb::Show(ScreenId::Train), "start another one"),
                    (Verb::OpenOther, "open a folder of predictions"),
                ]
            };
            for (verb, text) in hints {
                lines.push(Line::from(vec![
                    Span::styled(format!("  {}", key_text(*verb, &shared.keymap)), theme.accent()),
                    Span::styled(format!("  {text}"), theme.dim()),
                ]));
            }
            if !shared.runs.rows.is_empty() {
                lines.push(Line::default());
                let text = "  `mammoscope evaluate RUN` computes the predictions of a run that was stopped.";
                lines.push(Line::styled(fitted(text, area.width.into()), theme.dim()));
            }
        }
        frame.render_widget(Paragraph::new(lines), area);
    }
}

/// Draws evaluations, one per line.
pub(super) fn draw_entries(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    entries: &[Listed],
    kept: &KeptSplits,
    list: &mut ScrollList,
    shared: &SharedState,
) {
    let theme = &shared.theme;
    let count = format!("{} of {}", (list.cursor + 1).min(entries.len()), entries.len());
    let inner = draw_pane(frame, area, theme, true, [title, &count]);
    let columns = Columns::of(inner.width.into());
    let Columns { started, name, metric, view: view_cells, .. } = columns;
    let mut heading = format!("  {}{}{}", padded("started", started), padded("name", name), padded("best", metric));
    for view in View::ALL {
        heading += &padded_start(view.name(), view_cells);
    }
    heading += "   predicted";
    let place = Rect { height: 1.min(inner.height), ..inner };
    frame.render_widget(Paragraph::new(Line::styled(fitted(&heading, inner.width.into()), theme.dim())), place);
    let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let visible = list.visible(rows, entries.len());
    let first = visible.start;
    if usize::from(rows.height) > entries.len() + 2 {
        let text = "  best: on the validation images, at the epoch whose weights are evaluated";
        let place = Rect { y: rows.bottom() - 1, height: 1, ..rows };
        frame.render_widget(Paragraph::new(Line::styled(fitted(text, rows.width.into()), theme.dim())), place);
    }
    for row in visible {
        let chosen = row == list.cursor;
        let mut spans = vec![Span::styled(if chosen { theme.sign("▸ ", "> ") } else { "  " }, theme.accent())];
        match &entries[row] {
            Listed::Runs(entry) => spans.extend(entry_spans(entry, columns, kept, shared)),
            Listed::Folder(path) => {
                spans.push(Span::raw(padded("folder", started)));
                let room = usize::from(rows.width).saturating_sub(started + 2);
                spans.push(Span::raw(fitted_path(&shared.shown_path(path), room)));
            }
        }
        let style = if chosen { theme.selected(true) } else { theme.text() };
        let place = Rect::new(rows.x, rows.y + (row - first) as u16, rows.width, 1);
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), place);
    }
}

fn entry_spans(entry: &Entry, columns: Columns, kept: &KeptSplits, shared: &SharedState) -> Vec<Span<'static>> {
    let theme = &shared.theme;
    let runs = entry.runs(shared);
    let spec = runs.iter().find_map(|row| row.spec.as_ref());
    let started = spec.map_or_else(
        || printable(&entry.key),
        |spec| spec.created.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string(),
    );
    let name = group_name(runs);
    let best = |view: View| entry.of_view(shared, view)?.status.as_ref()?.best.as_ref();
    let metric = View::ALL.into_iter().find_map(best).map_or_else(String::new, |best| metric_name(&best.metric));
    let mut spans = vec![
        Span::raw(padded(&started, columns.started - 1) + " "),
        Span::raw(padded_name(&name, columns.name - 1) + " "),
        Span::styled(padded(&metric, columns.metric), theme.dim()),
    ];
    for view in View::ALL {
        let row = entry.of_view(shared, view);
        let text = match row {
            None => String::new(),
            Some(row) if !kept.contains_key(&row.run) => theme.sign("…", "...").to_owned(),
            Some(_) => figure(best(view).map(|best| best.value), 3, theme),
        };
        spans.push(Span::raw(padded_start(&text, columns.view)));
    }
    let has = |split: Split| runs.iter().any(|row| kept.get(&row.run).is_some_and(|kept| kept.contains(&split)));
    // A narrow list has short words.
    let splits = |name: fn(Split) -> &'static str| {
        let predicted = [Split::Validation, Split::Test].into_iter().filter(|split| has(*split));
        predicted.map(name).collect::<Vec<_>>().join(", ")
    };
    let texts = [splits(Split::name), splits(|split| if split == Split::Validation { "val" } else { split.name() })];
    let predicted = first_fitting(texts.iter().map(String::as_str), columns.predicted);
    spans.push(Span::styled(format!("   {predicted}"), theme.dim()));
    spans
}

/// A readable name: `val accuracy` for `val_accuracy`.
fn metric_name(metric: &str) -> String {
    printable(metric).replace('_', " ")
}
