//! A question to confirm an action that cannot be undone.

use crate::tui::protocol::effect::Effect;

/// A question to confirm an action.
#[derive(Debug, PartialEq)]
pub(in crate::tui) struct Question {
    /// The action in a few words, such as `Stop 3 runs?`.
    pub(in crate::tui) title: String,
    /// The consequences.
    pub(in crate::tui) text: String,
    /// The word for yes, such as `stop`.
    pub(in crate::tui) yes: &'static str,
    /// The effects of a yes.
    pub(in crate::tui) effects: Vec<Effect>,
}
