//! The scroll position of lines that are only read.

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;

/// The scroll position of a text, which knows its room once it was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scrolled {
    /// The first line on screen.
    first: usize,
    /// The number of lines on screen when the text was last drawn.
    room: usize,
}

impl Scrolled {
    /// Scrolls by a key, as pagers do; `letters` are keys as well. Returns `false` for a key that does not scroll.
    pub(super) fn press(&mut self, key: Key, letters: bool) -> bool {
        let page = self.room.saturating_sub(1).max(1);
        let half = (self.room / 2).max(1);
        match key {
            Key::Down => self.first += 1,
            Key::Up => self.first = self.first.saturating_sub(1),
            Key::PageDown => self.first += page,
            Key::PageUp => self.first = self.first.saturating_sub(page),
            Key::Home => self.first = 0,
            Key::End => self.first = usize::MAX / 2,
            Key::Char('j') if letters => self.first += 1,
            Key::Char('k') if letters => self.first = self.first.saturating_sub(1),
            Key::Char(' ') if letters => self.first += page,
            Key::Ctrl('d') if letters => self.first += half,
            Key::Ctrl('u') if letters => self.first = self.first.saturating_sub(half),
            Key::Char('g') if letters => self.first = 0,
            Key::Char('G') if letters => self.first = usize::MAX / 2,
            _ => return false,
        }
        true
    }

    /// Handles a key in a popup that is only read.
    pub(super) fn press_reading(&mut self, key: Key) -> PopupOutcome {
        if self.press(key, true) {
            return PopupOutcome::Stay(Vec::new());
        }
        match key {
            Key::Escape | Key::Enter | Key::Char('q') => PopupOutcome::Close(Vec::new()),
            _ => PopupOutcome::Unbound,
        }
    }

    /// Handles the mouse in a popup that is only read: the wheel scrolls, a click closes it.
    pub(super) fn mouse_reading(&mut self, mouse: Mouse) -> PopupOutcome {
        match mouse.kind {
            MouseKind::WheelDown => self.press_reading(Key::Down),
            MouseKind::WheelUp => self.press_reading(Key::Up),
            MouseKind::Press => PopupOutcome::Close(Vec::new()),
            MouseKind::Drag | MouseKind::Release => PopupOutcome::Stay(Vec::new()),
        }
    }

    /// Goes back to the first line.
    pub(super) fn reset(&mut self) {
        self.first = 0;
    }

    /// The first line to draw of so many lines, in a room of so many.
    pub(super) fn first_of(&mut self, lines: usize, room: usize) -> usize {
        self.room = room;
        self.first = self.first.min(lines.saturating_sub(room));
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_scrolls_both_ways_and_stays_within_the_text() {
        let mut scrolled = Scrolled::default();
        let mut after = |keys: &[Key]| {
            for key in keys {
                assert!(scrolled.press(*key, true), "{key}");
                scrolled.first_of(100, 20);
            }
            scrolled.first_of(100, 20)
        };
        assert_eq!(after(&[Key::Down, Key::Char('j'), Key::Char('j'), Key::Up, Key::Char('k')]), 1);
        assert_eq!(after(&[Key::Home, Key::PageDown]), 19);
        assert_eq!(after(&[Key::Ctrl('d')]), 29);
        assert_eq!(after(&[Key::Ctrl('u'), Key::PageUp, Key::Up, Key::Up]), 0);
        assert_eq!(after(&[Key::Char('G'), Key::Down]), 80);
        assert_eq!(after(&[Key::Char('g')]), 0);
        assert_eq!(after(&[Key::End, Key::Up]), 79);
        assert!(!scrolled.press(Key::Char('j'), false), "letters are typed");
    }
}
