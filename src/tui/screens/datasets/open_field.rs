//! The field for typing the path of a data set, with completions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::fitted;
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::text::printable::printable;

/// A field for typing a path.
#[derive(Debug)]
pub(super) struct OpenField {
    title: &'static str,
    /// Shown where no folder completes the path.
    hint: &'static str,
    field: TextField,
    found: Vec<String>,
    list: ScrollList,
}

/// The outcome of a key in the field.
pub(super) enum Typed {
    Continues(Vec<Effect>),
    /// Open this path.
    Open(String),
    Cancelled,
}

impl OpenField {
    /// A field that starts with this path; title and hint say what it is for.
    pub(super) fn new([title, hint]: [&'static str; 2], path: &str) -> (Self, Vec<Effect>) {
        let open = Self { title, hint, field: TextField::new(path), found: Vec::new(), list: ScrollList::default() };
        let effects = open.complete();
        (open, effects)
    }

    fn complete(&self) -> Vec<Effect> {
        vec![Effect::Datasets(DatasetsEffect::Complete(self.field.text().to_owned()))]
    }

    /// Takes completions if they are still those of the typed path.
    pub(super) fn on_message(&mut self, typed: &str, found: Vec<String>) {
        if typed == self.field.text() {
            self.found = found;
            self.list = ScrollList::default();
        }
    }

    pub(super) fn press(&mut self, key: Key) -> Typed {
        if let Some(motion) = ListMotion::while_typing(key) {
            self.list.move_by(motion, self.found.len());
            return Typed::Continues(Vec::new());
        }
        match key {
            Key::Escape => return Typed::Cancelled,
            Key::Enter if self.field.text().trim().is_empty() => return Typed::Cancelled,
            Key::Enter => return Typed::Open(self.field.text().to_owned()),
            Key::Tab => return Typed::Continues(self.take(self.list.cursor)),
            key => {
                let before = self.field.text().to_owned();
                // After a slash, another slash or a tilde starts a new path.
                if matches!(key, Key::Char('/' | '~')) && before.ends_with('/') {
                    self.field = TextField::default();
                }
                self.field.press(key);
                if self.field.text() != before {
                    self.found.clear();
                    return Typed::Continues(self.complete());
                }
            }
        }
        Typed::Continues(Vec::new())
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        let text = text.trim();
        if text.starts_with(['/', '~']) {
            self.field = TextField::default();
        }
        self.field.paste(text);
        self.found.clear();
        self.complete()
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::Press => match self.list.row_at(mouse, self.found.len()) {
                Some(row) => self.take(row),
                None => Vec::new(),
            },
            MouseKind::WheelDown => {
                self.list.step(1, self.found.len());
                Vec::new()
            }
            MouseKind::WheelUp => {
                self.list.step(-1, self.found.len());
                Vec::new()
            }
            MouseKind::Drag | MouseKind::Release => Vec::new(),
        }
    }

    fn take(&mut self, row: usize) -> Vec<Effect> {
        let Some(found) = self.found.get(row) else { return Vec::new() };
        self.field = TextField::new(found.clone());
        self.found.clear();
        self.complete()
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let titles = [self.title, "Tab completes · Enter opens · Esc back"];
        let inner = draw_box(frame, area, (76, 14), shared, titles);
        let [field, _, rows] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        let mut spans = vec![Span::styled(" folder  ", theme.dim())];
        spans.extend(self.field.spans(usize::from(field.width).saturating_sub(10), true, theme));
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        if self.found.is_empty() {
            let text = format!(" no folder matches; {}", self.hint);
            frame.render_widget(Paragraph::new(Line::styled(fitted(&text, rows.width.into()), theme.dim())), rows);
            return;
        }
        let visible = self.list.visible(rows, self.found.len());
        for (line, row) in visible.enumerate() {
            let style = if row == self.list.cursor { theme.selected(true) } else { theme.text() };
            let text = fitted(&format!(" {}", printable(&self.found[row])), rows.width.into());
            let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(text).style(style), place);
        }
    }
}
