//! The command palette: finds commands by their names, the words of the footer, and synonyms.

pub(in crate::tui) mod command;
mod ranking;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use command::{Command, Hit, hits};
use ranking::Closeness;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::Risk;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::question::Question;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded, padded_start, width};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;

/// The size of the box: as wide as descriptions are long, and as high whatever is found.
const SIZE: (u16, u16) = (96, 26);
/// The width of the columns of screens and keys.
const SCREEN: usize = 9;
const KEYS: usize = 12;
/// The most that a reason takes of a row; the lines below the list have all of it.
const REASON: usize = 34;

/// The palette with the commands of all screens.
pub(in crate::tui) struct PalettePopup {
    commands: Vec<Command>,
    typed: TextField,
    /// The commands that match what is typed, the best first.
    found: Vec<Hit>,
    list: ScrollList,
    /// True if the user moved the cursor to its row.
    is_chosen: bool,
}

impl PalettePopup {
    /// A palette of these commands.
    pub(in crate::tui) fn new(commands: Vec<Command>) -> Self {
        let found = hits(&commands, "");
        Self { commands, typed: TextField::default(), found, list: ScrollList::default(), is_chosen: false }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        if let Some(motion) = ListMotion::while_typing(key) {
            self.list.move_by(motion, self.found.len());
            self.is_chosen = true;
            return PopupOutcome::Stay(Vec::new());
        }
        match key {
            Key::Escape => PopupOutcome::Close(Vec::new()),
            Key::Enter => self.run(self.list.cursor, self.is_chosen),
            // As in a shell: an empty line is left.
            Key::Backspace if self.typed.text().is_empty() => PopupOutcome::Close(Vec::new()),
            key if self.typed.press(key) => {
                self.found = hits(&self.commands, self.typed.text());
                self.list.cursor = 0;
                self.is_chosen = false;
                PopupOutcome::Stay(Vec::new())
            }
            _ => PopupOutcome::Unbound,
        }
    }

    /// Runs the command of a row. One that takes effect at once, and was neither typed in full nor chosen from the list,
    /// is confirmed first.
    fn run(&self, row: usize, is_chosen: bool) -> PopupOutcome {
        let Some(hit) = self.found.get(row) else { return PopupOutcome::Stay(Vec::new()) };
        let command = &self.commands[hit.command];
        let binding = command.binding;
        if let Some(reason) = &command.unavailable {
            return PopupOutcome::Stay(vec![Effect::warning(format!("{}: {reason}", binding.name))]);
        }
        if binding.risk == Risk::AtOnce && !is_chosen && hit.rank.closeness != Closeness::Exact {
            let question = Question {
                title: "Run this command?".to_owned(),
                text: format!("{}. It was not typed in full.", binding.name),
                yes: "run it",
                effects: vec![Effect::Act(binding.action)],
            };
            return PopupOutcome::Close(vec![Effect::Ask(question)]);
        }
        PopupOutcome::Act(binding.action)
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        match mouse.kind {
            MouseKind::WheelDown => self.list.step(1, self.found.len()),
            MouseKind::WheelUp => self.list.step(-1, self.found.len()),
            MouseKind::Press => {
                if let Some(row) = self.list.row_at(mouse, self.found.len()) {
                    self.list.cursor = row;
                    self.is_chosen = true;
                    return self.run(row, true);
                }
            }
            MouseKind::Drag | MouseKind::Release => {}
        }
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let size = (SIZE.0.min(area.width.saturating_sub(4)), SIZE.1);
        let inner = draw_box(frame, area, size, shared, ["Commands", "Enter run · Esc back"]);
        let rows = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(2)];
        let [field, rows, _, detail] = Layout::vertical(rows).areas(inner);
        let mut spans = vec![Span::styled(" : ", theme.accent())];
        spans.extend(self.typed.spans(usize::from(field.width).saturating_sub(4), true, theme));
        frame.render_widget(Paragraph::new(Line::from(spans)), field);
        if self.found.is_empty() {
            frame.render_widget(Paragraph::new(Line::styled(" no matching command", theme.dim())), rows);
            return;
        }
        let visible = self.list.visible(rows, self.found.len());
        let first = visible.start;
        for row in visible {
            let command = &self.commands[self.found[row].command];
            let is_selected = row == self.list.cursor;
            let place = Rect::new(rows.x, rows.y + (row - first) as u16, rows.width, 1);
            let style = if is_selected { theme.selected(true) } else { theme.text() };
            frame.render_widget(Paragraph::new(line(command, rows.width, shared)).style(style), place);
        }
        let command = &self.commands[self.found[self.list.cursor].command];
        let detail = Rect::new(detail.x + 1, detail.y, detail.width.saturating_sub(2), detail.height);
        let shown = match &command.unavailable {
            None => Paragraph::new(command.binding.name).wrap(Wrap { trim: true }),
            Some(reason) => Paragraph::new(vec![
                Line::raw(fitted(command.binding.name, usize::from(detail.width))),
                Line::styled(format!("not now: {reason}"), theme.warning()),
            ]),
        };
        frame.render_widget(shown, detail);
    }
}

/// A command as a row: its label and description, then its screen, if that is another one, and its keys, or the reason
/// why it cannot be performed now.
fn line(command: &Command, cells: u16, shared: &SharedState) -> Line<'static> {
    let theme = &shared.theme;
    let binding = command.binding;
    let label = if binding.hint.is_empty() { " ".to_owned() } else { format!(" {}  ", binding.hint) };
    let right = if let Some(reason) = &command.unavailable {
        padded_start(reason, width(reason).clamp(SCREEN + KEYS, REASON))
    } else {
        let keys = fitted(&binding.keys_text(&shared.keymap), KEYS - 1);
        padded_start(command.elsewhere.map_or("", ScreenId::title), SCREEN) + &padded_start(&keys, KEYS)
    };
    let room = usize::from(cells).saturating_sub(width(&right) + width(&label) + 2);
    let description = padded(binding.name, room);
    let (label_style, text_style) = match command.unavailable {
        Some(_) => (theme.dim(), theme.dim()),
        None if command.is_risky() => (theme.bad().add_modifier(Modifier::BOLD), theme.text()),
        None => (theme.accent(), theme.text()),
    };
    Line::from(vec![
        Span::styled(label, label_style),
        Span::styled(description, text_style),
        Span::styled(format!(" {right} "), theme.dim()),
    ])
}
