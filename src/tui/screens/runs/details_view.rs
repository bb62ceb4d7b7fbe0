//! The details of the selected run, and the pane with its events or log.

use std::fmt::Write as _;

use chrono::TimeDelta;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::curves::RunCurves;
use super::list_view::state_text;
use super::metric::Metric;
use super::study_view::draw_folder;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::title;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::number_label;
use crate::tui::widgets::fitted::{fitted, padded_start};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::run::remaining_time::remaining_seconds;
use mammoscope_domain::run::run_condition::{RunCondition, age_text, duration_text};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::training_config::ScheduleKind;

impl RunsScreen {
    pub(super) fn selected_curves(&self) -> Option<&RunCurves> {
        self.chosen.as_ref().and_then(|run| self.followed.curves.get(run))
    }

    /// Draws the details, with a frame if there is room.
    pub(super) fn draw_details(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, framed: bool) {
        let theme = &shared.theme;
        if let Some((kind, id, rows)) = self.chosen_folder(shared) {
            draw_folder(frame, area, (kind, id, &rows), self.chosen.as_ref(), shared, framed);
            return;
        }
        let Some(row) = self.chosen_row(shared) else {
            let inner = if framed { draw_pane(frame, area, theme, false, ["", ""]) } else { area };
            if let Some(run) = &self.awaited {
                let text = format!(" {} is not listed yet", printable(&run.name()));
                frame.render_widget(Line::styled(fitted(&text, inner.width.into()), theme.dim()), inner);
            }
            return;
        };
        let summary = self.selected_curves().and_then(|curves| curves.summary.as_deref());
        let (head, eta) = (headline(row, summary), eta_text(row, summary));
        let inner = if framed { draw_pane(frame, area, theme, false, [&head, &eta]) } else { area };
        let cells = usize::from(inner.width);
        let mut lines = self.detail_lines(row, summary, shared);
        if !framed {
            let name = Span::styled(format!(" {head}"), theme.text());
            let eta = if eta.is_empty() { String::new() } else { format!(" · {eta}") };
            let mut spans = vec![name, Span::styled(eta, theme.dim())];
            // At most two lines: the first problem is appended to the first one.
            let rest = lines.split_off(1.min(lines.len()));
            if let Some(wrong) =
                rest.into_iter().find(|line| line.style == theme.bad() || line.style == theme.warning())
            {
                spans.push(Span::styled(format!(" · {}", line_text(&wrong)), wrong.style));
            }
            lines.insert(0, Line::from(spans));
        }
        let lines: Vec<Line<'_>> =
            lines.into_iter().take(usize::from(inner.height)).map(|line| truncated(line, cells)).collect();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    fn detail_lines(&self, row: &RunRow, summary: Option<&RunSummary>, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        let mut lines = Vec::new();
        let Some(summary) = summary else {
            lines.push(Line::styled(" reading …", theme.dim()));
            return lines;
        };
        let last = summary.records.last().map(|record| &record.metrics);
        let now = self.selected_curves().and_then(|curves| {
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
        if self.areas.compact_details {
            let [val_loss, val_accuracy] =
                [last.and_then(|last| last.val_loss), last.and_then(|last| last.val_accuracy)];
            let mut spans = Vec::new();
            for (name, now, val, decimals) in [("loss", loss, val_loss, 4), ("acc", accuracy, val_accuracy, 3)] {
                spans.push(Span::styled(format!(" {name} "), theme.dim()));
                spans.push(Span::raw(shown(now, decimals)));
                spans.push(Span::styled(" val ", theme.dim()));
                spans.push(Span::raw(shown(val, decimals) + "  "));
            }
            spans.extend(self.rate_line(row, summary, theme).spans);
            lines.push(Line::from(spans));
        } else {
            let state = Line::from(vec![Span::styled("   state   ", theme.dim()), Span::raw(state_text(row, shared))]);
            lines.extend([state, train, val, self.rate_line(row, summary, theme)]);
        }
        if let Some(best) = &summary.best {
            let metric = best.metric.replace('_', " ");
            let direction = if best.metric.ends_with("loss") { "↓" } else { "↑" };
            lines.push(Line::from(vec![
                Span::styled("   best    ", theme.dim()),
                Span::raw(format!("{:.4}{direction}", best.value)),
                Span::styled(format!("  {metric} at epoch {}", best.epoch), theme.dim()),
            ]));
        }
        if let Some(saved) = summary.checkpoints.last() {
            lines.push(Line::from(vec![
                Span::styled("   saved   ", theme.dim()),
                Span::raw(format!("{} ago", age_text(shared.now - saved.time))),
                Span::styled(format!("  step {}", grouped(saved.step as usize)), theme.dim()),
            ]));
        }
        for (run, verb) in &self.requests.verbs {
            if *run == row.run {
                lines.push(Line::styled(format!("   {verb} requested, not answered yet"), theme.warning()));
            }
        }
        if self.requests.resumes.contains(&row.run) {
            lines.push(Line::styled("   a trainer is being started", theme.warning()));
        }
        if let Some(error) = &summary.last_error {
            lines.push(Line::styled(format!("   {}", printable(&error.message)), theme.bad()));
        }
        for problem in self.selected_curves().iter().flat_map(|curves| &curves.problems) {
            lines.push(Line::styled(format!("   {}", printable(problem)), theme.warning()));
        }
        if !summary.skipped.is_empty() {
            lines.push(Line::styled(
                format!("   {} left out", counted(summary.skipped.len(), "image")),
                theme.warning(),
            ));
        }
        if !summary.changes.is_empty() {
            let changes: Vec<_> = summary.changes.iter().map(|change| printable(&change.to_string())).collect();
            lines.push(Line::styled(format!("   changed {}", changes.join(", ")), theme.dim()));
        }
        if let Some(moved) = summary.moves.last() {
            lines.push(Line::styled(format!("   data moved to {}", printable_path(&moved.to)), theme.dim()));
        }
        if let Some(setup) = &summary.setup {
            lines.push(Line::styled(
                format!(
                    "   on {} · {} train, {}",
                    printable(&setup.device),
                    setup.train,
                    counted(setup.validation, "val image")
                ),
                theme.dim(),
            ));
        }
        lines.push(Line::styled(format!("   {}", printable(&row.run.name())), theme.dim()));
        lines
    }

    fn rate_line(&self, row: &RunRow, summary: &RunSummary, theme: &Theme) -> Line<'static> {
        let rate = summary.learning_rate.map_or("–".to_owned(), number_label);
        let mut spans = vec![
            Span::styled(if self.areas.compact_details { " lr " } else { "   lr      " }, theme.dim()),
            Span::raw(rate),
        ];
        if let Some(config) = row.spec.as_ref().map(|spec| &spec.config).filter(|c| c.schedule == ScheduleKind::Plateau)
        {
            let waited = plateau(summary);
            spans.push(Span::styled("   plateau ", theme.dim()));
            spans.push(Span::raw(format!("{waited}/{}", config.plateau_patience)));
        }
        Line::from(spans)
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

fn headline(row: &RunRow, summary: Option<&RunSummary>) -> String {
    let mut text = title(row);
    if let Some(summary) = summary.filter(|summary| summary.epoch > 0) {
        let _ = write!(text, " · epoch {}/{}", summary.epoch, summary.epochs);
    }
    text
}

/// The remaining time of a run that is being trained; a paused run has none.
fn eta_text(row: &RunRow, summary: Option<&RunSummary>) -> String {
    let is_training = |condition: &RunCondition| condition.is_active() && condition.phase != RunPhase::Paused;
    let at_work = row.condition.as_ref().is_some_and(is_training);
    let Some(summary) = summary.filter(|_| at_work) else { return String::new() };
    remaining_seconds(summary)
        .map_or_else(String::new, |seconds| format!("ETA {}", duration_text(TimeDelta::seconds(seconds as i64))))
}

/// Epochs since the validation loss last improved or the learning rate was last reduced.
fn plateau(summary: &RunSummary) -> u32 {
    let mut lowest = f64::INFINITY;
    let mut since = 0;
    for record in summary.records.iter() {
        let epoch = record.metrics.epoch;
        let loss = record.metrics.val_loss.unwrap_or(f64::NAN);
        if loss < lowest - 1e-4 {
            lowest = loss;
            since = epoch;
        }
        if summary.reductions.iter().any(|reduction| reduction.epoch == epoch) {
            since = epoch;
        }
    }
    summary.records.last().map_or(0, |record| record.metrics.epoch - since)
}

fn line_text(line: &Line<'_>) -> String {
    line.spans.iter().map(|span| span.content.trim_start()).collect()
}

/// A line truncated to `cells` cells.
pub(super) fn truncated(line: Line<'static>, cells: usize) -> Line<'static> {
    if line.width() <= cells {
        return line;
    }
    let (mut room, style) = (cells, line.style);
    let mut spans = Vec::new();
    for span in line.spans {
        let shown = fitted(&span.content, room);
        room -= crate::tui::widgets::fitted::width(&shown);
        let is_truncated = shown != span.content;
        spans.push(Span::styled(shown, span.style));
        if is_truncated {
            break;
        }
    }
    Line::from(spans).style(style)
}
