//! The popup with the keys of the current context, from the tables that dispatch them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::app_action::APP_BINDINGS;
use crate::tui::protocol::binding::KeyTables;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{padded, width};
use crate::tui::widgets::pane::draw_box;

/// The keys that work on every screen.
const EVERYWHERE: KeyTables = &[APP_BINDINGS];

/// The help popup.
pub(in crate::tui) struct HelpPopup {
    title: &'static str,
    tables: KeyTables,
    scroll: u16,
}

impl HelpPopup {
    pub(in crate::tui) fn new(title: &'static str, tables: KeyTables) -> Self {
        Self { title, tables, scroll: 0 }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        match key {
            Key::Down | Key::Char('j') => self.scroll = self.scroll.saturating_add(1),
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::PageDown | Key::Char(' ') => self.scroll = self.scroll.saturating_add(10),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(10),
            Key::Home => self.scroll = 0,
            Key::Escape | Key::Char('q' | '?') | Key::Enter | Key::Function(1) => {
                return PopupOutcome::Close(Vec::new());
            }
            _ => {}
        }
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

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let (theme, keymap) = (&shared.theme, &shared.keymap);
        let keyed = |tables: KeyTables| tables.iter().copied().flatten().filter(|binding| !binding.verbs.is_empty());
        let column = keyed(self.tables)
            .chain(keyed(EVERYWHERE))
            .map(|binding| width(&binding.keys_text(keymap)))
            .max()
            .unwrap_or(0);
        let mut lines = Vec::new();
        for (title, tables) in [(self.title, self.tables), ("everywhere", EVERYWHERE)] {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(format!(" {title}"), theme.dim()));
            lines.extend(keyed(tables).map(|binding| {
                Line::from(vec![
                    Span::styled(format!(" {}", padded(&binding.keys_text(keymap), column + 2)), theme.accent()),
                    Span::raw(binding.name),
                ])
            }));
        }
        let height = lines.len() as u16 + 2;
        let more = if height > area.height { "↑↓ more · Esc back" } else { "Esc back" };
        let inner = draw_box(frame, area, (72, height), shared, ["Keys", more]);
        self.scroll = self.scroll.min((lines.len() as u16).saturating_sub(inner.height));
        frame.render_widget(Paragraph::new(lines).scroll((self.scroll, 0)), inner);
    }
}
