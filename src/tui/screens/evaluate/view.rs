//! The drawing of an open evaluation: tabs at the top, the matrix on the left, metrics on the right and, if there is
//! room, the cases of the cell and the reliability diagram.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::EvaluateScreen;
use super::case_sheet::draw_case_sheet;
use super::cases_view::draw_cases;
use super::cell_numbers::CellNumbers;
use super::entries::all_entries;
use super::info_pane::InfoPane;
use super::info_view::{draw_class_pane, draw_figure_pane, draw_reliability_pane, draw_small_info, draw_wide_info};
use super::opened::{Opened, set_title};
use crate::terminal::sizes::Cells;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::confusion_matrix::{MatrixView, Normalisation, merit_legend};
use crate::tui::widgets::figures_table::FULL_HEIGHT;
use crate::tui::widgets::fitted::{fitted, width};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted;

/// From this size on, everything is shown at once.
const WIDE: Cells = Cells { columns: 112, rows: 34 };
/// The smallest width for the metrics beside the matrix.
const BESIDE: u16 = 76;
/// The size of the matrix pane in a small and in a large terminal.
const SMALL_MATRIX: Cells = Cells { columns: 42, rows: 12 };
const LARGE_MATRIX: Cells = Cells { columns: 54, rows: 20 };
/// The height of the pane with metrics per class.
pub(super) const PER_CLASS: u16 = 7;

impl EvaluateScreen {
    pub(super) fn draw_opened(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let (numbers, pane) = (self.numbers, self.pane);
        let waiting = self.waiting_text(shared);
        let Some(opened) = &mut self.opened else { return };
        // In the lowest terminals the matrix needs the line of the note.
        let note_rows = u16::from(area.height >= 13);
        let [tabs, body, note] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(note_rows)]).areas(area);
        draw_tabs(frame, tabs, opened, shared);
        if opened.set().is_none() {
            draw_nothing(frame, area, opened, waiting.as_deref(), shared);
            return;
        }
        draw_note(frame, note, opened, waiting.as_deref(), shared);
        if self.shows_sheet && opened.in_cases {
            draw_case_sheet(frame, body, &mut self.sheet, opened, shared);
            return;
        }
        if area.width >= WIDE.columns && area.height >= WIDE.rows {
            let [left, right] =
                Layout::horizontal([Constraint::Length(LARGE_MATRIX.columns), Constraint::Fill(1)]).areas(body);
            let [matrix, reliability] =
                Layout::vertical([Constraint::Length(LARGE_MATRIX.rows), Constraint::Fill(1)]).areas(left);
            let [info, cases] =
                Layout::vertical([Constraint::Length(PER_CLASS + FULL_HEIGHT + 2), Constraint::Fill(1)]).areas(right);
            draw_matrix(frame, matrix, opened, numbers, shared);
            draw_reliability_pane(frame, reliability, opened, shared);
            draw_wide_info(frame, info, pane, opened, shared);
            draw_cases(frame, cases, opened, shared);
            return;
        }
        if opened.in_cases {
            draw_cases(frame, body, opened, shared);
            return;
        }
        let [upper, lower] = Layout::vertical([Constraint::Length(SMALL_MATRIX.rows), Constraint::Fill(1)]).areas(body);
        if area.width >= BESIDE {
            let [matrix, figures] =
                Layout::horizontal([Constraint::Length(SMALL_MATRIX.columns), Constraint::Fill(1)]).areas(upper);
            draw_matrix(frame, matrix, opened, numbers, shared);
            if pane == InfoPane::Figures {
                draw_figure_pane(frame, figures, opened, shared);
                let [classes, rest] =
                    Layout::vertical([Constraint::Length(PER_CLASS), Constraint::Fill(1)]).areas(lower);
                if lower.height >= PER_CLASS {
                    draw_class_pane(frame, classes, opened, shared);
                }
                if rest.height >= 5 {
                    draw_cases(frame, rest, opened, shared);
                }
            } else {
                draw_small_info(frame, [figures, lower], pane, opened, shared);
            }
        } else {
            draw_matrix(frame, upper, opened, numbers, shared);
            if lower.height >= 5 {
                draw_figure_pane(frame, lower, opened, shared);
            }
        }
    }

    /// A description of a run that is not over yet, if there is one.
    fn waiting_text(&self, shared: &SharedState) -> Option<String> {
        let key = &self.opened.as_ref()?.key;
        all_entries(shared).into_iter().find(|entry| entry.key == *key)?.waiting_text(shared)
    }
}

/// Draws the tabs and, on the right, the split and the title.
fn draw_tabs(frame: &mut Frame<'_>, area: Rect, opened: &mut Opened, shared: &SharedState) {
    let theme = &shared.theme;
    let mut spans = vec![Span::raw(" ")];
    let mut column = area.x + 1;
    let mut areas = Vec::new();
    for name in opened.names() {
        let chosen = Some(name) == opened.name;
        let text = if chosen { format!("[{}]", set_title(name)) } else { format!(" {} ", set_title(name)) };
        let cells = width(&text) as u16;
        areas.push((name, Rect::new(column, area.y, cells, 1).intersection(area)));
        column += cells;
        spans.push(Span::styled(text, if chosen { theme.accent() } else { theme.dim() }));
    }
    opened.tab_areas = areas;
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
    let room = usize::from(area.right().saturating_sub(column + 2));
    let split = opened.sets.as_ref().map_or("", |sets| sets.split.map_or("predicted", Split::name));
    let short = opened.title.split(" · ").next().unwrap_or_default();
    // The longest text that fits; the split always, since metrics of validation and test images look alike.
    let candidates = [
        format!("{split} images · {}", opened.title),
        format!("{split} · {}", opened.title),
        format!("{split} · {short}"),
    ];
    let facts = candidates.iter().find(|text| width(text) <= room).map_or_else(|| fitted(split, room), Clone::clone);
    let cells = width(&facts) as u16;
    let place = Rect::new(area.right().saturating_sub(cells + 1), area.y, cells, 1).intersection(area);
    frame.render_widget(Paragraph::new(Line::styled(facts, theme.text())), place);
}

/// Draws an explanation in place of metrics.
fn draw_nothing(frame: &mut Frame<'_>, area: Rect, opened: &Opened, waiting: Option<&str>, shared: &SharedState) {
    let theme = &shared.theme;
    let inner = draw_pane(frame, area, theme, true, [&opened.title, ""]);
    let cells = usize::from(inner.width.saturating_sub(4));
    let mut lines = vec![Line::default()];
    match &opened.sets {
        None => lines.push(Line::styled("  reading the predictions …", theme.dim())),
        Some(sets) => {
            lines.push(Line::raw("  Nothing to show yet."));
            lines.extend(waiting.map(|text| {
                Line::raw(format!("  {}", fitted(&format!("{text}; it will be evaluated when it ends."), cells)))
            }));
            lines.push(Line::default());
            for problem in &sets.problems {
                lines.push(Line::styled(format!("  {}", fitted(problem, cells)), theme.warning()));
            }
            lines.push(Line::default());
            let text = "`mammoscope evaluate RUN` predicts the images of a run that was stopped.";
            lines.push(Line::styled(format!("  {}", fitted(text, cells)), theme.dim()));
        }
    }
    lines.push(Line::default());
    let back = key_text(Verb::Back, &shared.keymap);
    lines.push(Line::from(vec![
        Span::styled(format!("  {back}"), theme.accent()),
        Span::styled("  back to the list", theme.dim()),
    ]));
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Draws one line with problems or, without any, with facts about the set.
fn draw_note(frame: &mut Frame<'_>, area: Rect, opened: &Opened, waiting: Option<&str>, shared: &SharedState) {
    let theme = &shared.theme;
    let (Some(sets), Some(set)) = (&opened.sets, opened.set()) else { return };
    let mut parts: Vec<String> = Vec::new();
    let mut style = theme.dim();
    if let (Some(with), Some(one)) = (&opened.comparison, opened.compared()) {
        match &one.compared {
            Err(reason) => {
                style = theme.warning();
                parts.push(format!("not compared with {}: {reason}", with.title));
            }
            Ok(pair) => {
                let paired = &pair.comparison;
                let left_out = paired.only_here + paired.only_there;
                let left_out = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
                let [here, there] = opened.short_titles();
                parts.push(format!("{} in common{left_out}", opened.counted_cases(paired.n)));
                parts.push(format!("fixed: only {there} errs · broken: only {here} errs"));
            }
        }
    }
    if !sets.problems.is_empty() {
        style = theme.warning();
        parts.extend(waiting.map(str::to_owned));
        parts.extend(sets.problems.iter().cloned());
    }
    let missing = set.evaluated.set.missing_views.as_ref().map_or(0, |missing| missing.cases);
    if missing > 0 {
        parts.push(format!("{missing} lack a view and are fused from the others"));
    }
    if parts.is_empty() {
        let subjects = counted(set.evaluated.set.subjects(), "subject");
        parts.push(format!("{} of {subjects}", opened.counted_cases(set.evaluated.evaluation.n)));
        let views = set.evaluated.set.name.fused_views();
        if !views.is_empty() {
            parts.push(format!("mean of {} views", views.len()));
        }
        parts.push("95 % intervals".to_owned());
    }
    let sign = if style == theme.dim() { "" } else { "! " };
    let text = fitted(&format!(" {sign}{}", parts.join(" · ")), area.width.into());
    frame.render_widget(Paragraph::new(Line::styled(text, style)), area);
}

fn draw_matrix(frame: &mut Frame<'_>, area: Rect, opened: &mut Opened, numbers: CellNumbers, shared: &SharedState) {
    let theme = &shared.theme;
    let focused = !opened.in_cases;
    let pair = opened.pair();
    let paired = pair.map(|pair| &pair.comparison);
    let minus = opened.comparison.as_ref().filter(|_| paired.is_some()).map(|with| with.title.as_str());
    let CellNumbers { normalisation, hides_flips } = numbers;
    let shows_flips = minus.is_some() && !hides_flips;
    let title = match (minus, shows_flips) {
        (None, _) => "Confusion matrix",
        (Some(_), true) => "Flips",
        (Some(_), false) => "Difference",
    };
    // The note below has the whole title.
    let short = |title: &str| title.split(" · ").next().unwrap_or_default().to_owned();
    let right = minus.map_or_else(String::new, |title| {
        let word = if shows_flips { "against" } else { "minus" };
        if area.width < LARGE_MATRIX.columns { format!("{word} {}", short(title)) } else { format!("{word} {title}") }
    });
    let inner = draw_pane(frame, area, theme, focused, [title, &right]);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let [grid, legend, modes, cell] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(u16::from(inner.height > 9)),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(inner);
    let Some(set) = opened.set() else { return };
    let matrix = paired.map_or(set.evaluated.evaluation.confusion_matrix, |paired| paired.matrix_here);
    let minus = paired.map(|paired| paired.matrix_there);
    let flips = paired.filter(|_| shows_flips).map(|paired| paired.pairs.as_slice());
    let view =
        MatrixView { matrix: &matrix, minus: minus.as_ref(), flips, normalisation, cursor: opened.cell, focused };
    let drawn = view.draw(frame, grid, theme);
    if view.minus.is_some() {
        frame.render_widget(Paragraph::new(merit_legend(shows_flips, theme)), legend);
    }
    let mut spans = vec![Span::styled(format!("{} ", key_text(Verb::Percent, &shared.keymap)), theme.accent())];
    let flips = minus.map(|_| ("flips", shows_flips));
    let numbers = Normalisation::ALL.map(|mode| (mode.title(), mode == normalisation && !shows_flips));
    for (title, chosen) in flips.into_iter().chain(numbers) {
        let text = if chosen { format!("[{title}]") } else { format!(" {title} ") };
        spans.push(Span::styled(text, if chosen { theme.text() } else { theme.dim() }));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), modes);
    let count = opened.cases.cases.len();
    let text = opened.list_title();
    let open = format!("  {}", key_text(Verb::Open, &shared.keymap));
    let has_room = width(&text) + width(&open) <= usize::from(cell.width);
    let mut spans = vec![Span::raw(text)];
    if count > 0 && has_room {
        spans.push(Span::styled(open, theme.accent()));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), cell);
    opened.matrix_area = drawn;
}
