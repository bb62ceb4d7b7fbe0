//! What the chosen run is at, in figures, and what happened in it.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::control::title;
use super::curves::{Metric, RunCurves};
use super::note_text::{is_bad, is_routine, note_text, wants_attention};
use crate::tui::model::Model;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::Lower;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{number_label, time_label};
use crate::tui::widgets::fitted::{fitted, padded_start};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::run::epoch_eta::remaining_seconds;
use mammoscope_domain::run::run_condition::{RunCondition, age_text, duration_text};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::training_config::ScheduleKind;

impl RunsScreen {
    fn chosen_curves(&self) -> Option<&RunCurves> {
        self.chosen.as_ref().and_then(|run| self.curves.get(run))
    }

    /// Draws the details in a frame, or without one where there is little room.
    pub(super) fn draw_details(&self, frame: &mut Frame<'_>, area: Rect, model: &Model, framed: bool) {
        let theme = &model.theme;
        let Some(row) = self.chosen_row(model) else {
            let inner = if framed { draw_pane(frame, area, theme, false, ["", ""]) } else { area };
            if let Some(run) = &self.awaited {
                let text = format!(" {} is not listed yet", printable(&run.name()));
                frame.render_widget(Line::styled(fitted(&text, inner.width.into()), theme.dim()), inner);
            }
            return;
        };
        let state = self.chosen_curves().and_then(|curves| curves.state.as_deref());
        let (head, eta) = (headline(row, state), eta_text(row, state, model.now));
        let inner = if framed { draw_pane(frame, area, theme, false, [&head, &eta]) } else { area };
        let cells = usize::from(inner.width);
        let mut lines = self.detail_lines(row, state, model);
        if !framed {
            let name = Span::styled(format!(" {head}"), theme.text());
            let eta = if eta.is_empty() { String::new() } else { format!(" · {eta}") };
            let mut spans = vec![name, Span::styled(eta, theme.dim())];
            // Two lines at most: what is wrong, or the figures.
            let rest = lines.split_off(1.min(lines.len()));
            if let Some(wrong) =
                rest.into_iter().find(|line| line.style == theme.bad() || line.style == theme.warning())
            {
                spans.push(Span::styled(format!(" · {}", line_text(&wrong)), wrong.style));
            }
            lines.insert(0, Line::from(spans));
        }
        let lines: Vec<Line<'_>> =
            lines.into_iter().take(usize::from(inner.height)).map(|line| cut(line, cells)).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    fn detail_lines(&self, row: &RunRow, state: Option<&RunState>, model: &Model) -> Vec<Line<'static>> {
        let theme = &model.theme;
        let mut lines = Vec::new();
        let Some(state) = state else {
            lines.push(Line::styled(" reading …", theme.dim()));
            return lines;
        };
        let last = state.records.last().map(|record| &record.figures);
        let now = self.chosen_curves().and_then(|curves| {
            let value = |metric| curves.raw(metric).values().last().copied();
            value(Metric::Loss).zip(value(Metric::Accuracy))
        });
        let shown =
            |value: Option<f64>, decimals: usize| value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"));
        let (loss, accuracy) = now.map_or((None, None), |(loss, accuracy)| (Some(loss.into()), Some(accuracy.into())));
        let train = figures("train", [shown(loss, 4), shown(accuracy, 3)], theme);
        let val = figures(
            "val",
            [shown(last.and_then(|last| last.val_loss), 4), shown(last.and_then(|last| last.val_accuracy), 3)],
            theme,
        );
        if self.compact_details {
            let [val_loss, val_accuracy] =
                [last.and_then(|last| last.val_loss), last.and_then(|last| last.val_accuracy)];
            let mut spans = Vec::new();
            for (name, now, val, decimals) in [("loss", loss, val_loss, 4), ("acc", accuracy, val_accuracy, 3)] {
                spans.push(Span::styled(format!(" {name} "), theme.dim()));
                spans.push(Span::raw(shown(now, decimals)));
                spans.push(Span::styled(" val ", theme.dim()));
                spans.push(Span::raw(shown(val, decimals) + "  "));
            }
            spans.extend(self.rate_line(row, state, theme).spans);
            lines.push(Line::from(spans));
        } else {
            lines.extend([train, val, self.rate_line(row, state, theme)]);
        }
        if let Some(best) = &state.best {
            let metric = best.metric.replace('_', " ");
            lines.push(Line::from(vec![
                Span::styled(format!(" {} best    ", theme.sign("★", "*")), theme.dim()),
                Span::raw(format!("{:.4}", best.value)),
                Span::styled(format!("  {metric} at epoch {}", best.epoch), theme.dim()),
            ]));
        }
        if let Some(saved) = state.checkpoints.iter().max_by_key(|saved| saved.time) {
            lines.push(Line::from(vec![
                Span::styled("   saved   ", theme.dim()),
                Span::raw(format!("{} ago", age_text(model.now - saved.time))),
                Span::styled(format!("  step {}", grouped(saved.step)), theme.dim()),
            ]));
        }
        for (run, verb) in &self.asked {
            if *run == row.run {
                lines.push(Line::styled(format!("   {verb} asked, not answered yet"), theme.warning()));
            }
        }
        if self.resuming.contains(&row.run) {
            lines.push(Line::styled("   a trainer is being started", theme.warning()));
        }
        if let Some(error) = &state.last_error {
            lines.push(Line::styled(format!("   {}", printable(&error.message)), theme.bad()));
        }
        for problem in self.chosen_curves().iter().flat_map(|curves| &curves.problems) {
            lines.push(Line::styled(format!("   {}", printable(problem)), theme.warning()));
        }
        if !state.skipped.is_empty() {
            lines.push(Line::styled(format!("   images left out: {}", state.skipped.len()), theme.warning()));
        }
        if let Some(setting) = &state.setting {
            lines.push(Line::styled(
                format!(
                    "   on {} · {} train, {} val images",
                    printable(&setting.device),
                    setting.train,
                    setting.validation
                ),
                theme.dim(),
            ));
        }
        lines.push(Line::styled(format!("   {}", printable(&row.run.name())), theme.dim()));
        lines
    }

    fn rate_line(&self, row: &RunRow, state: &RunState, theme: &Theme) -> Line<'static> {
        let rate = state.learning_rate.map_or("–".to_owned(), number_label);
        let mut spans =
            vec![Span::styled(if self.compact_details { " lr " } else { "   lr      " }, theme.dim()), Span::raw(rate)];
        if let Some(config) = row.spec.as_ref().map(|spec| &spec.config).filter(|c| c.schedule == ScheduleKind::Plateau)
        {
            let waited = plateau(state);
            spans.push(Span::styled("   plateau ", theme.dim()));
            spans.push(Span::raw(format!("{waited}/{}", config.plateau_patience)));
        }
        Line::from(spans)
    }

    /// Draws what is below the charts.
    pub(super) fn draw_lower(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model, lower: Lower) {
        let theme = &model.theme;
        self.areas.lower = area;
        let height = usize::from(area.height.saturating_sub(2));
        let (lines, jumped): (Vec<Line<'static>>, Option<usize>) = match (lower, self.chosen_curves()) {
            (_, None) | (Lower::Nothing, _) => (Vec::new(), None),
            (Lower::Log, Some(curves)) => {
                (curves.log.iter().map(|line| Line::raw(format!(" {}", printable(line)))).collect(), None)
            }
            (Lower::Events, Some(curves)) => self.event_lines(curves, theme),
        };
        // At the end, unless scrolled back or jumped to something.
        let last = lines.len().saturating_sub(height);
        self.scrolled = self.scrolled.min(last);
        let mut start = last - self.scrolled;
        if let Some(jumped) = jumped.filter(|_| self.scrolled == 0) {
            start = start.min(jumped.saturating_sub(height / 2));
        }
        let name = if lower == Lower::Log { "log" } else { "events" };
        let place = if lines.len() > height {
            format!("{}–{} of {}", start + 1, start + height, lines.len())
        } else {
            String::new()
        };
        let inner = draw_pane(frame, area, theme, false, [name, &place]);
        if lines.is_empty() {
            frame.render_widget(Paragraph::new(Line::styled(" nothing yet", theme.dim())), inner);
        }
        let cells = usize::from(inner.width);
        let shown: Vec<Line<'_>> = lines.into_iter().skip(start).take(height).map(|line| cut(line, cells)).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }

    fn event_lines(&self, curves: &RunCurves, theme: &Theme) -> (Vec<Line<'static>>, Option<usize>) {
        let started = curves.state.as_ref().and_then(|state| state.started);
        let mut jumped = None;
        let mut lines = Vec::new();
        for (at, note) in curves.notes.iter().enumerate().filter(|(_, note)| !is_routine(&note.kind)) {
            let since = started.map_or(0.0, |started| (note.time - started).as_seconds_f64());
            let style = match &note.kind {
                kind if is_bad(kind) => theme.bad(),
                kind if wants_attention(kind) => theme.warning(),
                _ => theme.text(),
            };
            let sign = if wants_attention(&note.kind) { "!" } else { " " };
            let mut line = Line::from(vec![
                Span::styled(format!("{} ", padded_start(&time_label(since), 7)), theme.dim()),
                Span::styled(format!("{sign} {}", printable(&note_text(&note.kind))), style),
            ]);
            if self.note == Some(at) {
                jumped = Some(lines.len());
                line = line.style(theme.selected(true));
            }
            lines.push(line);
        }
        (lines, jumped)
    }
}

fn figures(name: &str, [loss, accuracy]: [String; 2], theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("   {name:<8}"), theme.dim()),
        Span::styled("loss ", theme.dim()),
        Span::raw(padded_start(&loss, 7)),
        Span::styled("   acc ", theme.dim()),
        Span::raw(padded_start(&accuracy, 5)),
    ])
}

fn headline(row: &RunRow, state: Option<&RunState>) -> String {
    let mut text = title(row);
    if let Some(state) = state.filter(|state| state.epoch > 0) {
        let _ = write!(text, " · epoch {}/{}", state.epoch, state.epochs);
    }
    text
}

/// How long it takes yet, of a run that a trainer is at work on.
fn eta_text(row: &RunRow, state: Option<&RunState>, now: DateTime<Utc>) -> String {
    let at_work = row.condition.as_ref().is_some_and(RunCondition::is_at_work);
    let Some(state) = state.filter(|_| at_work) else { return String::new() };
    let since = state.records.last().map_or(0.0, |record| (now - record.time).as_seconds_f64());
    remaining_seconds(&state.records, state.epochs, since)
        .map_or_else(String::new, |seconds| format!("ETA {}", duration_text(TimeDelta::seconds(seconds as i64))))
}

/// Epochs since the validation loss was last better than before, or since the rate was last reduced.
fn plateau(state: &RunState) -> u32 {
    let mut lowest = f64::INFINITY;
    let mut since = 0;
    for record in &state.records {
        let epoch = record.figures.epoch;
        let loss = record.figures.val_loss.unwrap_or(f64::NAN);
        if loss < lowest - 1e-4 {
            lowest = loss;
            since = epoch;
        }
        if state.reductions.iter().any(|reduction| reduction.epoch == epoch) {
            since = epoch;
        }
    }
    state.records.last().map_or(0, |record| record.figures.epoch - since)
}

/// A number with commas between its thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn line_text(line: &Line<'_>) -> String {
    line.spans.iter().map(|span| span.content.trim_start()).collect()
}

/// A line in so many cells.
fn cut(line: Line<'static>, cells: usize) -> Line<'static> {
    if line.width() <= cells {
        return line;
    }
    let (mut room, style) = (cells, line.style);
    let mut spans = Vec::new();
    for span in line.spans {
        let shown = fitted(&span.content, room);
        room -= crate::tui::widgets::fitted::width(&shown);
        let is_cut = shown != span.content;
        spans.push(Span::styled(shown, span.style));
        if is_cut {
            break;
        }
    }
    Line::from(spans).style(style)
}
