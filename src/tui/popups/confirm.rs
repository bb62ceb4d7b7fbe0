//! A question before something that cannot be undone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::{PopupOutcome, draw_box};
use crate::tui::effect::Effect;
use crate::tui::input::{Key, Mouse};
use crate::tui::model::Model;

/// What is asked.
#[derive(Debug, PartialEq)]
pub(in crate::tui) struct Question {
    /// What is to be done, in a few words: `Stop 3 runs?`.
    pub(in crate::tui) title: String,
    /// What follows from it.
    pub(in crate::tui) text: String,
    /// The word for yes: `stop`.
    pub(in crate::tui) yes: &'static str,
    /// What is done then.
    pub(in crate::tui) effects: Vec<Effect>,
}

/// The question on the screen: `y` does it, anything else does not.
pub(in crate::tui) struct ConfirmPopup {
    question: Question,
}

impl ConfirmPopup {
    pub(in crate::tui) fn new(question: Question) -> Self {
        Self { question }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        match key {
            Key::Char('y' | 'Y') => PopupOutcome::Close(std::mem::take(&mut self.question.effects)),
            // Enter does not: it is pressed by habit.
            Key::Escape | Key::Char('n' | 'N' | 'q') => PopupOutcome::Close(Vec::new()),
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    #[expect(clippy::unused_self, reason = "as the other popups")]
    pub(super) fn mouse(&mut self, _mouse: Mouse) -> PopupOutcome {
        PopupOutcome::Stay(Vec::new())
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        let theme = &model.theme;
        let width = 64.min(area.width);
        let rows = (self.question.text.chars().count() as u16).div_ceil(width.saturating_sub(6).max(1));
        let inner = draw_box(frame, area, (width, rows + 5), model, [&self.question.title, ""]);
        let text = vec![
            Line::from(self.question.text.clone()),
            Line::default(),
            Line::from(vec![
                Span::styled("y", theme.bad()),
                Span::raw(format!(" {}     ", self.question.yes)),
                Span::styled("Esc", theme.accent()),
                Span::raw(" leave it as it is"),
            ]),
        ];
        let inner = Rect::new(inner.x + 1, inner.y, inner.width.saturating_sub(2), inner.height);
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), inner);
    }
}
