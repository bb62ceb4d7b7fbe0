//! The screens of the workbench.

pub(super) mod datasets;
pub(super) mod evaluate;
pub(super) mod explain;
pub(super) mod runs;
pub(super) mod train;

use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::binding::{Action, Binding};
use super::effect::Effect;
use super::input::{Key, Mouse};
use super::model::Model;

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ScreenId {
    #[default]
    Datasets,
    Train,
    Runs,
    Evaluate,
    Explain,
}

impl ScreenId {
    /// In the order of the tabs.
    pub(super) const ALL: [Self; 5] = [Self::Datasets, Self::Train, Self::Runs, Self::Evaluate, Self::Explain];

    /// Its name on the tab.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Datasets => "Datasets",
            Self::Train => "Train",
            Self::Runs => "Runs",
            Self::Evaluate => "Evaluate",
            Self::Explain => "Explain",
        }
    }
}

/// What a screen does. Nothing here reads or writes files: what is wanted of the world is returned as effects.
pub(super) trait Screen {
    /// What can be done now: the table that dispatch, footer and help are made from, the most useful first.
    fn bindings(&self, model: &Model) -> &'static [Binding];

    /// Does it.
    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect>;

    /// Takes a key before any binding, where text is being typed; `None` leaves it to the bindings.
    fn type_key(&mut self, _key: Key, _model: &Model) -> Option<Vec<Effect>> {
        None
    }

    /// Takes pasted text, where text is being typed.
    fn paste(&mut self, _text: &str, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Takes the mouse.
    fn mouse(&mut self, _mouse: Mouse, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Is shown from now on.
    fn enter(&mut self, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// A second is over while it is shown.
    fn tick(&mut self, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Draws itself.
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model);
}
