//! The screen Train: a form for training runs, their estimate, and their start.

mod cloning;
mod command_line;
mod estimate;
mod estimate_lines;
mod field_search;
mod fields;
mod form;
mod implausible;
mod keys;
mod layers;
mod messages;
mod rows;
mod runs_with_data;
mod sparkline;
mod start;
mod study;
mod typing;
mod update;
mod view;
mod wrapped;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use estimate::{DataState, Timing, as_timed};
use fields::{Field, Row};
use form::TrainForm;
use ratatui::Frame;
use ratatui::layout::Rect;
use runs_with_data::RunsWithData;
use serde::{Deserialize, Serialize};
use start::Start;
use typing::{Editing, FieldFilter};
use view::Areas;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::train::{DataRequest, SplitChoice, TrainEffect};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

/// The time without a change of the form before steps are timed.
const TIMING_DELAY: TimeDelta = TimeDelta::seconds(1);

/// The saved state of the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct TrainView {
    data: String,
    /// Empty for all.
    views: Vec<View>,
    splits: SplitChoice,
    bits: String,
    preset: String,
    name: String,
    device: String,
    folds: String,
    seeds: String,
    sweep: String,
    jobs: String,
    changes: BTreeMap<String, String>,
    /// The titles of the sections that are open.
    open: BTreeSet<String>,
}

/// The pane that has the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Form,
    /// The whole estimate.
    Estimate,
    /// The network, layer by layer.
    Layers,
}

/// The scroll positions of the panes that are only read.
#[derive(Debug, Default)]
struct ReadingPanes {
    layers: ScrollList,
    estimate: ScrollList,
    /// The number of possible first lines of the estimate when it was last drawn.
    estimate_length: usize,
}

/// The summary of the data set, and the number of the request for it.
#[derive(Debug, Default)]
struct DataScan {
    state: DataState,
    request: u64,
}

/// The timing of steps, and the number of the request for it.
#[derive(Debug, Default)]
struct StepTimer {
    state: Timing,
    request: u64,
    /// The number of runs that were to be timed.
    runs: usize,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct TrainScreen {
    form: TrainForm,
    list: ScrollList,
    /// The titles of the sections that are open; the others show only what is changed.
    open: BTreeSet<String>,
    /// The view under the cursor, within the field of views.
    view_cursor: usize,
    editing: Option<Editing>,
    filter: FieldFilter,
    pane: Pane,
    reading: ReadingPanes,
    data: DataScan,
    timing: StepTimer,
    changed: Option<DateTime<Utc>>,
    /// The implausible values that the user accepted.
    accepted: BTreeMap<&'static str, String>,
    start: Start,
    /// The run whose splits are being read.
    cloning: Option<RunDir>,
    history: RunsWithData,
    areas: Areas,
}

impl TrainScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: TrainView) -> Self {
        let mut form = TrainForm { data: view.data, splits: view.splits, name: view.name, ..TrainForm::default() };
        if let SplitChoice::OfRun(splits) = &form.splits {
            form.carried = Some(splits.clone());
        }
        form.set_preset(&view.preset);
        form.apply(&view.changes);
        if !view.views.is_empty() {
            form.views = View::ALL.map(|known| view.views.contains(&known));
        }
        // Values of another version that are unknown to this one are ignored.
        let of_view = [
            (Field::Device, &view.device),
            (Field::Bits, &view.bits),
            (Field::Folds, &view.folds),
            (Field::Seeds, &view.seeds),
            (Field::Sweep, &view.sweep),
            (Field::Jobs, &view.jobs),
        ];
        for (field, text) in of_view {
            let _ = form.put(field, text);
        }
        Self { form, list: ScrollList::at(1), open: view.open, ..Self::default() }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> TrainView {
        let form = &self.form;
        TrainView {
            data: form.data.clone(),
            views: View::ALL.into_iter().zip(form.views).filter(|(_, on)| *on).map(|(view, _)| view).collect(),
            splits: form.splits.clone(),
            bits: form.bits.clone(),
            preset: form.preset.name.clone(),
            name: form.name.clone(),
            device: form.device.clone(),
            folds: form.study.folds.clone(),
            seeds: form.study.seeds.clone(),
            sweep: form.study.sweep.clone(),
            jobs: form.study.jobs.clone(),
            changes: form.changes(),
            open: self.open.clone(),
        }
    }

    /// The data set in the form, as typed; empty if there is none.
    pub(in crate::tui) fn data(&self) -> &str {
        &self.form.data
    }

    /// Responds to a change of the form.
    fn after_change(&mut self, before: &TrainForm, shared: &SharedState) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.start.error = None;
        self.start.doubt = None;
        self.changed = Some(shared.now);
        let images = |form: &TrainForm| {
            let splits = (form.splits.clone(), form.study.folds(), form.config.seed);
            (form.data.clone(), form.views, splits, form.grey_range())
        };
        if images(before) != images(&self.form) || self.data.state == DataState::Unknown {
            effects.extend(self.read_data());
        }
        let timed = |form: &TrainForm| {
            (as_timed(&form.config), form.device.clone(), form.study.jobs.clone(), form.runs_per_view())
        };
        if timed(before) != timed(&self.form) {
            self.forget_timing(&mut effects);
        }
        effects
    }

    fn forget_timing(&mut self, effects: &mut Vec<Effect>) {
        if self.timing.state == Timing::Running {
            effects.push(Effect::Train(TrainEffect::CancelTiming));
        }
        self.timing.state = Timing::Unknown;
        self.timing.request += 1;
    }

    /// Requests a summary of the data set if the form is complete enough.
    fn read_data(&mut self) -> Option<Effect> {
        self.data.request += 1;
        self.data.state = DataState::Unknown;
        if self.form.data.is_empty() || self.form.views == [false; 4] {
            return None;
        }
        self.data.state = DataState::Reading;
        if self.cloning.is_some() {
            // Which splits are wanted is not known yet.
            return None;
        }
        Some(Effect::Train(TrainEffect::Scan { request: self.data.request, data: self.data_request() }))
    }

    fn data_request(&self) -> DataRequest {
        DataRequest {
            root: PathBuf::from(&self.form.data),
            views: self.form.selection(),
            splits: self.form.splits.clone(),
            grey_range: self.form.grey_range(),
            seed: self.form.config.seed,
            folds: self.form.study.folds(),
        }
    }

    fn rows(&self) -> Vec<Row> {
        match self.filter.field.text() {
            text if text.trim().is_empty() => {
                fields::rows(|title| self.open.contains(title), |field| self.form.is_changed(field))
            }
            text => fields::found(text),
        }
    }

    /// The section whose heading is under the cursor.
    fn section(&self) -> Option<&'static str> {
        match self.rows().get(self.list.cursor) {
            Some(Row::Section(title)) => Some(title),
            _ => None,
        }
    }

    /// The field under the cursor.
    fn field(&self) -> Option<Field> {
        match self.rows().get(self.list.cursor) {
            Some(Row::Field(field)) => Some(*field),
            _ => None,
        }
    }
}

impl Screen for TrainScreen {
    fn bindings(&self, _model: &SharedState) -> KeyTables {
        match (self.pane, &self.editing) {
            (Pane::Form, Some(_)) => keys::EDITING,
            (Pane::Form, None) => keys::FORM,
            (Pane::Estimate | Pane::Layers, _) => keys::READING,
        }
    }

    fn states(&self) -> &'static [StateTables] {
        keys::STATES
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        let Action::Train(action) = action else { return Vec::new() };
        self.update(action, shared)
    }

    fn move_cursor(&mut self, motion: ListMotion, _model: &SharedState) -> Vec<Effect> {
        self.move_by(motion);
        Vec::new()
    }

    fn type_key(&mut self, key: Key, shared: &SharedState) -> Option<Vec<Effect>> {
        if self.pane != Pane::Form {
            return None;
        }
        if self.editing.is_some() {
            return Some(self.type_into_field(key, shared));
        }
        if self.filter.is_typing {
            return self.type_into_filter(key).then(Vec::new);
        }
        // On a number, digits belong to it and not to the screens.
        let field = self.field().filter(|field| field.is_number())?;
        matches!(key, Key::Char('0'..='9' | '.' | '-')).then(|| {
            self.editing = Some(Editing::new(field, self.form.text(field)));
            self.type_into_field(key, shared)
        })
    }

    fn paste(&mut self, text: &str, _model: &SharedState) -> Vec<Effect> {
        if let Some(editing) = &mut self.editing {
            editing.typed.paste(text);
        } else if self.filter.is_typing {
            self.filter.field.paste(text);
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelDown => self.scroll(2, mouse),
            MouseKind::WheelUp => self.scroll(-2, mouse),
            MouseKind::Press => return self.click(mouse, shared),
            MouseKind::Drag | MouseKind::Release => {}
        }
        Vec::new()
    }

    fn enter(&mut self, _model: &SharedState) -> Vec<Effect> {
        let unread = self.data.state == DataState::Unknown;
        if unread { self.read_data().into_iter().collect() } else { Vec::new() }
    }

    fn tick(&mut self, shared: &SharedState) -> Vec<Effect> {
        let histories = self.request_histories(shared);
        if histories.is_some() {
            return histories.into_iter().collect();
        }
        let is_idle = self.changed.is_none_or(|changed| shared.now - changed >= TIMING_DELAY);
        let wanted = self.timing.state == Timing::Unknown && self.editing.is_none() && self.start.pending.is_none();
        if !is_idle || !wanted || self.obstacle().is_some() {
            return Vec::new();
        }
        let Some(runs) = self.timing_request() else { return Vec::new() };
        self.timing.state = Timing::Running;
        self.timing.runs = runs.runs;
        vec![Effect::Train(TrainEffect::Time { request: self.timing.request, runs: Box::new(runs) })]
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.draw_all(frame, area, shared);
    }
}

#[cfg(test)]
mod tests;
