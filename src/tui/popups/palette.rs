//! Commands by name.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{PopupOutcome, draw_box};
use crate::tui::app::APP_BINDINGS;
use crate::tui::binding::Binding;
use crate::tui::input::{Key, Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::widgets::fitted::{padded, padded_start};
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;

/// Every command of the place, found by what is typed.
pub(in crate::tui) struct PalettePopup {
    table: &'static [Binding],
    typed: TextField,
    list: ScrollList,
}

impl PalettePopup {
    pub(in crate::tui) fn new(table: &'static [Binding]) -> Self {
        Self { table, typed: TextField::default(), list: ScrollList::default() }
    }

    /// The commands whose names hold every word that is typed.
    fn found(&self) -> Vec<&'static Binding> {
        let typed = self.typed.text().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut seen: Vec<&'static Binding> = Vec::new();
        for binding in self.table.iter().chain(APP_BINDINGS) {
            let name = binding.name.to_lowercase();
            if words.iter().all(|word| name.contains(word)) && !seen.iter().any(|other| other.action == binding.action)
            {
                seen.push(binding);
            }
        }
        seen
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        let found = self.found();
        match key {
            Key::Escape => return PopupOutcome::Close(Vec::new()),
            Key::Enter => {
                return match found.get(self.list.cursor) {
                    Some(binding) => PopupOutcome::Act(binding.action),
                    None => PopupOutcome::Stay(Vec::new()),
                };
            }
            Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                self.list.press(key, found.len());
            }
            key => {
                self.typed.press(key);
                self.list.cursor = 0;
            }
        }
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        let found = self.found();
        match mouse.kind {
            MouseKind::WheelDown => self.list.step(1, found.len()),
            MouseKind::WheelUp => self.list.step(-1, found.len()),
            MouseKind::Press => {
                if let Some(row) = self.list.row_at(mouse, found.len()) {
                    return PopupOutcome::Act(found[row].action);
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let theme = &model.theme;
        let found = self.found();
        let all = self.table.len() + APP_BINDINGS.len();
        let inner = draw_box(frame, area, (72, all as u16 + 4), model, ["Commands", "Enter does it · Esc back"]);
        let [field, rows] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        let mut spans = vec![Span::styled(" : ", theme.accent())];
        spans.extend(self.typed.spans(usize::from(field.width).saturating_sub(4), true, theme));
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        if found.is_empty() {
            frame.render_widget(Paragraph::new(Line::styled(" no command is called so", theme.dim())), rows);
            return;
        }
        let visible = self.list.visible(rows, found.len());
        let first = visible.start;
        for row in visible {
            let binding = found[row];
            let keys = binding.keys_text();
            let cells = usize::from(rows.width);
            let name = padded(&format!(" {}", binding.name), cells.saturating_sub(18));
            let style = if row == self.list.cursor { theme.selected(true) } else { theme.text() };
            let line =
                Line::from(vec![Span::raw(name), Span::styled(format!("{} ", padded_start(&keys, 17)), theme.dim())]);
            let place = Rect::new(rows.x, rows.y + (row - first) as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(line).style(style), place);
        }
    }
}
