//! The screen Runs.

use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::Screen;
use crate::storage::run_dir::RunDir;
use crate::tui::binding::{Action, Binding};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::run_board::RunRow;
use crate::tui::widgets::pane::draw_pane;

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum RunsAction {}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum RunsEffect {
    /// List the runs, now and whenever they change.
    Watch,
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum RunsMessage {
    /// The runs, or why they cannot be listed.
    Listed(Result<Vec<RunRow>, String>),
}

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct RunsView {}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct RunsScreen {}

impl RunsScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(_view: RunsView) -> Self {
        Self {}
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> RunsView {
        RunsView {}
    }

    /// What is wanted before the screen is ever shown: every screen knows the runs.
    pub(in crate::tui) fn start(&mut self, _model: &Model) -> Vec<Effect> {
        vec![Effect::Runs(RunsEffect::Watch)]
    }

    /// Takes news.
    pub(in crate::tui) fn hear(&mut self, message: RunsMessage, model: &mut Model) -> Vec<Effect> {
        match message {
            RunsMessage::Listed(listed) => {
                model.runs.listed = true;
                match listed {
                    Ok(rows) => (model.runs.rows, model.runs.problem) = (rows, None),
                    Err(problem) => model.runs.problem = Some(problem),
                }
            }
        }
        Vec::new()
    }

    /// Puts the cursor on a run.
    pub(in crate::tui) fn select(&mut self, _run: &RunDir, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }
}

impl Screen for RunsScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        &[]
    }

    fn act(&mut self, _action: Action, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        draw_pane(frame, area, &model.theme, true, ["Runs", &format!("{}", model.runs.rows.len())]);
    }
}
