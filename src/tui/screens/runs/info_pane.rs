//! The information pane below the charts: the events or the log of the selected run.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::RunsScreen;
use super::configuration::named;
use super::details_view::truncated;
use super::note_text::{is_bad, needs_attention, note_text, shorter_texts};
use crate::tui::protocol::run_log::{LogLevel, LogLine};
use crate::tui::protocol::run_names::clock_time;
use crate::tui::protocol::runs::{Lower, RunNote};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::time_label;
use crate::tui::widgets::fitted::padded_start;
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::text::printable::printable;

/// A line of the pane.
#[derive(Clone, Debug)]
pub(super) struct InfoLine {
    /// When it happened, as shown; `None` for facts without a time.
    time: Option<String>,
    /// Safe to print.
    pub(super) text: String,
    /// Shorter texts for a narrow pane, the longest first.
    shorter: Vec<String>,
    style: Style,
    pub(super) needs_attention: bool,
}

impl InfoLine {
    /// A fact with its name; the value is safe to print.
    pub(super) fn fact(name: &str, value: &str, style: Style) -> Self {
        Self { time: None, text: named(name, value), shorter: Vec::new(), style, needs_attention: false }
    }

    /// The heading of some facts.
    pub(super) fn heading(text: &str, theme: &Theme) -> Self {
        Self { time: None, text: text.to_owned(), shorter: Vec::new(), style: theme.dim(), needs_attention: false }
    }

    /// The whole line.
    pub(super) fn line(&self, theme: &Theme) -> Line<'static> {
        self.line_of(&self.text, theme)
    }

    /// The line in a number of cells: the longest text that fits, truncated if none does.
    pub(super) fn line_within(&self, cells: usize, theme: &Theme) -> Line<'static> {
        let texts = std::iter::once(&self.text).chain(&self.shorter);
        let fitting = texts.map(|text| self.line_of(text, theme)).find(|line| line.width() <= cells);
        fitting.unwrap_or_else(|| truncated(self.line(theme), cells))
    }

    fn line_of(&self, text: &str, theme: &Theme) -> Line<'static> {
        let Some(time) = &self.time else { return Line::styled(format!(" {text}"), self.style) };
        let sign = if self.needs_attention { "!" } else { " " };
        Line::from(vec![
            Span::styled(format!("{} ", padded_start(time, 8)), theme.dim()),
            Span::styled(format!("{sign} {text}"), self.style),
        ])
    }
}

impl RunsScreen {
    /// The lines of the pane.
    pub(super) fn info_lines(&self, content: Lower, shared: &SharedState) -> Vec<InfoLine> {
        self.some_info_lines(content, 0..usize::MAX, shared)
    }

    /// The lines of the pane in a range of positions, as far as there are that many.
    fn some_info_lines(&self, content: Lower, range: Range<usize>, shared: &SharedState) -> Vec<InfoLine> {
        let theme = &shared.theme;
        let (start, count) = (range.start, range.len());
        match (content, self.selected_curves()) {
            (Lower::Configuration, _) => self.configuration_lines(shared).into_iter().skip(start).take(count).collect(),
            (_, None) | (Lower::Nothing, _) => Vec::new(),
            (Lower::Log, Some(curves)) => {
                curves.log.iter().skip(start).take(count).map(|line| log_line(line, theme)).collect()
            }
            (Lower::Events, Some(curves)) => {
                curves.notes.iter().skip(start).take(count).map(|note| event_line(note, theme)).collect()
            }
        }
    }

    /// The number of lines of the pane: a run of many epochs has thousands, of which a few are drawn.
    fn info_length(&self, content: Lower, shared: &SharedState) -> usize {
        match (content, self.selected_curves()) {
            (Lower::Configuration, _) => self.configuration_lines(shared).len(),
            (_, None) | (Lower::Nothing, _) => 0,
            (Lower::Log, Some(curves)) => curves.log.len(),
            (Lower::Events, Some(curves)) => curves.notes.len(),
        }
    }

    /// Draws the pane.
    pub(super) fn draw_info(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, content: Lower) {
        let theme = &shared.theme;
        self.areas.lower = area;
        let height = usize::from(area.height.saturating_sub(2));
        let length = self.info_length(content, shared);
        let jumped = self.lower.note.filter(|note| content == Lower::Events && *note < length);
        // Events and log are at the end, unless they were scrolled back or a note was jumped to.
        let last = length.saturating_sub(height);
        self.lower.scrolled = self.lower.scrolled.min(last);
        let is_text = content == Lower::Configuration;
        let mut start = if is_text { self.lower.scrolled } else { last - self.lower.scrolled };
        if let Some(jumped) = jumped.filter(|_| self.lower.scrolled == 0) {
            start = start.min(jumped.saturating_sub(height / 2));
        }
        let place =
            if length > height { format!("{}–{} of {length}", start + 1, start + height) } else { String::new() };
        let inner = draw_pane(frame, area, theme, false, [content.title(), &place]);
        if length == 0 {
            frame.render_widget(Paragraph::new(Line::styled(" nothing yet", theme.dim())), inner);
        }
        let cells = usize::from(inner.width);
        let line = |(at, line): (usize, &InfoLine)| {
            let style = if Some(start + at) == jumped { theme.selected(true) } else { Style::new() };
            line.line_within(cells, theme).style(style)
        };
        let lines = self.some_info_lines(content, start..start + height, shared);
        let shown: Vec<Line<'_>> = lines.iter().enumerate().map(line).collect();
        frame.render_widget(Paragraph::new(shown), inner);
    }
}

fn event_line(note: &RunNote, theme: &Theme) -> InfoLine {
    let style = match &note.kind {
        kind if is_bad(kind) => theme.bad(),
        kind if needs_attention(kind) => theme.warning(),
        _ => theme.text(),
    };
    InfoLine {
        time: Some(time_label(note.elapsed.as_seconds_f64())),
        text: printable(&note_text(&note.kind)),
        shorter: shorter_texts(&note.kind).iter().map(|text| printable(text)).collect(),
        style,
        needs_attention: needs_attention(&note.kind),
    }
}

fn log_line(line: &LogLine, theme: &Theme) -> InfoLine {
    let (style, needs_attention) = match line.level {
        LogLevel::Error => (theme.bad(), true),
        LogLevel::Warning => (theme.warning(), true),
        LogLevel::Info => (theme.text(), false),
        LogLevel::Other => (theme.dim(), false),
    };
    let time = Some(line.time.map(clock_time).unwrap_or_default());
    InfoLine { time, text: printable(&line.text), shorter: Vec::new(), style, needs_attention }
}
