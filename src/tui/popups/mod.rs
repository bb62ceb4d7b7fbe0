//! What lies over a screen and gets the keys first.

pub(super) mod confirm;
pub(super) mod help;
pub(super) mod outcome;
pub(super) mod palette;
pub(super) mod viewer;

use confirm::ConfirmPopup;
use help::HelpPopup;
use palette::PalettePopup;
use ratatui::Frame;
use ratatui::layout::Rect;
use viewer::ViewerPopup;

use super::model::Model;
use crate::terminal::input::{Key, Mouse};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::Binding;

/// A popup.
pub(super) enum Popup {
    /// The keys of the place.
    Help(HelpPopup),
    /// Commands by name.
    Palette(PalettePopup),
    /// A question before something that cannot be undone.
    Confirm(ConfirmPopup),
    /// Pictures, full screen.
    Viewer(Box<ViewerPopup>),
}

impl Popup {
    /// What can be done in it, for the footer.
    pub(super) fn bindings(&self) -> &'static [Binding] {
        match self {
            Self::Viewer(viewer) => viewer.bindings(),
            Self::Help(_) | Self::Palette(_) | Self::Confirm(_) => &[],
        }
    }

    /// Takes a key.
    pub(super) fn press(&mut self, key: Key, _model: &Model) -> PopupOutcome {
        match self {
            Self::Help(popup) => popup.press(key),
            Self::Palette(popup) => popup.press(key),
            Self::Confirm(popup) => popup.press(key),
            Self::Viewer(popup) => popup.press(key),
        }
    }

    /// Takes the mouse.
    pub(super) fn mouse(&mut self, mouse: Mouse, _model: &Model) -> PopupOutcome {
        match self {
            Self::Help(popup) => popup.mouse(mouse),
            Self::Palette(popup) => popup.mouse(mouse),
            Self::Confirm(popup) => popup.mouse(mouse),
            Self::Viewer(popup) => popup.mouse(mouse),
        }
    }

    /// Draws itself over the screen's area.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        match self {
            Self::Help(popup) => popup.draw(frame, area, model),
            Self::Palette(popup) => popup.draw(frame, area, model),
            Self::Confirm(popup) => popup.draw(frame, area, model),
            Self::Viewer(popup) => popup.draw(frame, area, model),
        }
    }
}
