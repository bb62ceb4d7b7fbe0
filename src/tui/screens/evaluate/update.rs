//! The screen Evaluate's response to actions and the mouse.

use ratatui::layout::Rect;

use super::EvaluateScreen;
use super::entries::{self, Entry, all_entries, evaluated_entries};
use super::opened::{ComparedWith, Opened};
use crate::analysis::kept_evaluation::NamedRun;
use crate::terminal::input::Mouse;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::evaluate::{EvaluateAction, EvaluateEffect};
use crate::tui::protocol::run_list::RunRow;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable;
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
            EvaluateAction::ExplainOther => {
                let Some(opened) = self.opened.as_ref().filter(|opened| opened.in_cases) else { return Vec::new() };
                let Some(with) = &opened.comparison else { return vec![warning("nothing is compared")] };
                return explain(opened, &with.runs);
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
            EvaluateAction::ReadAgain => {
                let mut effects = self.search_predictions(shared);
                effects.extend(self.read());
                return effects;
            }
        }
        Vec::new()
    }

    /// Opens the evaluation of a run or of its group.
    pub(in crate::tui) fn open(&mut self, run: RunDir, shared: &SharedState) -> Vec<Effect> {
        let row = shared.runs.position(&run);
        let entry = all_entries(shared).into_iter().find(|entry| row.is_some_and(|row| entry.rows.contains(&row)));
        let name = row.and_then(|row| entries::view_of(&shared.runs.rows[row])).map(SetName::View);
        self.chooser = None;
        if let Some(entry) = entry {
            return self.open_entry(&entry, name, shared);
        }
        // A run that is not listed (yet) is read anyway.
        let runs = vec![NamedRun { name: printable(&run.name()), run }];
        self.opened = Some(Opened::new(runs[0].run.name(), runs[0].name.clone(), runs, None));
        self.read()
    }

    pub(super) fn open_entry(&mut self, entry: &Entry, name: Option<SetName>, shared: &SharedState) -> Vec<Effect> {
        self.restore = None;
        self.opened = Some(Opened::new(entry.key.clone(), entry.title(shared), entry.named_runs(shared), name));
        let mut effects = self.read();
        effects.push(Effect::SaveView);
        effects
    }

    /// Reads the open evaluation, possibly again.
    pub(super) fn read(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        self.open_request += 1;
        vec![Effect::Evaluate(EvaluateEffect::Open {
            request: self.open_request,
            runs: opened.runs.clone(),
            split: self.split,
            first: opened.name,
        })]
    }

    pub(super) fn search_predictions(&mut self, shared: &SharedState) -> Vec<Effect> {
        let over = |row: &&RunRow| row.condition.as_ref().is_some_and(|condition| condition.phase.is_over());
        self.seen = Some((shared.runs.rows.len(), shared.runs.rows.iter().filter(over).count()));
        let runs = shared.runs.rows.iter().map(|row| row.run.clone()).collect();
        vec![Effect::Evaluate(EvaluateEffect::Look { runs })]
    }

    /// Searches for predictions again if runs appeared, disappeared or ended.
    pub(super) fn search_if_changed(&mut self, shared: &SharedState) -> Vec<Effect> {
        if !shared.runs.listed {
            return Vec::new();
        }
        let before = self.seen;
        let effects = self.search_predictions(shared);
        if before == self.seen { Vec::new() } else { effects }
    }

    pub(super) fn tables_of(&self, runs: &[NamedRun]) -> usize {
        runs.iter().filter_map(|run| self.kept.get(&run.run)).map(Vec::len).sum()
    }

    /// Reads the open evaluation again if its runs have more or fewer tables than before.
    pub(super) fn read_if_changed(&mut self) -> Vec<Effect> {
        match &self.opened {
            Some(opened) if opened.sets.is_some() && self.tables_of(&opened.runs) != opened.tables => self.read(),
            _ => Vec::new(),
        }
    }

    pub(super) fn restore(&mut self, shared: &SharedState) -> Vec<Effect> {
        if !shared.runs.listed || self.opened.is_some() {
            return Vec::new();
        }
        let Some(key) = self.restore.take() else { return Vec::new() };
        match all_entries(shared).into_iter().find(|entry| entry.key == key) {
            Some(entry) => self.open_entry(&entry, None, shared),
            None => Vec::new(),
        }
    }

    /// The evaluations to compare with: all others with predictions.
    pub(super) fn others(&self, shared: &SharedState) -> Vec<Entry> {
        let own = self.opened.as_ref().map(|opened| opened.key.as_str());
        let mut entries = evaluated_entries(shared, &self.kept);
        entries.retain(|entry| Some(entry.key.as_str()) != own);
        entries
    }

    pub(super) fn compare_with(&mut self, entry: &Entry, shared: &SharedState) -> Vec<Effect> {
        self.chooser = None;
        let Some(opened) = &mut self.opened else { return Vec::new() };
        opened.comparison = Some(ComparedWith {
            key: entry.key.clone(),
            title: entry.title(shared),
            runs: entry.named_runs(shared),
            sets: Vec::new(),
        });
        self.compare_again(shared)
    }

    pub(super) fn compare_again(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(Opened { runs, sets: Some(sets), name, comparison: Some(with), .. }) = &mut self.opened else {
            return Vec::new();
        };
        // The group may have grown in the meantime.
        if let Some(entry) = all_entries(shared).into_iter().find(|entry| entry.key == with.key) {
            with.runs = entry.named_runs(shared);
        }
        with.sets.clear();
        self.compare_request += 1;
        vec![Effect::Evaluate(EvaluateEffect::Compare {
            request: self.compare_request,
            runs: runs.clone(),
            with: with.runs.clone(),
            split: sets.split,
            first: *name,
        })]
    }

    pub(super) fn enter_or_open(&mut self, shared: &SharedState) -> Vec<Effect> {
        if let Some(list) = self.chooser {
            let others = self.others(shared);
            return match others.get(list.cursor) {
                Some(entry) => self.compare_with(entry, shared),
                None => Vec::new(),
            };
        }
        let Some(opened) = &mut self.opened else {
            let entries = evaluated_entries(shared, &self.kept);
            return match entries.get(self.list.cursor) {
                Some(entry) => self.open_entry(entry, None, shared),
                None => Vec::new(),
            };
        };
        if opened.in_cases {
            return explain(opened, &opened.runs);
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
        let other = if sets.split == Split::Test { Split::Validation } else { Split::Test };
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
        let entries = if self.opened.is_none() { evaluated_entries(shared, &self.kept).len() } else { 0 };
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
            let entries = evaluated_entries(shared, &self.kept);
            return entries.get(self.list.cursor)?.runs(shared).first().map(|row| row.run.clone());
        };
        let of_view = match opened.name {
            Some(SetName::View(view)) => opened.runs.iter().find(|run| run.name == view.name()),
            _ => None,
        };
        of_view.or_else(|| opened.runs.first()).map(|run| run.run.clone())
    }

    /// Selects by a click; a click on a selected element opens it.
    pub(super) fn click(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        let entries = evaluated_entries(shared, &self.kept).len();
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

/// Goes to Explain with the listed images and the models of some runs.
fn explain(opened: &Opened, runs: &[NamedRun]) -> Vec<Effect> {
    let images = opened.explain_list(runs);
    images.map(|images| Effect::Navigate(Destination::Explanation(images))).into_iter().collect()
}

pub(super) fn warning(text: impl Into<String>) -> Effect {
    Effect::warning(text)
}
