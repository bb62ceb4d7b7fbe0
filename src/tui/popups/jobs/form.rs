//! The form of a job.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::terminal::input::Key;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::job_kind::{Content, JobField, JobKind};
use crate::tui::protocol::jobs::{JobEffect, JobOrder, PathFacts};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::text::printable::printable;

/// Cells of a field's name.
const NAME: usize = 12;
/// Completions shown at once.
const SHOWN: usize = 6;

/// The outcome of a key in the form.
pub(super) enum Filled {
    Continues(Vec<Effect>),
    Start(JobOrder),
    Cancelled,
}

/// The form of a job.
#[derive(Debug)]
pub(super) struct JobForm {
    kind: JobKind,
    workspace: PathBuf,
    values: Vec<TextField>,
    cursor: usize,
    /// What is known of the paths that were typed.
    facts: Vec<PathFacts>,
    /// The reason why Enter did not start the job.
    refusal: Option<String>,
}

impl JobForm {
    /// A form with its defaults, and the effects that look at their paths.
    pub(super) fn new(kind: JobKind, data: &str, workspace: PathBuf) -> (Self, Vec<Effect>) {
        let defaults = kind.defaults(data, &workspace);
        let values = defaults.iter().map(TextField::selected).collect();
        let first_empty = defaults.iter().position(|value| value.trim().is_empty()).unwrap_or(0);
        let cursor = if matches!(kind, JobKind::Split) { 0 } else { first_empty };
        let form = Self { kind, workspace, values, cursor, facts: Vec::new(), refusal: None };
        let effects = (0..form.values.len()).filter_map(|place| form.look_at(place)).collect();
        (form, effects)
    }

    /// Takes what is known of a typed path.
    pub(super) fn take_facts(&mut self, facts: PathFacts) {
        self.facts.retain(|known| known.typed != facts.typed);
        self.facts.push(facts);
    }

    fn field(&self) -> &'static JobField {
        &self.kind.fields()[self.cursor]
    }

    fn facts_of(&self, place: usize) -> Option<&PathFacts> {
        self.facts.iter().find(|facts| facts.typed == self.values[place].text())
    }

    /// The request to look at a typed path.
    fn look_at(&self, place: usize) -> Option<Effect> {
        let content = self.kind.fields()[place].content;
        let is_path = matches!(content, Content::Existing | Content::New | Content::Model);
        let typed = self.values[place].text().to_owned();
        is_path.then_some(Effect::Job(JobEffect::LookAt(typed)))
    }

    /// The reason why the value of a field is refused.
    fn fault(&self, place: usize) -> Option<String> {
        let content = self.kind.fields()[place].content;
        let is_missing = || self.facts_of(place).is_some_and(|facts| !facts.exists);
        JobKind::fault(content, self.values[place].text())
            .or_else(|| (content == Content::Existing && is_missing()).then(|| "no such file or folder".to_owned()))
    }

    pub(super) fn press(&mut self, key: Key) -> Filled {
        self.refusal = None;
        let last = self.values.len() - 1;
        match key {
            Key::Escape => return Filled::Cancelled,
            Key::Up | Key::BackTab => self.cursor = self.cursor.saturating_sub(1),
            Key::Down => self.cursor = (self.cursor + 1).min(last),
            Key::Tab => return Filled::Continues(self.complete()),
            Key::Enter if self.cursor < last => self.cursor += 1,
            Key::Enter | Key::Ctrl('s') => return self.start(),
            key => {
                let before = self.values[self.cursor].text().to_owned();
                self.values[self.cursor].press(key);
                if self.values[self.cursor].text() != before {
                    return Filled::Continues(self.look_at(self.cursor).into_iter().collect());
                }
            }
        }
        Filled::Continues(Vec::new())
    }

    /// Takes the first completion of a path, or goes to the next field.
    fn complete(&mut self) -> Vec<Effect> {
        let found = self.facts_of(self.cursor).and_then(|facts| facts.completions.first().cloned());
        if let Some(path) = found {
            self.values[self.cursor] = TextField::new(path);
            self.look_at(self.cursor).into_iter().collect()
        } else {
            self.cursor = (self.cursor + 1) % self.values.len();
            Vec::new()
        }
    }

    fn start(&mut self) -> Filled {
        let fault = (0..self.values.len()).find_map(|place| self.fault(place).map(|fault| (place, fault)));
        if let Some((place, fault)) = fault {
            self.cursor = place;
            self.refusal = Some(format!("{}: {fault}", self.kind.fields()[place].name));
            return Filled::Continues(Vec::new());
        }
        let values: Vec<String> = self.values.iter().map(|value| value.text().to_owned()).collect();
        Filled::Start(self.kind.order(&values, &self.workspace))
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let rows = (self.values.len() + SHOWN + 6) as u16;
        let keys = "Enter next, Ctrl-S start, Esc cancel";
        let inner = draw_box(frame, area, (90, rows), shared, [self.kind.title(), keys]);
        let [head, _, fields, note, completions] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(self.values.len() as u16),
            Constraint::Length(1),
            Constraint::Fill(1),
        ])
        .areas(inner);
        let cells = usize::from(inner.width);
        let meaning = fitted(&format!(" {}", self.kind.meaning()), cells);
        frame.render_widget(Paragraph::new(Line::styled(meaning, theme.dim())), head);
        let lines: Vec<Line<'_>> = self
            .kind
            .fields()
            .iter()
            .enumerate()
            .map(|(place, field)| {
                let focused = place == self.cursor;
                let pointer = if focused { theme.sign("▸ ", "> ") } else { "  " };
                let mut spans = vec![Span::styled(pointer, theme.accent()), Span::raw(padded(field.name, NAME))];
                let style = if self.fault(place).is_some() { theme.bad() } else { theme.text() };
                let typed = self.values[place].spans(cells.saturating_sub(NAME + 3), focused, theme);
                spans.extend(typed.into_iter().map(|span| span.patch_style(style)));
                Line::from(spans)
            })
            .collect();
        frame.render_widget(Paragraph::new(lines), fields);
        let (text, style) = match (&self.refusal, self.fault(self.cursor)) {
            (Some(refusal), _) => (format!("{} {refusal}", theme.sign("✖", "x")), theme.bad()),
            (None, Some(fault)) => (format!("{}: {fault}", self.field().name), theme.warning()),
            (None, None) => (self.field().hint.to_owned(), theme.dim()),
        };
        frame.render_widget(Paragraph::new(Line::styled(fitted(&format!("  {text}"), cells), style)), note);
        let found = self.facts_of(self.cursor).map_or(&[][..], |facts| &facts.completions);
        let mut lines: Vec<Line<'_>> = found
            .iter()
            .take(SHOWN)
            .enumerate()
            .map(|(row, path)| {
                let key = if row == 0 { "Tab" } else { "" };
                let path = fitted(&printable(path), cells.saturating_sub(NAME + 2));
                Line::from(vec![
                    Span::styled(format!("  {}", padded(key, NAME)), theme.accent()),
                    Span::styled(path, theme.dim()),
                ])
            })
            .collect();
        if found.len() > SHOWN {
            lines.pop();
            let text = format!("  {}{} more", padded("", NAME), found.len() + 1 - SHOWN);
            lines.push(Line::styled(text, theme.dim()));
        }
        frame.render_widget(Paragraph::new(lines), completions);
    }
}
