//! The screen Evaluate.

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
pub(in crate::tui) enum EvaluateAction {}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum EvaluateEffect {}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum EvaluateMessage {}

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct EvaluateView {}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct EvaluateScreen {}

impl EvaluateScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(_view: EvaluateView) -> Self {
        Self {}
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> EvaluateView {
        EvaluateView {}
    }

    /// Takes news.
    pub(in crate::tui) fn hear(&mut self, message: EvaluateMessage, _model: &Model) -> Vec<Effect> {
        match message {}
    }

    /// Opens the evaluation of a run, or of the group that it belongs to.
    pub(in crate::tui) fn open(&mut self, _run: crate::storage::run_dir::RunDir, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }
}

impl Screen for EvaluateScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        &[]
    }

    fn act(&mut self, _action: Action, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        draw_pane(frame, area, &model.theme, true, ["Evaluate", ""]);
    }
}
