//! The popup with the notices of this session in full, the latest first.

use chrono::{DateTime, Local, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_segmentation::UnicodeSegmentation as _;

use super::scrolled::Scrolled;
use crate::terminal::input::{Key, Mouse};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::effect::{Effect, Notice};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::width;
use crate::tui::widgets::notice_look::notice_look;
use crate::tui::widgets::pane::draw_box;

/// The width of the box.
const WIDTH: u16 = 100;
/// The width of the times.
const TIME: usize = 10;

/// The notices on screen.
pub(in crate::tui) struct MessagesPopup {
    notices: Vec<(DateTime<Utc>, Notice)>,
    scrolled: Scrolled,
    /// The notice at the top when it was last drawn, counted from the latest.
    top: usize,
}

impl MessagesPopup {
    /// A popup of these notices, the earliest first.
    pub(in crate::tui) fn new(notices: Vec<(DateTime<Utc>, Notice)>) -> Self {
        Self { notices, scrolled: Scrolled::default(), top: 0 }
    }

    pub(super) fn press(&mut self, key: Key) -> PopupOutcome {
        if key == Key::Char('y') {
            let notice = self.notices.iter().rev().nth(self.top);
            return PopupOutcome::Stay(
                notice.map(|(_, notice)| Effect::Copy(notice.text.clone())).into_iter().collect(),
            );
        }
        self.scrolled.press_reading(key)
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        self.scrolled.mouse_reading(mouse)
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let room = usize::from(WIDTH.min(area.width)).saturating_sub(TIME + 6);
        let mut lines: Vec<Line<'_>> = Vec::new();
        let mut notice_of_line = Vec::new();
        for (index, (time, notice)) in self.notices.iter().rev().enumerate() {
            let (sign, style) = notice_look(notice.tone, theme);
            for (at, part) in lines_of(&notice.text, room).into_iter().enumerate() {
                let (time, sign) = if at == 0 { (clock(*time), sign) } else { (String::new(), "") };
                notice_of_line.push(index);
                lines.push(Line::from(vec![
                    Span::styled(format!(" {time:TIME$}"), theme.dim()),
                    Span::styled(format!("{sign:<2}{part}"), style),
                ]));
            }
        }
        if lines.is_empty() {
            lines.push(Line::styled(" nothing was reported yet", theme.dim()));
        }
        let height = lines.len() as u16 + 2;
        let inner =
            draw_box(frame, area, (WIDTH, height), shared, ["Messages", "↑↓ scroll · y copy the top one · Esc back"]);
        let first = self.scrolled.first_of(lines.len(), usize::from(inner.height));
        self.top = notice_of_line.get(first).copied().unwrap_or(0);
        frame.render_widget(Paragraph::new(lines).scroll((first as u16, 0)), inner);
    }
}

/// The time of day.
fn clock(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format("%H:%M:%S").to_string()
}

/// A text in lines of at most so many cells; only words that are longer are broken.
fn lines_of(text: &str, cells: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) <= cells {
            line.push(' ');
        } else if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for grapheme in word.graphemes(true) {
            if width(&line) + width(grapheme) > cells && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_lost() {
        let text = "cannot write /scratch/ward/a/very/long/path: no space left";
        let lines = lines_of(text, 20);
        assert!(lines.iter().all(|line| width(line) <= 20), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }
}
