//! Messages to the screen Evaluate.

use super::EvaluateScreen;
use super::opened::ComparedSet;

use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::evaluate::EvaluateMessage;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::printable::{printable, printable_path};

impl EvaluateScreen {
    /// Handles a message of the service.
    pub(in crate::tui) fn on_message(&mut self, message: EvaluateMessage, shared: &mut SharedState) -> Vec<Effect> {
        match message {
            EvaluateMessage::Looked { kept } => {
                (self.kept, self.is_searched) = (kept, true);
                return self.read_if_changed();
            }
            EvaluateMessage::Opened { request, opened } if request == self.open_request => {
                let tables = self.opened.as_ref().map_or(0, |opened| self.tables_of(&opened.source));
                if let Some(shown) = &mut self.opened {
                    shown.tables = tables;
                    shown.take(opened);
                }
                return self.compare_again(shared);
            }
            EvaluateMessage::Resampled { request, evaluated, subgroups } if request == self.open_request => {
                let sets = self.opened.iter_mut().filter_map(|opened| opened.sets.as_mut()).flat_map(|s| &mut s.sets);
                for set in sets.filter(|set| set.evaluated.set.name == evaluated.set.name) {
                    set.evaluated.evaluation = evaluated.evaluation.clone();
                    set.evaluated.baseline = evaluated.baseline;
                    set.subgroups.clone_from(&subgroups);
                    set.resampled = true;
                }
            }
            EvaluateMessage::Compared { request, name, compared, resampled } if request == self.compare_request => {
                if let Some(with) = self.opened.as_mut().and_then(|opened| opened.comparison.as_mut()) {
                    with.sets.retain(|set| set.name != name);
                    with.sets.push(ComparedSet { name, compared, resampled });
                }
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.name == Some(name) && !resampled) {
                    opened.select_cell(opened.cell);
                    opened.list_flips_if_none();
                }
            }
            EvaluateMessage::Completed { typed, found } => {
                if let Some(prompt) = &mut self.prompt {
                    prompt.on_completed(&typed, found);
                }
            }
            EvaluateMessage::Checked { typed, outcome } => return self.on_checked(&typed, outcome, shared),
            EvaluateMessage::Exported { outcome } => {
                return vec![match outcome {
                    Ok(place) => Effect::done(format!("written to {}", printable_path(&place))),
                    Err(problem) => Effect::failed(printable(problem.text())),
                }];
            }
            // These answer earlier requests.
            _ => {}
        }
        Vec::new()
    }
}
