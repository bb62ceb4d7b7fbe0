//! Pictures, full screen: a list of images that one walks through.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::PopupOutcome;
use crate::tui::binding::{Action, Binding, action_of};
use crate::tui::effect::Effect;
use crate::tui::input::{Key, Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::services::pictures::PictureMessage;
use crate::tui::widgets::pane::draw_pane;

/// What can be done with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ViewerAction {
    Next,
    Previous,
    Close,
}

const BINDINGS: &[Binding] = &[
    Binding::new(
        Action::Viewer(ViewerAction::Next),
        &[Key::Right, Key::Down, Key::Char(' ')],
        "next",
        "show the next image",
    ),
    Binding::new(Action::Viewer(ViewerAction::Previous), &[Key::Left, Key::Up], "previous", "show the previous image"),
    Binding::new(Action::Viewer(ViewerAction::Close), &[Key::Escape, Key::Char('q')], "back", "go back"),
];

/// Images to walk through.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ImageList {
    /// What they have in common: `true B, predicted C`.
    pub(in crate::tui) title: String,
    /// The images.
    pub(in crate::tui) images: Vec<ListedImage>,
    /// The one to begin with.
    pub(in crate::tui) position: usize,
}

/// An image and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ListedImage {
    /// Its file.
    pub(in crate::tui) path: PathBuf,
    /// A line about it, for beneath the picture: `subject 145 · true C · predicted C (.83)`.
    pub(in crate::tui) caption: String,
}

/// The viewer.
pub(in crate::tui) struct ViewerPopup {
    images: ImageList,
}

impl ViewerPopup {
    /// A viewer, and what is to be done for its first picture.
    pub(in crate::tui) fn open(images: ImageList) -> (Self, Vec<Effect>) {
        (Self { images }, Vec::new())
    }

    pub(super) fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    pub(super) fn press(&mut self, key: Key, _model: &Model) -> PopupOutcome {
        match action_of(key, &[BINDINGS]) {
            Some(Action::Viewer(ViewerAction::Close)) => PopupOutcome::Close(Vec::new()),
            Some(Action::Viewer(ViewerAction::Next)) => {
                self.images.position = (self.images.position + 1).min(self.images.images.len().saturating_sub(1));
                PopupOutcome::Stay(Vec::new())
            }
            Some(Action::Viewer(ViewerAction::Previous)) => {
                self.images.position = self.images.position.saturating_sub(1);
                PopupOutcome::Stay(Vec::new())
            }
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    pub(super) fn mouse(&mut self, mouse: Mouse, model: &Model) -> PopupOutcome {
        match mouse.kind {
            MouseKind::WheelDown => self.press(Key::Right, model),
            MouseKind::WheelUp => self.press(Key::Left, model),
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    pub(in crate::tui) fn hear(&mut self, _message: &PictureMessage) {}

    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        draw_pane(frame, area, &model.theme, true, [&self.images.title, ""]);
    }
}
