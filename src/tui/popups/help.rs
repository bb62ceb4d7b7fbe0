//! The popup with the keys of the current context, from the tables that dispatch them. Typing narrows the list.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::scrolled::Scrolled;
use crate::report::wrapped::wrapped;
use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::app_action::AppAction;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::verb::KeyMap;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{padded, width};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::text_field::TextField;

/// The width of the box.
const WIDTH: u16 = 76;
/// The widest column of keys.
const MAX_KEYS: usize = 20;

/// The action beside which the help says how text is selected.
const MOUSE: Action = Action::App(AppAction::ToggleMouse);
const SELECTION: &str = "To select text with the mouse, hold Shift while dragging (Option in iTerm2, Fn in macOS's \
                         Terminal), or leave the mouse to the terminal.";
const SELECTION_WITHOUT_MOUSE: &str = "The mouse is the terminal's: drag to select text.";

/// The help popup.
pub(in crate::tui) struct HelpPopup {
    title: &'static str,
    tables: KeyTables,
    /// The keys that work there and everywhere else.
    everywhere: &'static [Binding],
    scrolled: Scrolled,
    /// What is searched for, once something was typed.
    typed: Option<TextField>,
}

impl HelpPopup {
    pub(in crate::tui) fn new(title: &'static str, tables: KeyTables, everywhere: &'static [Binding]) -> Self {
        Self { title, tables, everywhere, scrolled: Scrolled::default(), typed: None }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        if self.scrolled.press(key, self.typed.is_none()) {
            return PopupOutcome::Stay(Vec::new());
        }
        match (&mut self.typed, key) {
            (_, Key::Enter | Key::Function(1)) | (None, Key::Escape | Key::Char('q' | '?')) => {
                return PopupOutcome::Close(Vec::new());
            }
            (None, Key::Char('/')) => self.typed = Some(TextField::default()),
            (None, Key::Char(first)) => self.typed = Some(TextField::new(first)),
            (None, _) => return PopupOutcome::Unbound,
            (Some(_), Key::Escape) => self.typed = None,
            (Some(typed), Key::Backspace) if typed.text().is_empty() => self.typed = None,
            (Some(typed), key) => {
                if !typed.press(key) {
                    return PopupOutcome::Unbound;
                }
            }
        }
        self.scrolled.reset();
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        match mouse.kind {
            MouseKind::WheelDown => self.press(Key::Down),
            MouseKind::WheelUp => self.press(Key::Up),
            MouseKind::Press => PopupOutcome::Close(Vec::new()),
            MouseKind::Drag | MouseKind::Release => PopupOutcome::Stay(Vec::new()),
        }
    }

    /// The sections with the bindings that have keys and match what is typed.
    fn sections(&self, keymap: &KeyMap) -> [(&'static str, Vec<&'static Binding>); 3] {
        let typed = self.typed.as_ref().map_or("", TextField::text).to_lowercase();
        let is_shown = |binding: &&Binding| {
            let keys = binding.keys_text(keymap);
            !keys.is_empty() && typed.split_whitespace().all(|word| is_match(binding, &keys, word))
        };
        let moves = |binding: &&Binding| binding.verbs.first().is_some_and(|verb| verb.moves());
        let here = || self.tables.iter().copied().flatten().filter(is_shown);
        [
            (self.title, here().filter(|binding| !moves(binding)).collect()),
            ("Moving", here().filter(moves).collect()),
            ("Everywhere", self.everywhere.iter().filter(is_shown).collect()),
        ]
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let sections = self.sections(&shared.keymap);
        let all = sections.iter().flat_map(|(_, bindings)| bindings);
        let column = all.map(|binding| width(&binding.keys_text(&shared.keymap))).max().unwrap_or(0).min(MAX_KEYS);
        let mut lines = Vec::new();
        for (title, bindings) in sections.iter().filter(|(_, bindings)| !bindings.is_empty()) {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(format!(" {title}"), theme.dim()));
            for binding in bindings {
                let mut keys = padded(&binding.keys_text(&shared.keymap), column);
                for part in wrapped(binding.name, usize::from(WIDTH.min(area.width)).saturating_sub(column + 6)) {
                    lines.push(Line::from(vec![Span::styled(format!(" {keys}  "), theme.accent()), Span::raw(part)]));
                    keys = " ".repeat(column);
                }
            }
        }
        if sections.iter().any(|(_, bindings)| bindings.iter().any(|binding| binding.action == MOUSE)) {
            lines.push(Line::default());
            let text = if shared.settings.mouse { SELECTION } else { SELECTION_WITHOUT_MOUSE };
            let room = usize::from(WIDTH.min(area.width)).saturating_sub(4);
            lines.extend(wrapped(text, room).into_iter().map(|line| Line::styled(format!(" {line}"), theme.dim())));
        }
        if lines.is_empty() {
            lines.push(Line::styled(" no matching key", theme.dim()));
        }
        // The box keeps its height while the list is narrowed.
        let inner =
            draw_box(frame, area, (WIDTH, area.height), shared, ["Keys on this screen", "↑↓ scroll · Esc back"]);
        let [field, list] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        let mut spans = vec![Span::styled(" / ", theme.accent())];
        match &self.typed {
            Some(typed) => spans.extend(typed.spans(usize::from(field.width).saturating_sub(4), true, theme)),
            None => spans.push(Span::styled("type to search", theme.dim())),
        }
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        let first = self.scrolled.first_of(lines.len(), usize::from(list.height));
        frame.render_widget(Paragraph::new(lines).scroll((first as u16, 0)), list);
    }
}

/// True if a word is in what the binding is called, or one of its keys.
fn is_match(binding: &Binding, keys: &str, word: &str) -> bool {
    let names = [binding.name, binding.hint].into_iter().chain(binding.synonyms.iter().copied());
    names.map(str::to_lowercase).any(|name| name.contains(word))
        || keys.split(' ').any(|key| key.to_lowercase() == word)
}
