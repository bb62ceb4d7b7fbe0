//! The tour of five lines, shown once in a user's life. Any key closes it and acts as usual.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::padded;
use crate::tui::widgets::pane::draw_box;

/// The keys of each line, and what they do; the lines fit into the smallest terminal.
const LINES: [(&str, &str); 5] = [
    ("1 to 5, Tab", "the screens, in the order of the work"),
    ("?", "all keys that work where you are"),
    (":", "any command by name, such as :train"),
    ("Enter, Esc", "into what is under the cursor, and back"),
    ("q", "quit; training runs keep running"),
];
/// The width of the column of keys.
const KEYS: usize = 13;

/// Draws the tour over an area.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let inner =
        draw_box(frame, area, (58, LINES.len() as u16 + 4), shared, ["Welcome to mammoscope", "any key closes this"]);
    let mut lines = vec![Line::default()];
    lines.extend(LINES.iter().map(|(keys, text)| {
        Line::from(vec![Span::styled(format!("  {}", padded(keys, KEYS)), theme.accent()), Span::raw(*text)])
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}
