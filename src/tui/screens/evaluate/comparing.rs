//! The screen Evaluate's comparison of two evaluations.

use super::EvaluateScreen;
use super::entries::{Listed, all_entries};
use super::opened::{ComparedWith, Opened};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::evaluate::{EvaluateEffect, PredictionSource};
use crate::tui::shared_state::SharedState;

impl EvaluateScreen {
    /// The evaluations to compare with: all others with predictions.
    pub(super) fn others(&self, shared: &SharedState) -> Vec<Listed> {
        let own = self.opened.as_ref().map(|opened| opened.key.as_str());
        let mut listed = self.listed(shared);
        listed.retain(|other| Some(other.key().as_str()) != own);
        listed
    }

    pub(super) fn compare_with(&mut self, other: &Listed, shared: &SharedState) -> Vec<Effect> {
        self.chooser = None;
        let source = other.source(&self.data, shared);
        let Some(opened) = &mut self.opened else { return Vec::new() };
        opened.comparison =
            Some(ComparedWith { key: other.key(), title: other.title(shared), source, sets: Vec::new() });
        self.compare_again(shared)
    }

    pub(super) fn compare_again(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(Opened { source, sets: Some(sets), name, comparison: Some(with), .. }) = &mut self.opened else {
            return Vec::new();
        };
        // The group may have grown in the meantime.
        if let Some(entry) = all_entries(shared).into_iter().find(|entry| entry.key == with.key) {
            with.source = PredictionSource::Runs(entry.named_runs(shared));
        }
        with.sets.clear();
        self.compare_request += 1;
        vec![Effect::Evaluate(EvaluateEffect::Compare {
            request: self.compare_request,
            source: source.clone(),
            with: with.source.clone(),
            split: sets.split,
            first: *name,
        })]
    }
}
