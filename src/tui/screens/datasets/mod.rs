//! The screen Datasets.

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
pub(in crate::tui) enum DatasetsAction {}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum DatasetsEffect {}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum DatasetsMessage {}

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct DatasetsView {}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct DatasetsScreen {}

impl DatasetsScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(_view: DatasetsView) -> Self {
        Self {}
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> DatasetsView {
        DatasetsView {}
    }

    /// Takes news.
    pub(in crate::tui) fn hear(&mut self, message: DatasetsMessage, _model: &Model) -> Vec<Effect> {
        match message {}
    }

    /// Takes a picture that is decoded or drawn.
    pub(in crate::tui) fn hear_picture(&mut self, _message: &crate::tui::services::pictures::PictureMessage) {}
}

impl Screen for DatasetsScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        &[]
    }

    fn act(&mut self, _action: Action, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        draw_pane(frame, area, &model.theme, true, ["Datasets", ""]);
    }
}
