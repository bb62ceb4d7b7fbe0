//! The popup that asks to confirm an action that cannot be undone.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::question::Question;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::pane::draw_box;

/// A question on the screen: `y` confirms it.
pub(in crate::tui) struct ConfirmPopup {
    question: Question,
    /// The areas of yes and no when they were last drawn.
    answers: [Rect; 2],
}

impl ConfirmPopup {
    pub(in crate::tui) fn new(question: Question) -> Self {
        Self { question, answers: [Rect::default(); 2] }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        match key {
            Key::Char('y' | 'Y') => PopupOutcome::Close(std::mem::take(&mut self.question.effects)),
            // Not Enter, which is pressed by habit.
            Key::Escape | Key::Char('n' | 'N' | 'q') => PopupOutcome::Close(Vec::new()),
            _ => PopupOutcome::Unbound,
        }
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        let at = (mouse.column, mouse.row).into();
        match self.answers.map(|answer| mouse.kind == MouseKind::Press && answer.contains(at)) {
            [true, _] => self.press(Key::Char('y')),
            [_, true] => self.press(Key::Escape),
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let width = 64.min(area.width);
        let rows = (self.question.text.chars().count() as u16).div_ceil(width.saturating_sub(6).max(1));
        let inner = draw_box(frame, area, (width, rows + 4), shared, [&self.question.title, ""]);
        let inner = Rect::new(inner.x + 1, inner.y, inner.width.saturating_sub(2), inner.height);
        let [text, _, row] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
        frame.render_widget(Paragraph::new(self.question.text.as_str()).wrap(Wrap { trim: true }), text);
        let yes = Line::from(vec![
            Span::styled("y", theme.bad().add_modifier(Modifier::BOLD)),
            Span::raw(format!(" {}", self.question.yes)),
        ]);
        let no = Line::from(vec![Span::styled("Esc", theme.accent()), Span::raw(" cancel")]);
        let lengths = [yes.width() as u16, 5, no.width() as u16].map(Constraint::Length);
        let [left, _, right] = Layout::horizontal(lengths).areas(row);
        self.answers = [left, right];
        frame.render_widget(yes, left);
        frame.render_widget(no, right);
    }
}
