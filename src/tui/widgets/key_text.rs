//! The key of a verb, for hints on the screen.

use crate::tui::protocol::verb::{KeyMap, Verb};

/// The first key of a verb as text; empty if it has none.
pub(in crate::tui) fn key_text(verb: Verb, keymap: &KeyMap) -> String {
    keymap.keys_of(verb).first().map_or_else(String::new, ToString::to_string)
}
