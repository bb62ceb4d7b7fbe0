//! The models whose maps are on screen: one, or two that are compared.

use super::ExplainScreen;
use super::update::warning;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::ModelSource;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;

/// The place of the maps of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    /// Of the model that the first is compared with.
    Right,
}

impl Side {
    pub(super) const ALL: [Self; 2] = [Self::Left, Self::Right];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

impl ExplainScreen {
    /// The models of a side.
    pub(super) fn source_of(&self, side: Side) -> Option<&ModelSource> {
        match side {
            Side::Left => self.source.as_ref(),
            Side::Right => self.second.as_ref(),
        }
    }

    /// True if the maps of two models are side by side. Four views leave room for one model only.
    pub(super) fn is_compared(&self) -> bool {
        self.second.is_some() && !self.is_hanging()
    }

    /// The sides on screen.
    pub(super) fn sides(&self) -> &'static [Side] {
        if self.is_compared() { &Side::ALL } else { &[Side::Left] }
    }

    /// Chooses the models to compare with, or ends the comparison.
    pub(super) fn compare(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.second.take().is_some() {
            let mut effects = self.request_shown(shared);
            effects.extend([Effect::neutral("showing the maps of one model"), Effect::SaveView]);
            return effects;
        }
        let choices = self.choices(shared);
        let Some(first) = choices.iter().position(|choice| Some(&choice.source) != self.source.as_ref()) else {
            return vec![warning("no other run has a model; `models` takes the path of any model file")];
        };
        self.chooses = Side::Right;
        self.chooser = Some(ScrollList::at(first));
        Vec::new()
    }

    /// Uses these models for the side that was asked for.
    pub(super) fn use_models(&mut self, source: ModelSource) -> Vec<Effect> {
        if self.chooses == Side::Right && self.source.as_ref() == Some(&source) {
            return vec![warning("these are the models on the left; choose others to compare with")];
        }
        self.chooser = None;
        match self.chooses {
            Side::Left => self.source = Some(source),
            Side::Right => {
                self.second = Some(source);
                // The four views have no room for it.
                self.settings.grid = false;
            }
        }
        Vec::new()
    }
}
