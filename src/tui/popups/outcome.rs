//! The outcome of a popup's input.

use crate::tui::protocol::binding::Action;
use crate::tui::protocol::effect::Effect;

/// The outcome of a popup's input.
#[derive(Debug, PartialEq)]
pub(crate) enum PopupOutcome {
    /// The popup stays open.
    Stay(Vec<Effect>),
    /// The popup is closed.
    Close(Vec<Effect>),
    /// The popup is closed and the action performed.
    Act(Action),
    /// The key means nothing here.
    Unbound,
}
