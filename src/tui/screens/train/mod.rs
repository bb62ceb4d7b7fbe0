//! The screen Train.

use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::Screen;
use crate::tui::binding::{Action, Binding};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::widgets::pane::draw_pane;

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum TrainAction {}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum TrainEffect {}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum TrainMessage {}

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct TrainView {}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct TrainScreen {}

impl TrainScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(_view: TrainView) -> Self {
        Self {}
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> TrainView {
        TrainView {}
    }

    /// Takes news.
    pub(in crate::tui) fn hear(&mut self, message: TrainMessage, _model: &Model) -> Vec<Effect> {
        match message {}
    }

    /// Puts a data set into the form.
    pub(in crate::tui) fn set_data(&mut self, _data: std::path::PathBuf, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }
}

impl Screen for TrainScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        &[]
    }

    fn act(&mut self, _action: Action, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        draw_pane(frame, area, &model.theme, true, ["Train", ""]);
    }
}
