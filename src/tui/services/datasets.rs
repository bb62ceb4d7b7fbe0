//! What the screen Datasets wants of the world.

use std::sync::mpsc::Sender;

use crate::tui::message::UiMessage;
use crate::tui::screens::datasets::DatasetsEffect;

/// Carries out what the screen Datasets wants.
pub(in crate::tui) struct DatasetsService {
    #[expect(dead_code, reason = "not used yet")]
    inbox: Sender<UiMessage>,
}

impl DatasetsService {
    pub(super) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox }
    }

    pub(super) fn perform(&mut self, effect: DatasetsEffect) {
        match effect {}
    }
}
