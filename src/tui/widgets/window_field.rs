//! A line for typing the centre and the width of the grey window.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::fitted::{fitted, width};
use super::text_field::TextField;
use crate::terminal::input::Key;
use crate::tui::shared_state::SharedState;
use mammoscope_imaging::intensity_window::{IntensityWindow, WindowChoice, WindowPreset};

/// The largest centre and width that are accepted.
const LIMIT: i32 = 65_536;

/// A line for typing the centre and the width of the grey window.
#[derive(Debug)]
pub(in crate::tui) struct WindowField {
    field: TextField,
    /// The reason why the text was refused.
    problem: Option<&'static str>,
}

/// The outcome of a key in the line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::tui) enum WindowKey {
    Typing,
    Chosen(WindowChoice),
    Cancelled,
}

impl WindowKey {
    /// The window, if one was chosen.
    pub(in crate::tui) fn chosen(self) -> Option<WindowChoice> {
        match self {
            Self::Chosen(window) => Some(window),
            Self::Typing | Self::Cancelled => None,
        }
    }
}

impl WindowField {
    /// Handles a key while a line is open, which a choice or Escape closes; `None` without a line.
    pub(in crate::tui) fn press_open(line: &mut Option<Self>, key: Key) -> Option<WindowKey> {
        let outcome = line.as_mut()?.press(key);
        if outcome != WindowKey::Typing {
            *line = None;
        }
        Some(outcome)
    }

    /// A line with the centre and the width in use.
    pub(in crate::tui) fn new(in_use: Option<IntensityWindow>) -> Self {
        let text = in_use.map_or_else(String::new, |window| {
            let (centre, width) = window.centre_and_width();
            format!("{centre} {width}")
        });
        Self { field: TextField::new(text), problem: None }
    }

    fn press(&mut self, key: Key) -> WindowKey {
        match key {
            Key::Escape => WindowKey::Cancelled,
            Key::Enter => match parsed(self.field.text()) {
                Ok(choice) => WindowKey::Chosen(choice),
                Err(problem) => {
                    self.problem = Some(problem);
                    WindowKey::Typing
                }
            },
            key => {
                self.field.press(key);
                self.problem = None;
                WindowKey::Typing
            }
        }
    }

    pub(in crate::tui) fn paste(&mut self, text: &str) {
        self.field.paste(text);
        self.problem = None;
    }

    /// Draws the line over the last row of an area.
    pub(in crate::tui) fn draw(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if area.is_empty() {
            return;
        }
        let theme = &shared.theme;
        let line = Rect { y: area.bottom() - 1, height: 1, ..area };
        frame.render_widget(Clear, line);
        let cells = usize::from(line.width);
        let label = " centre and width ";
        let mut spans = vec![Span::styled(label, theme.accent())];
        spans.extend(self.field.spans(cells.saturating_sub(width(label) + 4).clamp(4, 16), true, theme));
        let (note, style) = match self.problem {
            Some(problem) => (format!("  {problem}"), theme.bad()),
            None => ("  Enter apply, Esc cancel".to_owned(), theme.dim()),
        };
        let used: usize = spans.iter().map(|span| width(&span.content)).sum();
        spans.push(Span::styled(fitted(&note, cells.saturating_sub(used)), style));
        frame.render_widget(Paragraph::new(Line::from(spans)), line);
    }
}

/// The window of two numbers, separated by a space, a slash or a comma.
fn parsed(text: &str) -> Result<WindowChoice, &'static str> {
    const EXPECTED: &str = "two whole numbers, such as 2048 4096";
    let numbers: Vec<&str> = text.split([' ', '/', ',', ';']).filter(|part| !part.is_empty()).collect();
    let [centre, width] = numbers[..] else { return Err(EXPECTED) };
    let (Ok(centre), Ok(width)) = (centre.parse::<i32>(), width.parse::<i32>()) else { return Err(EXPECTED) };
    if width < 1 {
        return Err("the width is at least 1");
    }
    if width > LIMIT || centre.abs() > LIMIT {
        return Err("no image has such values");
    }
    Ok(WindowPreset::Typed { centre, width: width.unsigned_abs() }.choice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centre_and_width_are_two_numbers() {
        let typed = |centre, width| Ok(WindowPreset::Typed { centre, width }.choice());
        assert_eq!(parsed("2048 4096"), typed(2048, 4096));
        assert_eq!(parsed("-5/1"), typed(-5, 1));
        for text in ["", "2048", "a b", "1 2 3", "1.5 2"] {
            assert_eq!(parsed(text), Err("two whole numbers, such as 2048 4096"), "{text}");
        }
        assert_eq!(parsed("100 0"), Err("the width is at least 1"));
        assert_eq!(parsed("100 70000"), Err("no image has such values"));
    }

    #[test]
    fn a_refused_text_stays_to_be_corrected() {
        let mut field = WindowField::new(Some(IntensityWindow { low: 0, high: 255 }));
        assert_eq!(field.field.text(), "128 256");
        field.press(Key::Ctrl('u'));
        field.press(Key::Char('9'));
        assert_eq!(field.press(Key::Enter), WindowKey::Typing);
        assert!(field.problem.is_some());
        field.paste(" 7");
        assert_eq!(field.press(Key::Enter), WindowKey::Chosen(WindowPreset::Typed { centre: 9, width: 7 }.choice()));
    }
}
