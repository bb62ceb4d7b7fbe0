//! What the screen Evaluate wants of the world.

use std::sync::mpsc::Sender;

use crate::tui::message::UiMessage;
use crate::tui::screens::evaluate::EvaluateEffect;

/// Carries out what the screen Evaluate wants.
pub(in crate::tui) struct EvaluateService {
    #[expect(dead_code, reason = "not used yet")]
    inbox: Sender<UiMessage>,
}

impl EvaluateService {
    pub(super) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox }
    }

    pub(super) fn perform(&mut self, effect: EvaluateEffect) {
        match effect {}
    }
}
