//! The motions of a cursor in a list, and the table of their keys.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::verb::Verb;

/// A motion of the cursor in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ListMotion {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfPageUp,
    HalfPageDown,
    First,
    Last,
}

/// The keys that move the cursor of a list; part of the key tables of every screen that has one.
pub(in crate::tui) const LIST_MOTIONS: &[Binding] = &[
    motion(ListMotion::Up, &[Verb::Up], "move up"),
    motion(ListMotion::Down, &[Verb::Down], "move down"),
    motion(ListMotion::PageUp, &[Verb::PageUp], "move up a page"),
    motion(ListMotion::PageDown, &[Verb::PageDown], "move down a page"),
    motion(ListMotion::HalfPageUp, &[Verb::HalfPageUp], "move up half a page"),
    motion(ListMotion::HalfPageDown, &[Verb::HalfPageDown], "move down half a page"),
    motion(ListMotion::First, &[Verb::First], "move to the first row"),
    motion(ListMotion::Last, &[Verb::Last], "move to the last row"),
];

const fn motion(motion: ListMotion, verbs: &'static [Verb], name: &'static str) -> Binding {
    Binding::quiet(Action::Move(motion), verbs, name)
}

impl ListMotion {
    /// The motion of a key while the keyboard goes to a text field beside the list.
    pub(in crate::tui) fn while_typing(key: Key) -> Option<Self> {
        match key {
            Key::Up => Some(Self::Up),
            Key::Down => Some(Self::Down),
            Key::PageUp => Some(Self::PageUp),
            Key::PageDown => Some(Self::PageDown),
            _ => None,
        }
    }

    /// The rows by which the cursor moves, for pages of `page` rows; First and Last exceed any list.
    pub(in crate::tui) fn rows(self, page: isize) -> isize {
        match self {
            Self::Up => -1,
            Self::Down => 1,
            Self::PageUp => -page,
            Self::PageDown => page,
            Self::HalfPageUp => -(page / 2).max(1),
            Self::HalfPageDown => (page / 2).max(1),
            Self::First => isize::MIN / 2,
            Self::Last => isize::MAX / 2,
        }
    }
}
