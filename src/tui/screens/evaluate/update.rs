//! The screen Evaluate's response to actions and the mouse.

use ratatui::layout::Rect;

use super::EvaluateScreen;
use super::opened::Opened;
use crate::terminal::input::Mouse;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::evaluate::{EvaluateAction, EvaluateEffect, ExportedSet, PredictionSource};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::run_dir::RunDir;

impl EvaluateScreen {
    pub(super) fn update(&mut self, action: EvaluateAction, shared: &SharedState) -> Vec<Effect> {
        match action {
            EvaluateAction::Open => return self.enter_or_open(shared),
            EvaluateAction::FullScreen => {
                let images = self.opened.as_ref().filter(|opened| opened.in_cases).and_then(Opened::image_list);
                return images.map(|images| Effect::Navigate(Destination::Viewer(images))).into_iter().collect();
            }
            EvaluateAction::Back => return self.back(),
            EvaluateAction::Left => self.step(0, -1, shared),
            EvaluateAction::Right => self.step(0, 1, shared),
            EvaluateAction::NextSet | EvaluateAction::PreviousSet => {
                if let Some(opened) = &mut self.opened {
                    opened.select_neighbour(if action == EvaluateAction::NextSet { 1 } else { -1 });
                }
            }
            EvaluateAction::Counts => {
                let is_compared = self.opened.as_ref().is_some_and(|opened| opened.comparison.is_some());
                self.numbers = self.numbers.next(is_compared);
                return vec![Effect::SaveView];
            }
            EvaluateAction::WorstErrors => {
                if let Some(opened) = &mut self.opened {
                    opened.list_worst();
                }
            }
            EvaluateAction::Sort | EvaluateAction::ReverseOrder => {
                if let Some(opened) = &mut self.opened {
                    if action == EvaluateAction::Sort { opened.sort_by_next() } else { opened.reverse_order() }
                }
            }
            EvaluateAction::Arrangement => return self.next_arrangement(),
            EvaluateAction::SheetLeft => self.step_on_sheet(-1),
            EvaluateAction::SheetRight => self.step_on_sheet(1),
            EvaluateAction::CopyPath | EvaluateAction::CopyPlace => return self.copy_path(shared),
            EvaluateAction::ExplainOther => {
                let Some(opened) = self.opened.as_ref().filter(|opened| opened.in_cases) else { return Vec::new() };
                let Some(with) = &opened.comparison else { return vec![warning("nothing is compared")] };
                return explain(opened, &with.source);
            }
            EvaluateAction::Split => return self.other_split(),
            EvaluateAction::Compare => {
                if self.others(shared).is_empty() {
                    return vec![warning("nothing to compare with yet")];
                }
                self.chooser = Some(ScrollList::default());
            }
            EvaluateAction::ShowRun => {
                return self
                    .selected_run(shared)
                    .map(|run| Effect::Navigate(Destination::Run(run)))
                    .into_iter()
                    .collect();
            }
            EvaluateAction::NextPane | EvaluateAction::PreviousPane => {
                self.pane = self.pane.step(if action == EvaluateAction::NextPane { 1 } else { -1 });
                return vec![Effect::SaveView];
            }
            EvaluateAction::OpenFolder => return self.prompt_for_folder(shared),
            EvaluateAction::ForgetFolder => return self.forget_folder(shared),
            EvaluateAction::Export => {
                let Some(set) = self.opened.as_ref().and_then(Opened::set) else {
                    return vec![warning("no figures to export yet")];
                };
                let EvaluatedSet { set, evaluation, .. } = set.evaluated.clone();
                let exported = Box::new(ExportedSet { set, evaluation });
                return vec![Effect::Evaluate(EvaluateEffect::ExportFigures(exported))];
            }
            EvaluateAction::ReadAgain => {
                let mut effects = self.search_predictions(shared);
                effects.extend(self.read());
                return effects;
            }
        }
        Vec::new()
    }

    pub(super) fn enter_or_open(&mut self, shared: &SharedState) -> Vec<Effect> {
        if let Some(list) = self.chooser {
            let others = self.others(shared);
            return match others.get(list.cursor) {
                Some(other) => self.compare_with(other, shared),
                None => Vec::new(),
            };
        }
        let Some(opened) = &mut self.opened else {
            let listed = self.listed(shared);
            return match listed.get(self.list.cursor) {
                Some(listed) => self.open_listed(listed, None, shared),
                None => Vec::new(),
            };
        };
        if opened.in_cases {
            return explain(opened, &opened.source);
        }
        if opened.cases.cases.is_empty() {
            let text = match (&opened.sets, opened.pair()) {
                (None, _) => "still reading the predictions",
                (Some(_), None) => "no cases in this cell",
                (Some(_), Some(_)) => "no flips in this cell",
            };
            return vec![warning(text)];
        }
        opened.in_cases = true;
        Vec::new()
    }

    /// Goes one step back: from the choice, the cases, the comparison, or the evaluation.
    pub(super) fn back(&mut self) -> Vec<Effect> {
        if self.chooser.take().is_some() {
            return Vec::new();
        }
        match &mut self.opened {
            Some(opened) if opened.in_cases => opened.leave_cases(),
            Some(opened) if opened.comparison.is_some() => {
                opened.comparison = None;
                opened.select_cell(opened.cell);
                self.compare_request += 1;
            }
            Some(_) => {
                self.opened = None;
                self.open_request += 1;
                return vec![Effect::SaveView];
            }
            None => {}
        }
        Vec::new()
    }

    pub(super) fn other_split(&mut self) -> Vec<Effect> {
        let Some(sets) = self.opened.as_ref().and_then(|opened| opened.sets.as_ref()) else { return Vec::new() };
        let Some(split) = sets.split else { return vec![warning("a table has no splits")] };
        let other = if split == Split::Test { Split::Validation } else { Split::Test };
        if !sets.has_other_split {
            return vec![warning(format!("no predictions of {other} images"))];
        }
        self.split = Some(other);
        let mut effects = self.read();
        effects.push(Effect::SaveView);
        effects
    }

    /// Moves the cursor of the chooser, the cases, the matrix, or the list.
    pub(super) fn step(&mut self, rows: isize, columns: isize, shared: &SharedState) {
        let others = self.chooser.map(|_| self.others(shared).len());
        let entries = if self.opened.is_none() { self.listed(shared).len() } else { 0 };
        match (&mut self.chooser, &mut self.opened) {
            (Some(list), _) => list.step(rows, others.unwrap_or(0)),
            (None, Some(opened)) if opened.in_cases => opened.cases.list.step(rows, opened.cases.cases.len()),
            (None, Some(opened)) => opened.step(rows.clamp(-3, 3), columns),
            (None, None) => self.list.step(rows, entries),
        }
    }

    /// The run of the open evaluation, if possible that of its view, or the run under the cursor.
    pub(super) fn selected_run(&self, shared: &SharedState) -> Option<RunDir> {
        let Some(opened) = &self.opened else {
            return self.listed(shared).get(self.list.cursor)?.first_run(shared);
        };
        let of_view = match opened.name {
            Some(SetName::View(view)) => opened.source.runs().iter().find(|run| run.name == view.name()),
            _ => None,
        };
        of_view.or_else(|| opened.source.runs().first()).map(|run| run.run.clone())
    }

    /// Selects by a click; a click on a selected element opens it.
    pub(super) fn click(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if self.chooser.is_none()
            && self.is_on_sheet()
            && let Some(opened) = &mut self.opened
            && let Some(tile) = self.sheet.tile_at(mouse, opened.cases.cases.len())
        {
            let again = std::mem::replace(&mut opened.cases.list.cursor, tile) == tile;
            return if again { self.enter_or_open(shared) } else { Vec::new() };
        }
        let entries = self.listed(shared).len();
        let others = self.others(shared).len();
        let (list, length) = match (&mut self.chooser, &mut self.opened) {
            (Some(list), _) => (list, others),
            (None, None) => (&mut self.list, entries),
            (None, Some(opened)) => {
                let hit = |area: &Rect| area.contains((mouse.column, mouse.row).into());
                if let Some((name, _)) = opened.tab_areas.iter().find(|(_, area)| hit(area)) {
                    let name = *name;
                    opened.select_set(name);
                    return Vec::new();
                }
                if let Some(cell) = opened.matrix_area.cell_at(mouse) {
                    let again = cell == opened.cell && !opened.in_cases;
                    opened.leave_cases();
                    if cell != opened.cell {
                        opened.select_cell(cell);
                    }
                    return if again { self.enter_or_open(shared) } else { Vec::new() };
                }
                let length = opened.cases.cases.len();
                if let (false, Some(row)) = (opened.in_cases, opened.cases.list.row_at(mouse, length)) {
                    // The first click moves the focus to the list.
                    opened.in_cases = true;
                    opened.cases.list.cursor = row;
                    return Vec::new();
                }
                (&mut opened.cases.list, length)
            }
        };
        let Some(row) = list.row_at(mouse, length) else { return Vec::new() };
        if list.cursor == row {
            return self.enter_or_open(shared);
        }
        list.cursor = row;
        Vec::new()
    }
}

/// Goes to Explain with the listed images and the models of a source.
fn explain(opened: &Opened, source: &PredictionSource) -> Vec<Effect> {
    let images = opened.explain_list(source);
    images.map(|images| Effect::Navigate(Destination::Explanation(images))).into_iter().collect()
}

pub(super) fn warning(text: impl Into<String>) -> Effect {
    Effect::warning(text)
}
