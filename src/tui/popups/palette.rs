//! The command palette: finds commands by name.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::app_action::APP_BINDINGS;
use crate::tui::protocol::binding::{Binding, KeyTables};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{padded, padded_start};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;

/// The palette with the commands of the current context, of the application, and of the other screens.
pub(in crate::tui) struct PalettePopup {
    tables: KeyTables,
    others: Vec<(ScreenId, KeyTables)>,
    typed: TextField,
    list: ScrollList,
}

/// A command and its name in the palette.
struct Command {
    binding: &'static Binding,
    name: String,
}

impl PalettePopup {
    /// A palette of the current context's commands and those of other screens.
    pub(in crate::tui) fn new(tables: KeyTables, others: Vec<(ScreenId, KeyTables)>) -> Self {
        Self { tables, others, typed: TextField::default(), list: ScrollList::default() }
    }

    /// All commands, without those that only move a cursor on another screen.
    fn all(&self) -> impl Iterator<Item = Command> {
        let here = self.tables.iter().copied().flatten().chain(APP_BINDINGS);
        let here = here.map(|binding| Command { binding, name: binding.name.to_owned() });
        let elsewhere = self.others.iter().flat_map(|(screen, tables)| {
            let acts = tables
                .iter()
                .copied()
                .flatten()
                .filter(|binding| !binding.verbs.first().is_some_and(|verb| verb.moves()));
            acts.map(|binding| Command { binding, name: format!("{}: {}", screen.title(), binding.name) })
        });
        here.chain(elsewhere)
    }

    /// The commands whose names contain every typed word.
    fn found(&self) -> Vec<Command> {
        let typed = self.typed.text().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut seen: Vec<Command> = Vec::new();
        for command in self.all() {
            let name = command.name.to_lowercase();
            let is_new = seen.iter().all(|other| other.binding.action != command.binding.action);
            if is_new && words.iter().all(|word| name.contains(word)) {
                seen.push(command);
            }
        }
        seen
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        let found = self.found();
        if let Some(motion) = ListMotion::while_typing(key) {
            self.list.move_by(motion, found.len());
            return PopupOutcome::Stay(Vec::new());
        }
        match key {
            Key::Escape => return PopupOutcome::Close(Vec::new()),
            Key::Enter => {
                return match found.get(self.list.cursor) {
                    Some(command) => PopupOutcome::Act(command.binding.action),
                    None => PopupOutcome::Stay(Vec::new()),
                };
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
                    return PopupOutcome::Act(found[row].binding.action);
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let found = self.found();
        let all = self.all().count();
        let inner = draw_box(frame, area, (72, all as u16 + 4), shared, ["Commands", "Enter run · Esc back"]);
        let [field, rows] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        let mut spans = vec![Span::styled(" : ", theme.accent())];
        spans.extend(self.typed.spans(usize::from(field.width).saturating_sub(4), true, theme));
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        if found.is_empty() {
            frame.render_widget(Paragraph::new(Line::styled(" no command matches", theme.dim())), rows);
            return;
        }
        let visible = self.list.visible(rows, found.len());
        let first = visible.start;
        for row in visible {
            let command = &found[row];
            let keys = command.binding.keys_text(&shared.keymap);
            let cells = usize::from(rows.width);
            let name = padded(&format!(" {}", command.name), cells.saturating_sub(18));
            let style = if row == self.list.cursor { theme.selected(true) } else { theme.text() };
            let line =
                Line::from(vec![Span::raw(name), Span::styled(format!("{} ", padded_start(&keys, 17)), theme.dim())]);
            let place = Rect::new(rows.x, rows.y + (row - first) as u16, rows.width, 1);
            frame.render_widget(Paragraph::new(line).style(style), place);
        }
    }
}
