//! The outcome of input to a popup.

use crate::tui::protocol::binding::Action;
use crate::tui::protocol::effect::Effect;

/// What a popup made of its input.
#[derive(Debug, PartialEq)]
pub(crate) enum PopupOutcome {
    /// It stays.
    Stay(Vec<Effect>),
    /// It is over.
    Close(Vec<Effect>),
    /// It is over, and this is to be done.
    Act(Action),
}
