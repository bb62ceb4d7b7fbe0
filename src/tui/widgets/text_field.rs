//! A single-line text field.

use ratatui::style::Modifier;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;

use super::fitted::width;
use crate::terminal::input::Key;
use crate::tui::theme::Theme;

/// A line of text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct TextField {
    text: String,
    /// The position of the cursor as a byte offset.
    cursor: usize,
    /// True while the whole text is selected: typing replaces it.
    selected: bool,
}

impl TextField {
    /// A field with this text and the cursor at its end.
    pub(in crate::tui) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text, selected: false }
    }

    /// A field whose whole text is selected: typing replaces it, moving the cursor keeps it.
    pub(in crate::tui) fn selected(text: impl Into<String>) -> Self {
        let field = Self::new(text);
        Self { selected: !field.text.is_empty(), ..field }
    }

    pub(in crate::tui) fn text(&self) -> &str {
        &self.text
    }

    /// Handles a key; returns `false` for a key that has no meaning in a text field.
    pub(in crate::tui) fn press(&mut self, key: Key) -> bool {
        if std::mem::take(&mut self.selected) && matches!(key, Key::Char(_) | Key::Backspace | Key::Delete) {
            self.text.clear();
            self.cursor = 0;
        }
        let before = self.text[..self.cursor].graphemes(true).next_back().map_or(0, str::len);
        let after = self.text[self.cursor..].graphemes(true).next().map_or(0, str::len);
        match key {
            Key::Char(character) => {
                self.text.insert(self.cursor, character);
                self.cursor += character.len_utf8();
            }
            Key::Backspace => {
                self.text.drain(self.cursor - before..self.cursor);
                self.cursor -= before;
            }
            Key::Delete => {
                self.text.drain(self.cursor..self.cursor + after);
            }
            Key::Left => self.cursor -= before,
            Key::Right => self.cursor += after,
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = self.text.len(),
            Key::Ctrl('u') => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Ctrl('k') => self.text.truncate(self.cursor),
            Key::Ctrl('w') => {
                let kept = self.text[..self.cursor].trim_end().rfind([' ', '/', ',']).map_or(0, |at| at + 1);
                self.text.drain(kept..self.cursor);
                self.cursor = kept;
            }
            _ => return false,
        }
        true
    }

    /// Inserts text at the cursor, without its control characters.
    pub(in crate::tui) fn paste(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_control()) {
            self.press(Key::Char(character));
        }
    }

    /// The text as drawn in `cells` cells; with the focus, the cursor is visible and marked.
    pub(in crate::tui) fn spans(&self, cells: usize, focused: bool, theme: &Theme) -> Vec<Span<'static>> {
        let shown = |text: &str| mammoscope_domain::text::printable::printable(text);
        if !focused {
            // Of a path, the last folders; of anything else, the end.
            let text = shown(&self.text);
            let is_path = text.starts_with(['/', '~', '.']);
            let fitted = if is_path { super::fitted::fitted_path } else { super::fitted::fitted_start };
            return vec![Span::raw(fitted(&text, cells))];
        }
        if self.selected {
            let text = super::fitted::fitted_start(&shown(&self.text), cells);
            return vec![Span::styled(text, theme.text().add_modifier(Modifier::REVERSED))];
        }
        let (before, rest) = self.text.split_at(self.cursor);
        let under = rest.graphemes(true).next().unwrap_or("");
        let before = super::fitted::fitted_start(&shown(before), cells.saturating_sub(width(under).max(1)));
        let used = width(&before) + width(under).max(1);
        let after = super::fitted::fitted(&shown(&rest[under.len()..]), cells.saturating_sub(used));
        let cursor = if under.is_empty() { " ".to_owned() } else { shown(under) };
        vec![Span::raw(before), Span::styled(cursor, theme.text().add_modifier(Modifier::REVERSED)), Span::raw(after)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let mut field = TextField::new("/data/denity");
        for _ in 0..3 {
            field.press(Key::Left);
        }
        field.press(Key::Char('s'));
        assert_eq!(field.text(), "/data/density");
        field.press(Key::End);
        field.press(Key::Ctrl('w'));
        assert_eq!(field.text(), "/data/");
        field.paste("mammo\ngrams");
        assert_eq!(field.text(), "/data/mammograms");
        field.press(Key::Ctrl('u'));
        assert_eq!(field.text(), "");
    }

    #[test]
    fn typing_replaces_a_selected_text_and_moving_keeps_it() {
        let opened = || TextField::selected("100");
        let after = |keys: &[Key]| {
            let mut field = opened();
            for key in keys {
                assert!(field.press(*key));
            }
            field.text().to_owned()
        };
        assert_eq!(after(&[Key::Char('2'), Key::Char('0')]), "20");
        assert_eq!(after(&[Key::End, Key::Char('0')]), "1000");
        assert_eq!(after(&[Key::Left, Key::Char('5')]), "1050");
        assert_eq!(after(&[Key::Home, Key::Char('5')]), "5100");
        assert_eq!(after(&[Key::Backspace]), "");
        let mut pasted = opened();
        pasted.paste("42");
        assert_eq!(pasted.text(), "42");
    }

    proptest! {
        #[test]
        fn any_sequence_of_keys_is_handled(keys in prop::collection::vec(0_usize..9, 0..60)) {
            let known = [Key::Char('é'), Key::Char('乳'), Key::Backspace, Key::Delete, Key::Left, Key::Right, Key::Home,
                Key::End, Key::Ctrl('w')];
            let mut field = TextField::default();
            for key in keys {
                prop_assert!(field.press(known[key]));
            }
        }
    }
}
