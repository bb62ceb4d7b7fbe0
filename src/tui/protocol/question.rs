//! A question that is asked before something that cannot be undone.

use crate::tui::protocol::effect::Effect;

/// What is asked.
#[derive(Debug, PartialEq)]
pub(in crate::tui) struct Question {
    /// What is to be done, in a few words: `Stop 3 runs?`.
    pub(in crate::tui) title: String,
    /// What follows from it.
    pub(in crate::tui) text: String,
    /// The word for yes: `stop`.
    pub(in crate::tui) yes: &'static str,
    /// What is done then.
    pub(in crate::tui) effects: Vec<Effect>,
}
