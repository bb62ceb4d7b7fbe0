//! Pictures: decoded, shrunk and encoded for the terminal off the main thread; the latest request of a picture wins.

use std::sync::mpsc::Sender;

use crate::tui::message::UiMessage;

/// What is wanted of the world for a picture.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum PictureEffect {}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum PictureMessage {}

/// Decodes and encodes pictures.
pub(in crate::tui) struct PictureService {
    #[expect(dead_code, reason = "not used yet")]
    inbox: Sender<UiMessage>,
}

impl PictureService {
    pub(super) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox }
    }

    pub(super) fn perform(&mut self, effect: PictureEffect) {
        match effect {}
    }
}
