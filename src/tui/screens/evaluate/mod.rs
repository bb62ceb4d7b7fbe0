//! The screen Evaluate: confusion matrices to explore, metrics with intervals, and comparisons.

mod case_list;
mod cases_view;
mod cell_numbers;
pub(in crate::tui) mod entries;
mod keys;
mod list_view;
mod messages;
mod opened;
mod pairs_view;
#[cfg(test)]
pub(in crate::tui) mod tests;
mod update;
mod view;

use cell_numbers::CellNumbers;
use entries::{KeptSplits, evaluated_entries};
use opened::Opened;
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::confusion_matrix::Normalisation;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::subject::split::Split;

/// The saved state of the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct EvaluateView {
    /// The key of the open evaluation.
    opened: Option<String>,
    normalisation: Normalisation,
    split: Option<Split>,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct EvaluateScreen {
    numbers: CellNumbers,
    /// The split that the user chose last.
    split: Option<Split>,
    /// The key of the evaluation to open as soon as the runs are listed.
    restore: Option<String>,
    kept: KeptSplits,
    is_searched: bool,
    /// The numbers of runs and of those that were over when predictions were last searched.
    seen: Option<(usize, usize)>,
    list: ScrollList,
    opened: Option<Opened>,
    /// The list of evaluations to compare with, while it is open.
    chooser: Option<ScrollList>,
    /// The number of the latest request of each kind; answers to earlier ones are ignored.
    open_request: u64,
    compare_request: u64,
}

impl EvaluateScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: EvaluateView) -> Self {
        let EvaluateView { opened, normalisation, split } = view;
        let numbers = CellNumbers { normalisation, ..CellNumbers::default() };
        Self { numbers, split, restore: opened, ..Self::default() }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> EvaluateView {
        let opened = self.opened.as_ref().map(|opened| opened.key.clone()).or_else(|| self.restore.clone());
        EvaluateView { opened, normalisation: self.numbers.normalisation, split: self.split }
    }
}

impl Screen for EvaluateScreen {
    fn bindings(&self, shared: &SharedState) -> KeyTables {
        match (&self.chooser, &self.opened) {
            (Some(_), _) => keys::CHOOSER,
            (None, Some(opened)) if opened.in_cases => keys::CASES,
            (None, Some(opened)) if opened.set().is_none() => keys::WAITING,
            (None, Some(_)) => keys::MATRIX,
            (None, None) if evaluated_entries(shared, &self.kept).is_empty() => keys::EMPTY,
            (None, None) => keys::LIST,
        }
    }

    fn states(&self) -> &'static [StateTables] {
        keys::STATES
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        let Action::Evaluate(action) = action else { return Vec::new() };
        self.update(action, shared)
    }

    fn move_cursor(&mut self, motion: ListMotion, shared: &SharedState) -> Vec<Effect> {
        self.step(motion.rows(10), 0, shared);
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelUp => self.step(-1, 0, shared),
            MouseKind::WheelDown => self.step(1, 0, shared),
            MouseKind::Press => return self.click(mouse, shared),
            MouseKind::Drag | MouseKind::Release => {}
        }
        Vec::new()
    }

    fn enter(&mut self, shared: &SharedState) -> Vec<Effect> {
        let mut effects = self.restore(shared);
        if shared.runs.listed {
            effects.extend(self.search_predictions(shared));
        }
        effects
    }

    fn tick(&mut self, shared: &SharedState) -> Vec<Effect> {
        let mut effects = self.restore(shared);
        effects.extend(self.search_if_changed(shared));
        effects
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        if let Some(mut list) = self.chooser {
            let entries = self.others(shared);
            let title = self.opened.as_ref().map(|opened| format!("Compare {} with", opened.title)).unwrap_or_default();
            list_view::draw_entries(frame, area, &title, &entries, &self.kept, &mut list, shared);
            self.chooser = Some(list);
            return;
        }
        if self.opened.is_none() {
            self.draw_list(frame, area, shared);
            return;
        }
        self.draw_opened(frame, area, shared);
    }
}
