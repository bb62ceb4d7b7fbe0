//! The tour of five lines, shown once in a user's life. Any key closes it and acts as usual.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::{KeyMap, Verb};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::padded;
use crate::tui::widgets::key_text::key_text;
use crate::tui::widgets::pane::draw_box;

/// The width of the column of keys.
const KEYS: usize = 13;

/// The keys of each line, and what they do; the lines fit into the smallest terminal.
fn lines(keymap: &KeyMap) -> [(String, &'static str); 5] {
    let key = |verb| key_text(verb, keymap);
    let [first, last] = [ScreenId::Datasets, ScreenId::Explain].map(|screen| key(Verb::Show(screen)));
    [
        (format!("{first} to {last}, {}", key(Verb::NextScreen)), "the screens, in the order of the work"),
        (key(Verb::Help), "all keys that work where you are"),
        (key(Verb::Commands), "any command by name, such as :train"),
        (format!("{}, {}", key(Verb::Open), key(Verb::Back)), "into what is under the cursor, and back"),
        (key(Verb::Quit), "quit; training runs keep running"),
    ]
}

/// Draws the tour over an area.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
    let theme = &shared.theme;
    let tour = lines(&shared.keymap);
    let titles = ["Welcome to mammoscope", "any key closes it and acts"];
    let inner = draw_box(frame, area, (58, tour.len() as u16 + 4), shared, titles);
    let mut lines = vec![Line::default()];
    lines.extend(tour.map(|(keys, text)| {
        Line::from(vec![Span::styled(format!("  {}", padded(&keys, KEYS)), theme.accent()), Span::raw(text)])
    }));
    frame.render_widget(Paragraph::new(lines), inner);
}
