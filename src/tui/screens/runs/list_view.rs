//! The drawing of the list of runs: a table with a line for each run, and folders of runs that belong together.

use chrono::TimeDelta;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::charts_view::LETTERS;
use super::columns::{Column, LEAD, Layout, best_text, epoch_text, eta_text, remaining, state_in};
use super::listing::{FolderKind, ListLine, Place, progress};
use super::{RunsScreen, Typing};
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::{day_or_time, name, title};
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{first_fitting, fitted_parts, padded, padded_name, padded_start, width};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The height from which on the list has headings.
const MIN_HEIGHT_WITH_HEADINGS: u16 = 5;

impl RunsScreen {
    pub(super) fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let title =
            if shared.runs.problem.is_some() && !shared.runs.rows.is_empty() { "Runs (outdated)" } else { "Runs" };
        let has_headings = area.height >= MIN_HEIGHT_WITH_HEADINGS + 2;
        let title = match self.view.sort {
            Column::Created if !self.view.reversed => title.to_owned(),
            column if has_headings && column != Column::Created => title.to_owned(),
            column => format!("{title} by {} {}", column.title(), arrow(column, self.view.reversed, theme)),
        };
        let inner = draw_pane(frame, area, theme, true, [&title, &self.count_text(shared)]);
        let mut rows = inner;
        let filters = !self.picker.filter.text().is_empty() || self.typing == Some(Typing::Filter);
        if filters && rows.height > 1 {
            let mut spans = vec![Span::styled("/ ", theme.accent())];
            let cells = usize::from(inner.width).saturating_sub(3);
            spans.extend(self.picker.filter.spans(cells, self.typing == Some(Typing::Filter), theme));
            frame.render_widget(Paragraph::new(Line::from(spans)), Rect { height: 1, ..inner });
            rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        }
        if self.picker.shown.is_empty() {
            let rows = Rect { x: rows.x + 1, width: rows.width.saturating_sub(2), ..rows };
            frame.render_widget(Paragraph::new(self.empty_text(shared)).wrap(Wrap { trim: true }), rows);
            return;
        }
        let layout = Layout::of(&self.used_columns(shared), rows.width.into());
        if has_headings {
            frame.render_widget(self.headings(&layout, theme), Rect { height: 1, ..rows });
            rows = Rect { y: rows.y + 1, height: rows.height - 1, ..rows };
        }
        let visible = self.picker.list.visible(rows, self.picker.shown.len());
        let cells = usize::from(rows.width);
        let lines: Vec<Line<'_>> = visible
            .clone()
            .map(|at| {
                let chosen = at == self.picker.list.cursor;
                let line = match &self.picker.shown[at] {
                    ListLine::Run { row, place } => self.row_line(&shared.runs.rows[*row], *place, &layout, shared),
                    ListLine::Folder { kind, id, rows, open } => {
                        let rows: Vec<&RunRow> = rows.iter().filter_map(|row| shared.runs.rows.get(*row)).collect();
                        folder_line((*kind, id, *open), &rows, cells, shared)
                    }
                };
                line.style(if chosen { theme.selected(true) } else { Style::new() })
            })
            .collect();
        if layout.columns.iter().any(|(column, _)| *column == Column::Curve) {
            let rows = visible.filter_map(|at| shared.runs.rows.get(self.picker.shown[at].row()?));
            self.sketches.show(rows);
        }
        frame.render_widget(Paragraph::new(lines), rows);
    }

    /// The chosen columns without those that are empty for all runs.
    fn used_columns(&self, shared: &SharedState) -> Vec<Column> {
        let is_used = |column: &Column| match column {
            Column::Eta => shared.runs.active().any(|row| remaining(row).is_some()),
            Column::Tags => shared.runs.rows.iter().any(|row| row.labels.is_some()),
            _ => true,
        };
        self.view.columns.iter().copied().filter(is_used).collect()
    }

    fn count_text(&self, shared: &SharedState) -> String {
        let total = shared.runs.rows.len();
        match (self.picker.filter.text().is_empty(), total) {
            (true, 0) => String::new(),
            (true, _) if !shared.runs.listed => format!("{total} so far"),
            (true, _) if self.picker.has_folders() => {
                let lines = self.picker.shown.len();
                format!("{} of {lines} · {}", self.picker.list.cursor + 1, counted(total, "run"))
            }
            (true, _) => format!("{} of {total}", self.picker.list.cursor + 1),
            (false, _) => format!("{} of {total} match", self.picker.shown.iter().filter_map(ListLine::row).count()),
        }
    }

    fn headings(&self, layout: &Layout, theme: &Theme) -> Line<'static> {
        let heading = |column: Column, cells: usize| {
            let text = if self.view.sort == column {
                format!("{}{}", column.title(), arrow(column, self.view.reversed, theme))
            } else {
                column.title().to_owned()
            };
            if column.is_number() { padded_start(&text, cells) } else { padded(&text, cells) }
        };
        let mut text = " ".repeat(LEAD) + &heading(Column::Name, layout.name);
        for (column, cells) in &layout.columns {
            text.push(' ');
            text.push_str(&heading(*column, *cells));
        }
        Line::styled(text, theme.dim())
    }

    fn empty_text(&self, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        match &shared.runs.problem {
            Some(problem) => vec![
                Line::styled("the runs cannot be listed", theme.bad()),
                Line::styled(printable(problem.text()), theme.dim()),
            ],
            None if !shared.runs.listed => vec![Line::styled("reading …", theme.dim())],
            None if !self.picker.filter.text().is_empty() => {
                let typing = if self.typing == Some(Typing::Filter) { "Esc, " } else { "" };
                let back = key_text(Verb::Back, &shared.keymap);
                vec![Line::styled(format!("no runs match; {typing}{back} shows all"), theme.dim())]
            }
            None => vec![Line::styled(
                format!(
                    "no runs yet; {} goes to Train to start one",
                    key_text(Verb::Show(ScreenId::Train), &shared.keymap)
                ),
                theme.dim(),
            )],
        }
    }

    fn row_line(&self, row: &RunRow, place: Place, layout: &Layout, shared: &SharedState) -> Line<'static> {
        let theme = &shared.theme;
        let (sign, sign_style) = condition_sign(row.condition.as_ref(), theme);
        let drawn = self.drawn_runs();
        let mark = if drawn.len() > 1 && drawn.contains(&row.run) {
            let series = self.series_of(&row.run);
            Span::styled(LETTERS[series], theme.series(series))
        } else {
            Span::raw(" ")
        };
        let mut spans = vec![mark, Span::styled(format!("{sign} "), sign_style)];
        spans.extend(name_spans(row, place, layout.name, theme));
        for (column, cells) in &layout.columns {
            spans.push(Span::raw(" "));
            spans.push(self.cell(row, *column, *cells, shared));
        }
        Line::from(spans)
    }

    /// The text of a run in a column.
    fn cell(&self, row: &RunRow, column: Column, cells: usize, shared: &SharedState) -> Span<'static> {
        let theme = &shared.theme;
        let (text, style) = match column {
            Column::Name => (name(row), theme.text()),
            Column::State => {
                let style = match row.condition.as_ref() {
                    Some(condition) if condition.stale.is_some() => theme.warning(),
                    Some(condition) if condition.phase == RunPhase::Failed => theme.bad(),
                    None => theme.warning(),
                    Some(_) => theme.text(),
                };
                (state_within(row, shared, cells), style)
            }
            Column::Curve => {
                let is_active = row.condition.as_ref().is_some_and(RunCondition::is_active);
                (self.sketches.text(&row.run, cells), if is_active { theme.series(1) } else { theme.dim() })
            }
            Column::Best => {
                let best = row.status.as_ref().and_then(|status| status.best.as_ref());
                (best.map_or_else(String::new, |best| best_text(best, theme)), theme.text())
            }
            Column::Epoch => (epoch_text(row.status.as_ref()), theme.text()),
            Column::Eta => (eta_text(row), theme.dim()),
            Column::Tags => (row.tags_text(), theme.accent().remove_modifier(ratatui::style::Modifier::BOLD)),
            Column::Preset => (row.spec.as_ref().map_or_else(String::new, |spec| printable(&spec.preset)), theme.dim()),
            Column::Created => {
                (row.created().map_or_else(String::new, |created| day_or_time(created, shared.now)), theme.dim())
            }
        };
        let text = if column.is_number() { padded_start(&text, cells) } else { padded(&text, cells) };
        Span::styled(text, style)
    }
}

fn arrow(column: Column, reversed: bool, theme: &Theme) -> &'static str {
    if column.ascends(reversed) { theme.sign("▲", "^") } else { theme.sign("▼", "v") }
}

/// The view and the name of a run, connected to its folder.
fn name_spans(row: &RunRow, place: Place, cells: usize, theme: &Theme) -> Vec<Span<'static>> {
    let (tree, text) = match (place, &row.spec) {
        (Place::Within { kind, is_last }, Some(spec)) => {
            let tree = if is_last { theme.sign("└ ", "` ") } else { theme.sign("├ ", "| ") };
            let own = row.labels.as_ref().and_then(|labels| labels.name.as_deref()).map(printable);
            let rest = match kind {
                FolderKind::Group => own.unwrap_or_default(),
                FolderKind::Study => own.unwrap_or_else(|| place_text(spec)),
            };
            let room = cells.saturating_sub(width(tree));
            let full = format!("{:<5} {rest}", spec.view.name());
            // In a study, the place says more than the view.
            let text = match kind {
                FolderKind::Study if !rest.is_empty() => first_fitting([full.trim_end(), &rest], room),
                _ => full,
            };
            (tree, text)
        }
        _ => ("", title(row)),
    };
    let room = cells.saturating_sub(width(tree));
    vec![Span::styled(tree, theme.border()), Span::raw(padded_name(text.trim_end(), room))]
}

/// The line of a folder: its name and time, and its progress.
fn folder_line(
    (kind, id, open): (FolderKind, &str, bool),
    rows: &[&RunRow],
    cells: usize,
    shared: &SharedState,
) -> Line<'static> {
    let theme = &shared.theme;
    let progress = progress(rows.iter().copied());
    let style = if progress.failed + progress.stale > 0 {
        theme.bad()
    } else if progress.is_over() {
        theme.text()
    } else {
        theme.good()
    };
    let sign = if open { theme.sign("▾", "-") } else { theme.sign("▸", "+") };
    let created = rows.iter().find_map(|row| row.created());
    let time = created.map(|created| day_or_time(created, shared.now)).unwrap_or_default();
    let count = match kind {
        FolderKind::Group => counted(rows.len(), "view"),
        FolderKind::Study => "study".to_owned(),
    };
    let name = format!("{} · {count} · {time}", printable(short_name(id)));
    let name_cells = width(&name).min(cells * 3 / 5);
    let room = cells.saturating_sub(name_cells + 5);
    Line::from(vec![
        Span::styled(format!(" {sign} "), theme.accent()),
        Span::raw(padded(&fitted_parts(&name, name_cells), name_cells) + "  "),
        Span::styled(padded(&progress.within(room), room), style),
    ])
}

/// The label of a study's id: `modern` of `2026-11-23T10-15-02_modern_7f3a`; the id itself where it has another form.
pub(super) fn short_name(id: &str) -> &str {
    let label = id.split_once('_').and_then(|(_, rest)| rest.rsplit_once('_')).map(|(label, _)| label);
    label.filter(|label| !label.is_empty()).unwrap_or(id)
}

/// The place of a run in its study: `p2 f3 s2`, without what the study does not vary; `fold 3` alone.
pub(super) fn place_text(spec: &RunSpec) -> String {
    let Some(member) = &spec.study else { return String::new() };
    let repetition = Some(member.repetition).filter(|repetition| *repetition > 1);
    match (member.values.is_empty(), member.fold, repetition) {
        (true, Some(fold), None) => format!("fold {fold}"),
        (true, None, Some(repetition)) => format!("seed {repetition}"),
        (without_point, fold, repetition) => {
            let point = (!without_point).then(|| format!("p{}", member.point));
            let fold = fold.map(|fold| format!("f{fold}"));
            let repetition = repetition.map(|repetition| format!("s{repetition}"));
            point.into_iter().chain(fold).chain(repetition).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The condition of a run, with the present age of its heartbeat.
pub(super) fn state_text(row: &RunRow, shared: &SharedState) -> String {
    match (&row.condition, &row.status, &row.problem) {
        (Some(condition), Some(status), _) => {
            let silence = (shared.now - status.heartbeat).max(TimeDelta::zero());
            RunCondition { silence, ..condition.clone() }.to_string()
        }
        (Some(condition), None, _) => condition.to_string(),
        (None, _, Some(problem)) => printable(problem),
        (None, _, None) => format!("nothing is known of {}", printable_path(row.run.path())),
    }
}

/// The condition of a run in a number of cells: with the evidence if it fits.
pub(super) fn state_within(row: &RunRow, shared: &SharedState, cells: usize) -> String {
    let silence = row.status.as_ref().map_or(TimeDelta::zero(), |status| shared.now - status.heartbeat);
    state_in(state_text(row, shared), row.condition.as_ref(), silence.max(TimeDelta::zero()), cells)
}

/// The sign for a run's condition; colour is never the only sign.
pub(super) fn condition_sign(condition: Option<&RunCondition>, theme: &Theme) -> (&'static str, Style) {
    let Some(condition) = condition else { return ("?", theme.warning()) };
    if condition.stale.is_some() {
        return (theme.sign("◌", "?"), theme.warning());
    }
    match condition.phase {
        RunPhase::Queued => (theme.sign("○", "-"), theme.dim()),
        RunPhase::Starting | RunPhase::Running => (theme.sign("●", "*"), theme.good()),
        RunPhase::Paused => (theme.sign("‖", "="), theme.warning()),
        RunPhase::Stopping => (theme.sign("◐", "*"), theme.warning()),
        RunPhase::Interrupted | RunPhase::Stopped => (theme.sign("■", "#"), theme.dim()),
        RunPhase::Completed => (theme.sign("✔", "v"), theme.good()),
        RunPhase::Failed => (theme.sign("✖", "x"), theme.bad()),
    }
}
