//! The popups, which cover a screen and get its input first.

pub(super) mod confirm;
pub(super) mod help;
pub(super) mod jobs;
pub(super) mod messages;
pub(super) mod outcome;
pub(super) mod palette;
mod scrolled;
pub(super) mod settings;
mod tour;
pub(super) mod viewer;

use confirm::ConfirmPopup;
use help::HelpPopup;
use jobs::JobsPopup;
use messages::MessagesPopup;
use palette::PalettePopup;
use ratatui::Frame;
use ratatui::layout::Rect;
use settings::SettingsPopup;
use viewer::ViewerPopup;

use super::shared_state::SharedState;
use crate::terminal::input::{Key, Mouse};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::KeyTables;
use crate::tui::protocol::verb::KeyMap;

/// A popup.
pub(super) enum Popup {
    Help(HelpPopup),
    /// The command palette.
    Palette(PalettePopup),
    Confirm(ConfirmPopup),
    Jobs(Box<JobsPopup>),
    Settings(SettingsPopup),
    Messages(MessagesPopup),
    /// The tour of a first start, which leaves all keys to what is below it.
    Tour,
    /// The full-screen picture viewer.
    Viewer(Box<ViewerPopup>),
}

impl Popup {
    /// The key tables for the footer.
    pub(super) fn bindings(&self) -> KeyTables {
        match self {
            Self::Viewer(viewer) => viewer.bindings(),
            Self::Help(_)
            | Self::Palette(_)
            | Self::Confirm(_)
            | Self::Jobs(_)
            | Self::Settings(_)
            | Self::Messages(_)
            | Self::Tour => &[],
        }
    }

    pub(super) fn press(&mut self, key: Key, keymap: &KeyMap) -> PopupOutcome {
        match self {
            Self::Help(popup) => popup.press(key),
            Self::Palette(popup) => popup.press(key),
            Self::Confirm(popup) => popup.press(key),
            Self::Jobs(popup) => popup.press(key),
            Self::Settings(popup) => popup.press(key),
            Self::Messages(popup) => popup.press(key),
            Self::Tour => PopupOutcome::Unbound,
            Self::Viewer(popup) => popup.press(key, keymap),
        }
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        match self {
            Self::Help(popup) => popup.mouse(mouse),
            Self::Palette(popup) => popup.mouse(mouse),
            Self::Confirm(popup) => popup.mouse(mouse),
            Self::Jobs(popup) => popup.mouse(mouse),
            Self::Settings(popup) => popup.mouse(mouse),
            Self::Messages(popup) => popup.mouse(mouse),
            Self::Tour => PopupOutcome::Unbound,
            Self::Viewer(popup) => popup.mouse(mouse),
        }
    }

    /// Draws the popup over the screen's area.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        match self {
            Self::Help(popup) => popup.draw(frame, area, shared),
            Self::Palette(popup) => popup.draw(frame, area, shared),
            Self::Confirm(popup) => popup.draw(frame, area, shared),
            Self::Jobs(popup) => popup.draw(frame, area, shared),
            Self::Settings(popup) => popup.draw(frame, area, shared),
            Self::Messages(popup) => popup.draw(frame, area, shared),
            Self::Tour => tour::draw(frame, area, shared),
            Self::Viewer(popup) => popup.draw(frame, area, shared),
        }
    }
}
