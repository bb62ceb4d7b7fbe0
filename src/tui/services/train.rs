//! What the screen Train wants of the world.

use std::sync::mpsc::Sender;

use crate::storage::workspace::Workspace;
use crate::tui::message::UiMessage;
use crate::tui::screens::train::TrainEffect;

/// Carries out what the screen Train wants.
pub(in crate::tui) struct TrainService {
    #[expect(dead_code, reason = "not used yet")]
    workspace: Workspace,
    #[expect(dead_code, reason = "not used yet")]
    inbox: Sender<UiMessage>,
}

impl TrainService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox }
    }

    pub(super) fn perform(&mut self, effect: TrainEffect) {
        match effect {}
    }
}
