//! The drawing of the list of runs.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::listing::{ListLine, progress};
use super::{RunsScreen, Typing};
use crate::tui::protocol::run_list::RunRow;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{padded, padded_start, width};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::run::run_condition::{RunCondition, duration_text};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The width from which on the list also shows the best value and the remaining time.
const WIDE: usize = 66;

impl RunsScreen {
    pub(super) fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let total = shared.runs.rows.len();
        let count = match (self.picker.filter.text().is_empty(), total) {
            (true, 0) => String::new(),
            (true, _) if !shared.runs.listed => format!("{total} so far"),
            (true, _) if self.picker.has_studies() => {
                let lines = self.picker.shown.len();
                format!("{} of {lines} · {}", self.picker.list.cursor + 1, counted(total, "run"))
            }
            (true, _) => format!("{} of {total}", self.picker.list.cursor + 1),
            (false, _) => format!("{} of {total} match", self.picker.shown.iter().filter_map(ListLine::row).count()),
        };
        let title = if shared.runs.problem.is_some() && total > 0 { "Runs (outdated)" } else { "Runs" };
        let filters = !self.picker.filter.text().is_empty() || self.typing == Some(Typing::Filter);
        let inner = draw_pane(frame, area, theme, true, [title, &count]);
        let mut rows = inner;
        if filters && inner.height > 1 {
            let mut spans = vec![Span::styled("/ ", theme.accent())];
            let cells = usize::from(inner.width).saturating_sub(3);
            spans.extend(self.picker.filter.spans(cells, self.typing == Some(Typing::Filter), theme));
            frame.render_widget(Paragraph::new(Line::from(spans)), Rect { height: 1, ..inner });
            rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        }
        if self.picker.shown.is_empty() {
            frame.render_widget(Paragraph::new(self.empty_text(shared)).wrap(Wrap { trim: true }), rows);
            return;
        }
        let visible = self.picker.list.visible(rows, self.picker.shown.len());
        let lines: Vec<Line<'_>> = visible
            .map(|at| {
                let chosen = at == self.picker.list.cursor;
                match &self.picker.shown[at] {
                    ListLine::Run { row, in_study } => {
                        self.row_line(&shared.runs.rows[*row], (chosen, *in_study), rows.width.into(), shared)
                    }
                    ListLine::Study { id, rows: of_study, open } => {
                        let of_study: Vec<&RunRow> =
                            of_study.iter().filter_map(|row| shared.runs.rows.get(*row)).collect();
                        study_line((id, *open, chosen), &of_study, rows.width.into(), shared)
                    }
                }
            })
            .collect();
        frame.render_widget(Paragraph::new(lines), rows);
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
                vec![Line::styled("no run matches; Esc, Esc shows all", theme.dim())]
            }
            None => vec![Line::styled("no runs yet; 2 goes to Train to start one", theme.dim())],
        }
    }

    fn row_line(
        &self,
        row: &RunRow,
        (chosen, in_study): (bool, bool),
        cells: usize,
        shared: &SharedState,
    ) -> Line<'static> {
        let theme = &shared.theme;
        let (sign, sign_style) = condition_sign(row.condition.as_ref(), theme);
        let series = self.drawn_runs().iter().position(|run| *run == row.run);
        let overlaid = !self.marked.is_empty();
        let mark = match series {
            Some(series) if overlaid => Span::styled(theme.sign("▍", "|"), theme.series(series)),
            _ => Span::raw(" "),
        };
        let (view, label) = match &row.spec {
            Some(spec) => (spec.view.to_string(), if in_study { place_text(spec) } else { printable(&spec.preset) }),
            None => (String::new(), String::new()),
        };
        let label_cells = if in_study { 8 } else { 6 };
        let progress = row.status.as_ref().map_or_else(
            || "–".to_owned(),
            |status| {
                if status.epoch == 0 { "–".to_owned() } else { format!("{}/{}", status.epoch, status.epochs) }
            },
        );
        let wide = cells >= WIDE;
        let fixed = 3 + 6 + label_cells + 1 + 8 + if wide { 12 + 12 } else { 0 };
        let state_cells = cells.saturating_sub(fixed);
        let base = if chosen { theme.selected(true) } else { Style::new() };
        let state = state_text(row, shared);
        let mut spans = vec![mark, Span::styled(format!("{sign} "), sign_style)];
        if row.spec.is_some() {
            spans.push(Span::raw(padded(&view, 5) + " "));
            spans.push(Span::styled(padded(&label, label_cells) + " ", theme.dim()));
        } else {
            spans.push(Span::raw(padded(&printable(&row.run.name()), 12) + " "));
        }
        let state_style = match row.condition.as_ref() {
            Some(condition) if condition.phase == RunPhase::Failed => theme.bad(),
            Some(condition) if condition.stale.is_some() => theme.warning(),
            None => theme.warning(),
            Some(_) => theme.text(),
        };
        spans.push(Span::styled(padded(&state, state_cells), state_style));
        if wide {
            spans.push(Span::raw(padded_start(&best_text(row.status.as_ref()), 12)));
            spans.push(Span::styled(padded_start(&eta_text(row), 12), theme.dim()));
        }
        spans.push(Span::raw(padded_start(&progress, 7) + " "));
        Line::from(spans).style(base)
    }
}

/// The line of a study: its name and time, and its progress.
fn study_line(
    (id, open, chosen): (&str, bool, bool),
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
    let name = format!("{} {time}", printable(short_name(id)));
    let name_cells = width(&name).min(cells / 2);
    let room = cells.saturating_sub(name_cells + 5);
    let base = if chosen { theme.selected(true) } else { Style::new() };
    Line::from(vec![
        Span::styled(format!(" {sign} "), theme.accent()),
        Span::raw(padded(&name, name_cells) + "  "),
        Span::styled(padded(&progress.within(room), room), style),
    ])
    .style(base)
}

/// The time of a day if it is today, else the date.
fn day_or_time(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    // Snapshots of tests do not depend on the time zone.
    #[cfg(not(test))]
    let (time, now) = (time.with_timezone(&chrono::Local), now.with_timezone(&chrono::Local));
    let form = if time.date_naive() == now.date_naive() { "%H:%M" } else { "%-d %b" };
    time.format(form).to_string()
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

fn best_text(status: Option<&RunStatus>) -> String {
    let best = status.and_then(|status| status.best.as_ref());
    best.map_or_else(String::new, |best| format!("{:.3} @ {}", best.value, best.epoch))
}

fn eta_text(row: &RunRow) -> String {
    let at_work = row.condition.as_ref().is_some_and(RunCondition::is_active);
    let eta = row.status.as_ref().and_then(|status| status.eta_s).filter(|eta| at_work && eta.is_finite());
    eta.map_or_else(String::new, |eta| duration_text(TimeDelta::seconds(eta as i64)))
}
