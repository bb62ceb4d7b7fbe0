//! The actions that are available on every screen.

use crate::tui::protocol::screen_id::ScreenId;

/// What can be done everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum AppAction {
    Show(ScreenId),
    NextScreen,
    PreviousScreen,
    Help,
    Palette,
    Redraw,
    Suspend,
    Quit,
}
