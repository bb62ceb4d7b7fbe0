//! The screen Evaluate: confusion matrices to explore, metrics with intervals, and comparisons.

mod case_list;
mod case_sheet;
mod cases_view;
mod cell_numbers;
mod comparing;
mod curves_view;
pub(in crate::tui) mod entries;
mod info_pane;
mod info_view;
mod keys;
mod list_view;
mod messages;
mod opened;
mod opening;
mod pairs_view;
mod subgroups_view;
#[cfg(test)]
pub(in crate::tui) mod tests;
mod update;
mod view;

use std::path::PathBuf;

use cell_numbers::CellNumbers;
use entries::KeptSplits;
use info_pane::InfoPane;
use opened::Opened;
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::confusion_matrix::Normalisation;
use crate::tui::widgets::contact_sheet::ContactSheet;
use crate::tui::widgets::path_field::PathField;
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
    pane: InfoPane,
    /// The folders of predictions that the user opened, the latest first.
    folders: Vec<PathBuf>,
    shows_sheet: bool,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct EvaluateScreen {
    numbers: CellNumbers,
    pane: InfoPane,
    folders: Vec<PathBuf>,
    /// True to show cases as a contact sheet.
    shows_sheet: bool,
    sheet: ContactSheet,
    /// The data sets of predictions that jobs have made.
    data: Vec<PathBuf>,
    /// The field for a folder to open, while it is shown.
    prompt: Option<PathField>,
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
        let EvaluateView { opened, normalisation, split, pane, folders, shows_sheet } = view;
        let numbers = CellNumbers { normalisation, ..CellNumbers::default() };
        Self { numbers, split, pane, folders, shows_sheet, restore: opened, ..Self::default() }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> EvaluateView {
        let opened = self.opened.as_ref().map(|opened| opened.key.clone()).or_else(|| self.restore.clone());
        let normalisation = self.numbers.normalisation;
        EvaluateView {
            opened,
            normalisation,
            split: self.split,
            pane: self.pane,
            folders: self.folders.clone(),
            shows_sheet: self.shows_sheet,
        }
    }
}

impl Screen for EvaluateScreen {
    fn bindings(&self, shared: &SharedState) -> KeyTables {
        match (&self.chooser, &self.opened) {
            _ if self.prompt.is_some() => keys::PROMPT,
            (Some(_), _) => keys::CHOOSER,
            (None, Some(_)) if self.is_on_sheet() => keys::SHEET,
            (None, Some(opened)) if opened.in_cases => keys::CASES,
            (None, Some(opened)) if opened.set().is_none() => keys::WAITING,
            (None, Some(_)) => keys::MATRIX,
            (None, None) if self.listed(shared).is_empty() => keys::EMPTY,
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
        if self.is_on_sheet() && self.chooser.is_none() {
            if let Some(opened) = &mut self.opened {
                let cases = &mut opened.cases;
                cases.list.cursor = self.sheet.moved(motion, cases.list.cursor, cases.cases.len());
            }
        } else {
            self.step(motion.rows(10), 0, shared);
        }
        Vec::new()
    }

    fn type_key(&mut self, key: Key, _shared: &SharedState) -> Option<Vec<Effect>> {
        let outcome = self.prompt.as_mut()?.press(key);
        Some(self.after_prompt(outcome))
    }

    fn paste(&mut self, text: &str, _shared: &SharedState) -> Vec<Effect> {
        let Some(prompt) = &mut self.prompt else { return Vec::new() };
        let outcome = prompt.paste(text);
        self.after_prompt(outcome)
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if let Some(prompt) = &mut self.prompt {
            let outcome = prompt.mouse(mouse);
            return self.after_prompt(outcome);
        }
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

    fn sheet_mut(&mut self) -> Option<&mut ContactSheet> {
        Some(&mut self.sheet)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.draw_screen(frame, area, shared);
        if let Some(prompt) = &mut self.prompt {
            prompt.draw(frame, area, shared);
        }
    }
}

impl EvaluateScreen {
    fn draw_screen(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
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
