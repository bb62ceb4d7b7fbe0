//! A field for typing a path, with completions. A path that cannot be opened is refused in the field.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};

use super::fitted::{fitted, fitted_path};
use super::pane::draw_box;
use super::scroll_list::ScrollList;
use super::text_field::TextField;
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::printable::printable;

/// The texts of a field for a path.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct PathPrompt {
    /// The title of the box, such as `Open a data set`.
    pub(in crate::tui) title: &'static str,
    /// The kind of path, such as `folder`.
    pub(in crate::tui) label: &'static str,
    /// What is expected, shown where nothing completes the path.
    pub(in crate::tui) hint: &'static str,
}

/// A field for typing a path.
#[derive(Debug)]
pub(in crate::tui) struct PathField {
    prompt: PathPrompt,
    field: TextField,
    found: Vec<String>,
    list: ScrollList,
    /// True once a completion was selected, which Enter then opens in place of the typed path.
    selected: bool,
    /// The submitted path, while it is being checked.
    checked: Option<String>,
    /// The reason why the submitted path was refused.
    problem: Option<Failure>,
}

/// The outcome of a key in the field.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum PathKey {
    Nothing,
    /// Complete this path.
    Complete(String),
    /// Check this path; [`PathField::on_checked`] takes the answer.
    Check(String),
    Cancelled,
}

impl PathField {
    /// A field that starts with this path, whose completions are to be requested.
    pub(in crate::tui) fn new(prompt: PathPrompt, path: &str) -> Self {
        Self {
            prompt,
            field: TextField::new(path),
            found: Vec::new(),
            list: ScrollList::default(),
            selected: false,
            checked: None,
            problem: None,
        }
    }

    /// The typed path.
    pub(in crate::tui) fn text(&self) -> &str {
        self.field.text()
    }

    /// Takes completions if they are still those of the typed path.
    pub(in crate::tui) fn on_completed(&mut self, typed: &str, found: Vec<String>) {
        if typed == self.field.text() {
            self.found = found;
            (self.list, self.selected) = (ScrollList::default(), false);
        }
    }

    /// Takes the outcome of a check; returns the path to open if it is the one that was submitted.
    pub(in crate::tui) fn on_checked(&mut self, typed: &str, outcome: Result<PathBuf, Failure>) -> Option<PathBuf> {
        if self.checked.as_deref() != Some(typed) {
            return None;
        }
        self.checked = None;
        outcome.map_err(|problem| self.problem = Some(problem)).ok()
    }

    pub(in crate::tui) fn press(&mut self, key: Key) -> PathKey {
        if let Some(motion) = ListMotion::while_typing(key) {
            // The first motion selects the first row.
            if self.selected {
                self.list.move_by(motion, self.found.len());
            }
            self.selected = !self.found.is_empty();
            return PathKey::Nothing;
        }
        match key {
            Key::Escape => PathKey::Cancelled,
            Key::Enter => self.submit(),
            Key::Tab => self.take(self.list.cursor),
            key => {
                let before = self.field.text().to_owned();
                // After a slash, another slash or a tilde starts a new path.
                if matches!(key, Key::Char('/' | '~')) && before.ends_with('/') {
                    self.field = TextField::default();
                }
                self.field.press(key);
                if self.field.text() == before { PathKey::Nothing } else { self.edited() }
            }
        }
    }

    pub(in crate::tui) fn paste(&mut self, text: &str) -> PathKey {
        let text = text.trim();
        if text.starts_with(['/', '~']) {
            self.field = TextField::default();
        }
        self.field.paste(text);
        self.edited()
    }

    pub(in crate::tui) fn mouse(&mut self, mouse: Mouse) -> PathKey {
        match mouse.kind {
            MouseKind::Press => match self.list.row_at(mouse, self.found.len()) {
                Some(row) => self.take(row),
                None => PathKey::Nothing,
            },
            MouseKind::WheelDown => self.press(Key::Down),
            MouseKind::WheelUp => self.press(Key::Up),
            MouseKind::Drag | MouseKind::Release => PathKey::Nothing,
        }
    }

    fn submit(&mut self) -> PathKey {
        if let Some(found) = self.found.get(self.list.cursor).filter(|_| self.selected) {
            self.field = TextField::new(found.clone());
            self.selected = false;
        }
        if self.field.text().trim().is_empty() {
            return PathKey::Cancelled;
        }
        self.problem = None;
        self.checked = Some(self.field.text().to_owned());
        PathKey::Check(self.field.text().to_owned())
    }

    fn take(&mut self, row: usize) -> PathKey {
        let Some(found) = self.found.get(row) else { return PathKey::Nothing };
        self.field = TextField::new(found.clone());
        self.edited()
    }

    fn edited(&mut self) -> PathKey {
        self.found.clear();
        (self.selected, self.checked, self.problem) = (false, None, None);
        PathKey::Complete(self.field.text().to_owned())
    }

    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let titles = [self.prompt.title, "Tab complete · Enter open · Esc cancel"];
        let inner = draw_box(frame, area, (76, 14), shared, titles);
        let [field, below, rows] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        let label = format!(" {}  ", self.prompt.label);
        let room = usize::from(field.width).saturating_sub(label.len() + 2);
        let mut spans = vec![Span::styled(label, theme.dim())];
        spans.extend(self.field.spans(room, true, theme));
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        let cells = usize::from(rows.width);
        if let Some(problem) = &self.problem {
            let text = format!(" {} {problem}", theme.sign("✖", "x"));
            frame.render_widget(Paragraph::new(Line::styled(fitted(&text, cells), theme.bad())), below);
        } else if self.checked.is_some() {
            frame.render_widget(Paragraph::new(Line::styled(" opening …", theme.dim())), below);
        }
        if self.found.is_empty() {
            let text = format!("nothing completes this path; wanted: {}", self.prompt.hint);
            let text = Text::styled(text, theme.dim());
            let rows = Rect { x: rows.x + 1, width: rows.width.saturating_sub(2), ..rows };
            frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), rows);
            return;
        }
        let visible = self.list.visible(rows, self.found.len());
        for (line, row) in visible.enumerate() {
            let is_selected = self.selected && row == self.list.cursor;
            let style = if is_selected { theme.selected(true) } else { theme.text() };
            let text = format!(" {}", fitted_path(&printable(&self.found[row]), cells.saturating_sub(1)));
            let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(text).style(style), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: PathPrompt = PathPrompt { title: "Open", label: "folder", hint: "a folder of images" };

    fn field() -> PathField {
        let mut field = PathField::new(PROMPT, "/data/");
        field.on_completed("/data/", vec!["/data/a/".to_owned(), "/data/b/".to_owned()]);
        field
    }

    #[test]
    fn enter_opens_what_is_highlighted_and_otherwise_what_is_typed() {
        assert_eq!(field().press(Key::Enter), PathKey::Check("/data/".to_owned()), "nothing is highlighted");
        let mut moved = field();
        moved.press(Key::Down);
        assert_eq!(moved.press(Key::Enter), PathKey::Check("/data/a/".to_owned()));
        let mut moved = field();
        moved.press(Key::Down);
        moved.press(Key::Down);
        assert_eq!(moved.press(Key::Enter), PathKey::Check("/data/b/".to_owned()));
    }

    #[test]
    fn a_refused_path_stays_in_the_field_with_the_reason() {
        let mut field = field();
        field.press(Key::Char('x'));
        assert_eq!(field.press(Key::Enter), PathKey::Check("/data/x".to_owned()));
        assert_eq!(field.on_checked("/data/other", Ok("/data/other".into())), None, "an answer to another path");
        assert_eq!(field.on_checked("/data/x", Err("there is no such folder".into())), None);
        assert_eq!(
            (field.text(), field.problem.as_ref().map(Failure::text)),
            ("/data/x", Some("there is no such folder"))
        );
        field.press(Key::Backspace);
        assert!(field.problem.is_none());
        field.press(Key::Enter);
        assert_eq!(field.on_checked("/data/", Ok("/data".into())), Some("/data".into()));
    }
}
