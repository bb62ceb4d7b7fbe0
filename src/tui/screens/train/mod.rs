//! The screen Train: a form for training runs, their estimate, and their start.

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
mod update;
mod view;
mod wrapped;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use estimate::{DataState, Timing, as_timed};
use fields::{Field, Row};
use form::TrainForm;
use implausible::implausible;
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};
use view::Areas;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables};
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::train::{DataRequest, SplitChoice, StartRequest, TimingRequest, TrainEffect};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::config_keys::{ConfigKey, KEYS};

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
    changes: BTreeMap<String, String>,
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

/// A field that is being typed.
#[derive(Debug)]
struct Editing {
    field: Field,
    typed: TextField,
    /// The implausible text that the user was asked about.
    doubted: Option<String>,
}

impl Editing {
    /// A field with its value selected: typing replaces it.
    fn new(field: Field, text: String) -> Self {
        Self { field, typed: TextField::selected(text), doubted: None }
    }
}

/// The filter of the form's fields.
#[derive(Debug, Default)]
struct FieldFilter {
    field: TextField,
    is_typing: bool,
}

impl FieldFilter {
    fn is_shown(&self) -> bool {
        self.is_typing || !self.field.text().is_empty()
    }
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

/// The start of training runs.
#[derive(Debug, Default)]
struct Start {
    /// The number of runs that are being started.
    pending: Option<usize>,
    error: Option<String>,
    /// The implausible values that the user was asked about; the next Ctrl-S accepts them.
    doubt: Option<String>,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct TrainScreen {
    form: TrainForm,
    list: ScrollList,
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
    areas: Areas,
}

impl TrainScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: TrainView) -> Self {
        let mut form = TrainForm { data: view.data, splits: view.splits, name: view.name, ..TrainForm::default() };
        form.set_preset(&view.preset);
        form.apply(&view.changes);
        if !view.views.is_empty() {
            form.views = View::ALL.map(|known| view.views.contains(&known));
        }
        // Values of another version that are unknown to this one are ignored.
        let _ = form.put(Field::Device, &view.device);
        let _ = form.put(Field::Bits, &view.bits);
        Self { form, list: ScrollList::at(1), ..Self::default() }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> TrainView {
        let form = &self.form;
        TrainView {
            data: form.data.clone(),
            views: View::ALL.into_iter().zip(form.views).filter(|(_, on)| *on).map(|(view, _)| view).collect(),
            splits: form.splits,
            bits: form.bits.clone(),
            preset: form.preset.name.clone(),
            name: form.name.clone(),
            device: form.device.clone(),
            changes: form.changes(),
        }
    }

    /// The data set in the form, as typed; empty if there is none.
    pub(in crate::tui) fn data(&self) -> &str {
        &self.form.data
    }

    /// Enters a data set into the form.
    #[expect(clippy::needless_pass_by_value, reason = "the application hands it over")]
    pub(in crate::tui) fn set_data(&mut self, data: PathBuf, shared: &SharedState) -> Vec<Effect> {
        let before = self.form.clone();
        self.editing = None;
        self.pane = Pane::Form;
        self.form.data = data.to_string_lossy().into_owned();
        // Read again even if the path is the same: its files may have changed.
        self.data.state = DataState::Unknown;
        self.after_change(&before, shared)
    }

    /// Responds to a change of the form.
    fn after_change(&mut self, before: &TrainForm, shared: &SharedState) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.start.error = None;
        self.start.doubt = None;
        self.changed = Some(shared.now);
        let images =
            |form: &TrainForm| (form.data.clone(), form.views, form.splits, form.grey_range(), form.config.seed);
        if images(before) != images(&self.form) || self.data.state == DataState::Unknown {
            effects.extend(self.read_data());
        }
        let timed = |form: &TrainForm| (as_timed(&form.config), form.device.clone());
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
        Some(Effect::Train(TrainEffect::Scan { request: self.data.request, data: self.data_request() }))
    }

    fn data_request(&self) -> DataRequest {
        DataRequest {
            root: PathBuf::from(&self.form.data),
            views: self.form.selection(),
            splits: self.form.splits,
            grey_range: self.form.grey_range(),
            seed: self.form.config.seed,
        }
    }

    /// The reason why the runs cannot be started.
    fn obstacle(&self) -> Option<String> {
        self.form.problem().or_else(|| match &self.data.state {
            DataState::Known(_) => None,
            DataState::Failed(error) => Some(error.clone()),
            DataState::Unknown | DataState::Reading => Some("the data set is still being read".to_owned()),
        })
    }

    /// Starts the training runs, or reports why they cannot be started.
    fn start(&mut self) -> Vec<Effect> {
        if self.start.pending.is_some() {
            return Vec::new();
        }
        if let Some(obstacle) = self.obstacle() {
            return vec![Effect::failed(format!("cannot start: {obstacle}"))];
        }
        if self.start.doubt.is_none()
            && let Some(doubt) = self.doubt()
        {
            self.start.doubt = Some(doubt.clone());
            return vec![Effect::Notice(Notice { text: format!("{doubt}; Ctrl-S again starts"), tone: Tone::Warning })];
        }
        let pending = self.data.state.known().map(|data| data.views.len());
        self.start = Start { pending, error: None, doubt: None };
        let form = &self.form;
        let label = if form.name.is_empty() { form.preset.name.clone() } else { form.name.clone() };
        let mut effects = Vec::new();
        // From now on the trainers need the cores.
        if self.timing.state == Timing::Running {
            self.forget_timing(&mut effects);
        }
        let request = StartRequest {
            data: self.data_request(),
            preset: self.form.preset.name.clone(),
            label,
            config: self.form.config.clone(),
            devices: self.form.devices(),
            placement: match &self.timing.state {
                Timing::Known { timing, .. } => Some(timing.placement.clone()),
                _ => None,
            },
        };
        effects.push(Effect::Train(TrainEffect::Start(Box::new(request))));
        effects
    }

    /// The first implausible value that the user has not accepted.
    fn doubt(&self) -> Option<String> {
        let is_accepted = |key: &ConfigKey| self.accepted.get(key.name) == Some(&self.form.key_text(key));
        let doubted = KEYS.iter().filter(|key| !is_accepted(key));
        doubted.filter_map(|key| implausible(key, key.value(&self.form.config))).next()
    }

    /// The runs whose steps are to be timed, once the data set is known.
    fn timing_request(&self) -> Option<TimingRequest> {
        let data = self.data.state.known()?;
        Some(TimingRequest {
            config: as_timed(&self.form.config),
            devices: self.form.devices(),
            runs: data.views.len(),
            images: data.largest_run(),
        })
    }

    fn rows(&self) -> Vec<Row> {
        fields::rows(self.filter.field.text())
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
