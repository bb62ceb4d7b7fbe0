//! The screen Runs: the list of runs, the curves of the chosen one and of those that are marked, what happened in it, and
//! what can be asked of its trainer.

mod actions;
mod bindings;
mod charts_view;
mod control;
mod curve_search;
pub(in crate::tui) mod curves;
mod details_view;
mod list_view;
mod news;
mod note_text;
mod reference;
mod view;
mod viewport;

use std::collections::HashMap;
use std::path::PathBuf;

use control::ControlMenu;
use curves::{RunCurves, XAxis};
use ratatui::Frame;
use ratatui::layout::Rect;
use reference::Reference;
use serde::{Deserialize, Serialize};
use viewport::Viewport;

use crate::terminal::input::{Key, Mouse};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::{Lower, RunsEffect};
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_storage::runs::run_dir::RunDir;

/// Shares that the moving average keeps; 0 for none.
const SMOOTHING: [f64; 6] = [0.0, 0.6, 0.9, 0.97, 0.99, 0.997];
/// As many runs are drawn over each other as there are colours.
const MAX_MARKED: usize = 7;

/// What is restored the next time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct RunsView {
    chosen: Option<PathBuf>,
    marked: Vec<PathBuf>,
    filter: String,
    axis: XAxis,
    log: bool,
    smoothing: usize,
    viewport: Viewport,
    lower: Option<Lower>,
    reference: Option<PathBuf>,
}

impl Default for RunsView {
    fn default() -> Self {
        Self {
            chosen: None,
            marked: Vec::new(),
            filter: String::new(),
            axis: XAxis::default(),
            log: false,
            smoothing: 2,
            viewport: Viewport::default(),
            lower: None,
            reference: None,
        }
    }
}

/// A line that is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    Filter,
    ReferenceFolder,
}

/// Where things were drawn last, for the mouse.
#[derive(Clone, Debug, Default)]
struct Areas {
    plots: Vec<Rect>,
    lower: Rect,
    /// The items of the open menu.
    menu: Rect,
    /// What is below the charts.
    shown_lower: Option<Lower>,
}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct RunsScreen {
    list: ScrollList,
    /// The rows of the list that the filter lets pass, by their numbers.
    shown: Vec<usize>,
    chosen: Option<RunDir>,
    /// The run that somebody wants to see and that is not listed yet.
    awaited: Option<RunDir>,
    marked: Vec<RunDir>,
    filter: TextField,
    typing: Option<Typing>,
    folder: TextField,
    curves: HashMap<RunDir, RunCurves>,
    followed: Vec<RunDir>,
    view: RunsView,
    /// The linked cursor, on the horizontal axis.
    cursor: Option<f64>,
    /// The event that was jumped to.
    note: Option<usize>,
    /// How far the lower region is scrolled back.
    scrolled: usize,
    menu: Option<ControlMenu>,
    /// What was asked of trainers that have not answered yet.
    asked: Vec<(RunDir, RequestVerb)>,
    resuming: Vec<RunDir>,
    reference: Option<Reference>,
    /// Whether the details have two lines only.
    compact_details: bool,
    areas: Areas,
}

impl RunsScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(view: RunsView) -> Self {
        Self {
            chosen: view.chosen.clone().map(RunDir::new),
            marked: view.marked.iter().cloned().map(RunDir::new).collect(),
            filter: TextField::new(view.filter.clone()),
            view: RunsView { smoothing: view.smoothing.min(SMOOTHING.len() - 1), ..view },
            ..Self::default()
        }
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> RunsView {
        RunsView {
            chosen: self.chosen.as_ref().map(|run| run.path().to_owned()),
            marked: self.marked.iter().map(|run| run.path().to_owned()).collect(),
            filter: self.filter.text().to_owned(),
            reference: self.reference.as_ref().map(|reference| reference.folder.clone()),
            ..self.view.clone()
        }
    }

    /// What is wanted before the screen is ever shown: every screen knows the runs.
    pub(in crate::tui) fn start(&mut self, _model: &Model) -> Vec<Effect> {
        let mut effects = vec![Effect::Runs(RunsEffect::Watch)];
        effects.extend(self.view.reference.clone().map(|folder| Effect::Runs(RunsEffect::ReadReference(folder))));
        effects
    }

    /// Puts the cursor on a run.
    pub(in crate::tui) fn select(&mut self, run: &RunDir, model: &Model) -> Vec<Effect> {
        (self.chosen, self.awaited) = (Some(run.clone()), Some(run.clone()));
        (self.note, self.scrolled) = (None, 0);
        let mut effects = if model.runs.listed { self.look_out(model) } else { Vec::new() };
        self.refresh_list(model);
        effects.extend(self.follow());
        effects
    }

    /// The row of the chosen run; `None` as long as it is not listed.
    fn chosen_row<'a>(&self, model: &'a Model) -> Option<&'a RunRow> {
        self.row_at_cursor(model).filter(|row| Some(&row.run) == self.chosen.as_ref())
    }

    /// The row under the list's cursor.
    fn row_at_cursor<'a>(&self, model: &'a Model) -> Option<&'a RunRow> {
        self.shown.get(self.list.cursor).and_then(|row| model.runs.rows.get(*row))
    }

    /// The runs that are drawn, the chosen one first.
    fn drawn_runs(&self) -> Vec<RunDir> {
        let mut runs: Vec<RunDir> = self.chosen.iter().cloned().collect();
        runs.extend(self.marked.iter().filter(|run| Some(*run) != self.chosen.as_ref()).cloned());
        runs
    }

    /// How far the curves on screen go.
    fn end_of_runs(&self) -> f64 {
        self.curves.values().map(|curves| curves.end(self.view.axis)).fold(0.0, f64::max)
    }

    /// How far what is on screen goes, the reference included; but not where the tail of the runs is followed.
    fn end(&self) -> f64 {
        match self.view.viewport {
            Viewport::Tail { .. } => self.end_of_runs(),
            Viewport::Whole | Viewport::Fixed { .. } => self.end_of_runs().max(self.end_of_reference()),
        }
    }

    /// The range of the horizontal axis.
    fn range(&self) -> (f64, f64) {
        self.view.viewport.range(self.end())
    }
}

impl Screen for RunsScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        bindings::BINDINGS
    }

    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect> {
        match action {
            Action::Runs(action) => self.act_here(action, model),
            _ => Vec::new(),
        }
    }

    fn type_key(&mut self, key: Key, model: &Model) -> Option<Vec<Effect>> {
        if self.menu.is_some() {
            return Some(self.press_menu(key, model));
        }
        self.typing.map(|typing| self.press_typing(typing, key, model))
    }

    fn paste(&mut self, text: &str, model: &Model) -> Vec<Effect> {
        match self.typing {
            Some(Typing::Filter) => self.filter.paste(text),
            Some(Typing::ReferenceFolder) => self.folder.paste(text),
            None => return Vec::new(),
        }
        self.refresh_list(model);
        self.follow()
    }

    fn mouse(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        self.point(mouse, model)
    }

    fn enter(&mut self, _model: &Model) -> Vec<Effect> {
        self.follow()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        self.draw_all(frame, area, model);
    }
}

#[cfg(test)]
mod tests;
