//! The screen Runs: the list of runs, the curves of the selected and the marked ones, the events of the selected one,
//! and the control of its trainer.

mod chart_actions;
mod chart_titles;
mod charts_view;
mod chooser;
mod columns;
mod configuration;
mod control;
mod curve_search;
pub(in crate::tui) mod curves;
mod details_view;
mod export;
mod info_pane;
mod keys;
mod label_form;
mod list_view;
mod listing;
mod messages;
pub(in crate::tui) mod metric;
mod note_text;
mod overlay_legend;
mod pager;
mod places;
mod reference;
mod saved_view;
mod sketches;
mod sorting;
mod study_view;
mod update;
mod view;
mod viewport;

use std::collections::HashMap;

use chooser::Chooser;
use control::ControlMenu;
use curves::RunCurves;
use label_form::LabelForm;
use listing::{FolderKind, ListLine};
use metric::Metric;
use pager::Pager;
use ratatui::Frame;
use ratatui::layout::Rect;
use reference::Reference;
pub(in crate::tui) use saved_view::RunsView;
use sketches::Sketches;
use viewport::Viewport;

use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::{Lower, RunsEffect};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_storage::runs::run_dir::RunDir;

/// The decay factors of the moving average; 0 for no smoothing.
const SMOOTHING: [f64; 6] = [0.0, 0.6, 0.9, 0.97, 0.99, 0.997];
/// The largest number of marked runs, so that each of the overlaid runs has a colour of its own.
const MAX_MARKED: usize = 7;

/// What was used last, to which actions apply that fit several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Focus {
    #[default]
    List,
    Charts,
    /// The information pane.
    Info,
}

/// The text that is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Typing {
    Filter,
    ReferenceFolder,
}

/// The area of the curves of a metric.
#[derive(Clone, Copy, Debug)]
struct PlotArea {
    area: Rect,
    metric: Metric,
}

/// The areas of the last drawing, for the mouse, and choices that depend on its size.
#[derive(Clone, Debug, Default)]
struct Areas {
    plots: Vec<PlotArea>,
    lower: Rect,
    /// The items of the open menu.
    menu: Rect,
    /// The pane below the charts.
    shown_lower: Option<Lower>,
    /// True if the details are shortened to two lines.
    compact_details: bool,
}

/// The list of runs with its filter.
#[derive(Debug, Default)]
struct RunPicker {
    list: ScrollList,
    /// The lines that match the filter.
    shown: Vec<ListLine>,
    filter: TextField,
}

impl RunPicker {
    /// True if a folder is listed.
    fn has_folders(&self) -> bool {
        self.shown.iter().any(|line| line.row().is_none())
    }
}

/// The runs that are followed, and their curves.
#[derive(Debug, Default)]
struct FollowedRuns {
    runs: Vec<RunDir>,
    curves: HashMap<RunDir, RunCurves>,
}

/// Requests to trainers that are not answered yet.
#[derive(Debug, Default)]
struct PendingRequests {
    verbs: Vec<(RunDir, RequestVerb)>,
    /// Runs that are being resumed.
    resumes: Vec<RunDir>,
}

/// The position in the pane below the charts.
#[derive(Debug, Default)]
struct LowerPosition {
    /// The index of the note that was jumped to.
    note: Option<usize>,
    /// The number of lines scrolled back from the end.
    scrolled: usize,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct RunsScreen {
    picker: RunPicker,
    chosen: Option<RunDir>,
    /// A run to select as soon as it is listed.
    awaited: Option<RunDir>,
    marked: Vec<RunDir>,
    typing: Option<Typing>,
    /// The folder of a reference, as typed.
    folder: TextField,
    followed: FollowedRuns,
    sketches: Sketches,
    view: RunsView,
    /// The position of the cursor on the horizontal axis of all charts.
    cursor: Option<f64>,
    lower: LowerPosition,
    focus: Focus,
    /// True if the chosen chart has the whole screen.
    alone: bool,
    chooser: Option<Chooser>,
    /// The information pane at full height.
    pager: Option<Pager>,
    menu: Option<ControlMenu>,
    label_form: Option<LabelForm>,
    requests: PendingRequests,
    reference: Option<Reference>,
    areas: Areas,
}

impl RunsScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: RunsView) -> Self {
        Self {
            chosen: view.chosen.clone().map(RunDir::new),
            marked: view.marked.iter().cloned().map(RunDir::new).collect(),
            picker: RunPicker { filter: TextField::new(view.filter.clone()), ..RunPicker::default() },
            view: RunsView {
                smoothing: view.smoothing.min(SMOOTHING.len() - 1),
                metrics: if view.metrics.is_empty() { Metric::ALL.to_vec() } else { view.metrics.clone() },
                ..view
            },
            ..Self::default()
        }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> RunsView {
        RunsView {
            chosen: self.chosen.as_ref().map(|run| run.path().to_owned()),
            marked: self.marked.iter().map(|run| run.path().to_owned()).collect(),
            filter: self.picker.filter.text().to_owned(),
            reference: self.reference.as_ref().map(|reference| reference.folder.clone()),
            ..self.view.clone()
        }
    }

    /// Selects a run.
    pub(in crate::tui) fn select(&mut self, run: &RunDir, shared: &SharedState) -> Vec<Effect> {
        (self.chosen, self.awaited) = (Some(run.clone()), Some(run.clone()));
        // Overlays and the range of other runs would hide it.
        self.marked.clear();
        self.view.viewport = Viewport::Whole;
        self.cursor = None;
        (self.pager, self.alone, self.chooser) = (None, false, None);
        self.view.folder = None;
        self.lower = LowerPosition::default();
        let mut effects = if shared.runs.listed { self.find_awaited(shared) } else { Vec::new() };
        self.refresh_list(shared);
        effects.extend(self.follow());
        effects
    }

    /// The row of the selected run; `None` until it is listed.
    fn chosen_row<'a>(&self, shared: &'a SharedState) -> Option<&'a RunRow> {
        self.row_at_cursor(shared).filter(|row| Some(&row.run) == self.chosen.as_ref())
    }

    /// The row under the cursor of the list; `None` if the cursor is on a folder.
    fn row_at_cursor<'a>(&self, shared: &'a SharedState) -> Option<&'a RunRow> {
        shared.runs.rows.get(self.picker.shown.get(self.picker.list.cursor)?.row()?)
    }

    /// The selected folder: its kind, its id and its rows.
    fn chosen_folder<'a>(&self, shared: &'a SharedState) -> Option<(FolderKind, &str, Vec<&'a RunRow>)> {
        match self.picker.shown.get(self.picker.list.cursor)? {
            ListLine::Folder { kind, id, rows, .. } => {
                Some((*kind, id, rows.iter().filter_map(|row| shared.runs.rows.get(*row)).collect()))
            }
            ListLine::Run { .. } => None,
        }
    }

    /// The runs to draw, the selected one first.
    fn drawn_runs(&self) -> Vec<RunDir> {
        let mut runs: Vec<RunDir> = self.chosen.iter().cloned().collect();
        runs.extend(self.marked.iter().filter(|run| Some(*run) != self.chosen.as_ref()).cloned());
        runs
    }

    /// The index of a run's colour and letter, which it keeps while others are selected.
    fn series_of(&self, run: &RunDir) -> usize {
        self.marked.iter().position(|other| other == run).unwrap_or(self.marked.len())
    }

    /// The end of the curves on screen.
    fn end_of_runs(&self) -> f64 {
        self.followed.curves.values().map(|curves| curves.end(self.view.axis)).fold(0.0, f64::max)
    }

    /// The end of everything on screen, including the reference unless the tail of the runs is followed.
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
    fn bindings(&self, shared: &SharedState) -> KeyTables {
        if self.pager.is_some() {
            return keys::PAGER_BINDINGS;
        }
        if self.chosen_folder(shared).is_some() { keys::FOLDER_BINDINGS } else { keys::BINDINGS }
    }

    fn states(&self) -> &'static [StateTables] {
        keys::STATES
    }

    fn unavailable(&self, action: Action, shared: &SharedState) -> Option<String> {
        match action {
            Action::Runs(action) => self.obstacle(action, shared),
            _ => None,
        }
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        match action {
            Action::Runs(action) => self.update(action, shared),
            _ => Vec::new(),
        }
    }

    fn move_cursor(&mut self, motion: ListMotion, shared: &SharedState) -> Vec<Effect> {
        if self.pager.is_some() {
            self.move_in_pager(motion, shared);
            return Vec::new();
        }
        self.focus = Focus::List;
        self.move_in_list(motion, shared)
    }

    fn type_key(&mut self, key: Key, shared: &SharedState) -> Option<Vec<Effect>> {
        if self.menu.is_some() {
            return Some(self.press_menu(key, shared));
        }
        if self.label_form.is_some() {
            return Some(self.press_label_form(key));
        }
        if self.chooser.is_some() {
            return Some(self.press_chooser(key));
        }
        if self.pager.as_ref().is_some_and(Pager::is_typing) {
            return Some(self.press_search(key, shared));
        }
        self.typing.map(|typing| self.press_typing(typing, key, shared))
    }

    fn paste(&mut self, text: &str, shared: &SharedState) -> Vec<Effect> {
        if let Some(pager) = self.pager.as_mut().filter(|pager| pager.is_typing()) {
            pager.paste(text);
            return Vec::new();
        }
        if let Some(form) = &mut self.label_form {
            form.paste(text);
            return Vec::new();
        }
        match self.typing {
            Some(Typing::Filter) => self.picker.filter.paste(text),
            Some(Typing::ReferenceFolder) => self.folder.paste(text),
            None => return Vec::new(),
        }
        self.refresh_list(shared);
        self.follow()
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        self.on_mouse(mouse, shared)
    }

    fn start(&mut self, _model: &SharedState) -> Vec<Effect> {
        let mut effects = vec![Effect::Runs(RunsEffect::Watch)];
        effects.extend(self.view.reference.clone().map(|folder| Effect::Runs(RunsEffect::ReadReference(folder))));
        effects
    }

    fn on_effect(&mut self, effect: &Effect) {
        if let Effect::Runs(RunsEffect::Ask { run, verb }) = effect {
            self.on_request(run, *verb);
        }
    }

    fn enter(&mut self, _model: &SharedState) -> Vec<Effect> {
        self.follow()
    }

    fn after_draw(&mut self) -> Vec<Effect> {
        self.sketches.take_request().into_iter().collect()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.draw_all(frame, area, shared);
    }
}

#[cfg(test)]
mod tests;
