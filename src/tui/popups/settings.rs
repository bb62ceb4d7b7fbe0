//! The popup with the user's settings: the file, every value, and where it comes from.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::scrolled::Scrolled;
use crate::terminal::input::{Key, Mouse};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::effect::Effect;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted_path, padded, width};
use crate::tui::widgets::pane::draw_box;

/// The settings on screen.
#[derive(Default)]
pub(in crate::tui) struct SettingsPopup {
    scrolled: Scrolled,
    /// The path of the file, as it was last drawn.
    path: Option<String>,
}

impl SettingsPopup {
    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        if key == Key::Char('y') {
            return PopupOutcome::Stay(self.path.clone().map(Effect::Copy).into_iter().collect());
        }
        self.scrolled.press_reading(key)
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        self.scrolled.mouse_reading(mouse)
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let rows = shared.settings.rows();
        let names = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0);
        let values = rows.iter().map(|row| width(&row.value)).max().unwrap_or(0);
        let lines: Vec<Line<'_>> = rows
            .iter()
            .map(|row| {
                Line::from(vec![
                    Span::styled(format!(" {}  ", padded(&row.name, names)), theme.dim()),
                    Span::raw(padded(&row.value, values)),
                    Span::styled(format!("  {}", row.origin), theme.dim()),
                ])
            })
            .collect();
        self.path = shared.settings.place.as_ref().map(|place| place.path.to_string_lossy().into_owned());
        let (path, advice) = match &shared.settings.place {
            Some(place) => (
                shared.shown_path(&place.path),
                if shared.settings.given.is_empty() {
                    "`mammoscope config init` writes this file, with every setting explained."
                } else {
                    "Changes to this file take effect at the next start; `:theme` changes the colours until then."
                },
            ),
            None => ("no file".to_owned(), "There is no folder for it: neither XDG_CONFIG_HOME nor HOME is set."),
        };
        let height = lines.len() as u16 + 8;
        let inner = draw_box(frame, area, (76, height), shared, ["Settings", "y copy the path · Esc back"]);
        let [_, file, _, table, _, hint] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(2),
        ])
        .areas(inner);
        let path = fitted_path(&path, usize::from(file.width).saturating_sub(2));
        frame.render_widget(Paragraph::new(Line::styled(format!(" {path}"), theme.accent())), file);
        let first = self.scrolled.first_of(lines.len(), usize::from(table.height));
        frame.render_widget(Paragraph::new(lines).scroll((first as u16, 0)), table);
        let hint = Rect::new(hint.x + 1, hint.y, hint.width.saturating_sub(2), hint.height);
        frame.render_widget(Paragraph::new(Line::styled(advice, theme.dim())).wrap(Wrap { trim: true }), hint);
    }
}
