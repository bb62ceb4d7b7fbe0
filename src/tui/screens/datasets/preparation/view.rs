//! The drawing of preprocessing.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::form::{INPUT, LABELS, OUTPUT, PreparationForm};
use super::{Preparation, Run};
use crate::tui::protocol::preparation::PreparationProgress;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded, width};
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_box;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;

/// Columns and rows of the boxes.
const SIZE: (u16, u16) = (76, 15);

impl Preparation {
    /// Draws the form, the run or its outcome over an area, if one is shown.
    pub(in crate::tui::screens::datasets) fn draw(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if let Some(form) = &self.form {
            draw_form(form, frame, area, shared);
        } else if let Some(run) = self.run.as_ref().filter(|_| self.is_shown) {
            draw_run(run, frame, area, shared);
        }
    }

    /// The progress in one line, while a run is in progress and not shown.
    pub(in crate::tui::screens::datasets) fn status(&self, shared: &SharedState) -> Option<Line<'static>> {
        let run = self.run.as_ref().filter(|run| run.outcome.is_none() && !self.is_shown)?;
        let theme = &shared.theme;
        let text = run.progress.as_ref().map_or_else(|| "looking for files".to_owned(), PreparationProgress::text);
        let refused =
            if run.refused_count > 0 { format!(" · {} refused", grouped(run.refused_count)) } else { String::new() };
        Some(Line::from(vec![
            Span::styled(" preprocessing ", theme.accent()),
            Span::raw(format!("{text}{refused}  ")),
            Span::styled("p", theme.accent()),
            Span::styled(" shows it", theme.dim()),
        ]))
    }
}

fn draw_form(form: &PreparationForm, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let inner = draw_box(frame, area, SIZE, shared, ["Preprocess", "Tab complete · Enter start · Esc back"]);
    let cells = usize::from(inner.width);
    let mut lines = Vec::new();
    for (field, label) in [(INPUT, "from"), (OUTPUT, "to"), (LABELS, "labels")] {
        let has_focus = field == form.field;
        let label_style = if has_focus { theme.accent() } else { theme.dim() };
        let mut spans = vec![Span::styled(format!(" {}", padded(label, 8)), label_style)];
        if field == LABELS && form.text(LABELS).is_empty() && !has_focus {
            spans.push(Span::styled("none, or labels.csv in the folder to write to", theme.dim()));
        } else {
            spans.extend(form.fields[field].spans(cells.saturating_sub(10), has_focus, theme));
        }
        lines.push(Line::from(spans));
    }
    lines.push(Line::default());
    if let Some(problem) = &form.problem {
        lines.push(Line::styled(fitted(&format!(" ! {problem}"), cells), theme.warning()));
    }
    if form.found.is_empty() {
        let help = [
            " DICOM, PNG, JPEG and TIFF files at any depth become images cropped at the",
            " skin, the pectoral muscle filled, under pseudonyms. A manifest keeps all",
            " that was done. Started again, it continues, and does only what changed.",
        ];
        lines.extend(help.map(|line| Line::styled(fitted(line, cells), theme.dim())));
    }
    let room = usize::from(inner.height).saturating_sub(lines.len());
    for found in form.found.iter().take(room) {
        lines.push(Line::styled(fitted(&format!("         {}", printable(found)), cells), theme.dim()));
    }
    frame.render_widget(Paragraph::new(lines), inner);
}

fn draw_run(run: &Run, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let right = match (&run.outcome, run.is_stopping) {
        (None, false) => format!("{} stop · Esc hide", key_text(Verb::Control, &shared.keymap)),
        (None, true) => "stopping after the images in progress".to_owned(),
        (Some(_), _) => format!("Enter close · {} review", key_text(Verb::Review, &shared.keymap)),
    };
    let inner = draw_box(frame, area, SIZE, shared, ["Preprocess", &right]);
    let cells = usize::from(inner.width);
    let mut lines: Vec<Line<'static>> = Vec::new();
    match &run.outcome {
        None => {
            let text =
                run.progress.as_ref().map_or_else(|| "looking for files …".to_owned(), PreparationProgress::text);
            lines.push(Line::raw(fitted(&format!(" {text}"), cells)));
            lines.push(bar(run.progress.as_ref(), cells, shared));
        }
        Some(Ok(outcome)) => {
            wrapped(&mut lines, &outcome.summary_text(), cells, theme.good());
            for note in &outcome.notes {
                wrapped(&mut lines, note, cells, theme.text());
            }
        }
        Some(Err(failure)) => wrapped(&mut lines, &printable(failure.text()), cells, theme.bad()),
    }
    lines.push(Line::default());
    let [above, below] =
        Layout::vertical([Constraint::Length((lines.len() as u16).min(inner.height)), Constraint::Fill(1)])
            .areas(inner);
    frame.render_widget(Paragraph::new(lines), above);
    // The latest ones, as many as fit, each in one line.
    let room = usize::from(below.height);
    let mut lines = Vec::new();
    if run.refused_count > 0 && room > 1 {
        lines.push(Line::styled(format!(" {} refused:", grouped(run.refused_count)), theme.warning()));
        let first = run.refused.len().saturating_sub(room - 1);
        lines.extend(
            run.refused[first..].iter().map(|(name, reason)| Line::raw(fitted(&format!(" {name}: {reason}"), cells))),
        );
    }
    frame.render_widget(Paragraph::new(lines), below);
}

/// A bar of the files that are done.
fn bar(progress: Option<&PreparationProgress>, cells: usize, shared: &SharedState) -> Line<'static> {
    let theme = &shared.theme;
    let room = cells.saturating_sub(2);
    let share = progress.map_or(0.0, |progress| progress.done as f64 / progress.total.max(1) as f64);
    let full = ((share * room as f64).floor() as usize).min(room);
    Line::from(vec![
        Span::styled(format!(" {}", theme.sign("━", "=").repeat(full)), theme.accent()),
        Span::styled(theme.sign("─", "-").repeat(room - full), theme.border()),
    ])
}

/// Adds a text in as many lines as it takes, broken at spaces.
fn wrapped(lines: &mut Vec<Line<'static>>, text: &str, cells: usize, style: Style) {
    let mut line = String::from(" ");
    for word in text.split(' ') {
        if width(&line) + width(word) + 1 > cells && line.len() > 1 {
            lines.push(Line::styled(std::mem::replace(&mut line, String::from(" ")), style));
        }
        if line.len() > 1 {
            line.push(' ');
        }
        line.push_str(&fitted(word, cells.saturating_sub(2)));
    }
    lines.push(Line::styled(line, style));
}
