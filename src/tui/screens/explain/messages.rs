//! Messages to the screen Explain.

use super::{Answer, ExplainScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::ExplainMessage;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::printable::printable_path;

impl ExplainScreen {
    /// Handles a message of the service.
    pub(in crate::tui) fn on_message(&mut self, message: ExplainMessage, shared: &mut SharedState) -> Vec<Effect> {
        match message {
            ExplainMessage::Mapped { request, outcome } if self.requested.contains(&request) => {
                self.answers.retain(|answer| answer.request != request && self.requested.contains(&answer.request));
                self.answers.push(Answer { request, outcome });
                Vec::new()
            }
            // A map that is no longer on screen.
            ExplainMessage::Mapped { .. } => Vec::new(),
            ExplainMessage::Scored { request, outcome } => {
                self.on_scored(&request, outcome);
                Vec::new()
            }
            ExplainMessage::Epochs(found) => self.on_epochs(found, shared),
            ExplainMessage::Models(found) => {
                self.folders = Some(found);
                self.request_shown(shared)
            }
            ExplainMessage::Completed { typed, found } => {
                if let Some(field) = &mut self.path_field {
                    field.on_completed(&typed, found);
                }
                Vec::new()
            }
            ExplainMessage::ModelsChecked { typed, outcome } => self.on_models_checked(&typed, outcome, shared),
            ExplainMessage::Missing(missing) => self.on_missing(&missing, shared),
            ExplainMessage::Exported(Ok(folder)) => {
                vec![Effect::done(format!("map and pictures written to {}", printable_path(&folder)))]
            }
            ExplainMessage::Exported(Err(problem)) => vec![Effect::failed(problem)],
        }
    }
}
