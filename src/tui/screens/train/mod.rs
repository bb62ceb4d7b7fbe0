//! The screen Train: a form, what will happen, and the start.

mod bindings;
mod drawing;
mod estimate_lines;
mod fields;
mod form;
mod layers;
mod outlook;
mod rows;
mod wrapped;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use drawing::Areas;
use fields::{Field, Row};
use form::TrainForm;
use outlook::{DataState, Timing, as_timed};
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::{Destination, Effect, Notice, Tone};
use crate::tui::protocol::train::{TrainEffect, TrainMessage};
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};

use crate::tui::protocol::train::SplitChoice;
use crate::tui::protocol::train::{DataRequest, StartRequest, StartedRuns};

/// How long the form rests before steps are timed for it.
const REST: TimeDelta = TimeDelta::seconds(1);

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct TrainView {
    data: String,
    /// None stands for all.
    views: Vec<View>,
    splits: SplitChoice,
    bits: String,
    preset: String,
    name: String,
    device: String,
    changes: BTreeMap<String, String>,
}

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Form,
    /// What will happen, in full.
    Outlook,
    /// The network, layer by layer.
    Layers,
}

/// A field that is being typed.
#[derive(Debug)]
struct Editing {
    field: Field,
    typed: TextField,
}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui) struct TrainScreen {
    form: TrainForm,
    list: ScrollList,
    /// The view under the cursor, within the field of views.
    view_cursor: usize,
    editing: Option<Editing>,
    filter: TextField,
    filters: bool,
    pane: Pane,
    /// Scroll positions of the other panes.
    layers: ScrollList,
    outlook: ScrollList,
    /// Lines that the outlook could begin with when it was drawn last.
    outlook_count: usize,
    data: DataState,
    scan: u64,
    timing: Timing,
    time: u64,
    changed: Option<DateTime<Utc>>,
    /// How many runs are being started.
    starting: Option<usize>,
    start_error: Option<String>,
    areas: Areas,
}

impl TrainScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(view: TrainView) -> Self {
        let mut form = TrainForm { data: view.data, splits: view.splits, name: view.name, ..TrainForm::default() };
        form.begin_with(&view.preset);
        form.apply(&view.changes);
        if !view.views.is_empty() {
            form.views = View::ALL.map(|known| view.views.contains(&known));
        }
        // What another version wrote and this one does not know is left out.
        let _ = form.put(Field::Device, &view.device);
        let _ = form.put(Field::Bits, &view.bits);
        Self { form, list: ScrollList::at(1), ..Self::default() }
    }

    /// What is to be restored.
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

    /// Takes news.
    pub(in crate::tui) fn on_message(&mut self, message: TrainMessage, model: &Model) -> Vec<Effect> {
        match message {
            TrainMessage::Scanned { request, outcome } if request == self.scan => {
                self.data = outcome.map_or_else(DataState::Failed, DataState::Known);
                Vec::new()
            }
            TrainMessage::Timed { request, outcome } if request == self.time => {
                self.timing = match outcome {
                    Ok(timing) => Timing::Known { timing, at: model.now },
                    Err(error) => Timing::Failed(error),
                };
                Vec::new()
            }
            // Of a form that is no longer so.
            TrainMessage::Scanned { .. } | TrainMessage::Timed { .. } => Vec::new(),
            TrainMessage::Started(outcome) => self.started(outcome),
        }
    }

    fn started(&mut self, outcome: Result<StartedRuns, String>) -> Vec<Effect> {
        self.starting = None;
        let (runs, failures) = match outcome {
            Ok(StartedRuns { runs, failures }) => (runs, failures.join("; ")),
            Err(error) => (Vec::new(), error),
        };
        let Some(first) = runs.first() else {
            self.start_error = Some(failures.clone());
            return vec![Effect::failed(format!("not started: {failures}"))];
        };
        let what = if runs.len() == 1 { "1 training".to_owned() } else { format!("{} trainings", runs.len()) };
        let notice = if failures.is_empty() {
            Effect::done(format!("{what} started; leaving the workbench does not end it"))
        } else {
            Effect::Notice(Notice { text: format!("{what} started, not all: {failures}"), tone: Tone::Warning })
        };
        vec![Effect::Navigate(Destination::Run(first.clone())), notice]
    }

    /// Puts a data set into the form.
    #[expect(clippy::needless_pass_by_value, reason = "the application hands it over")]
    pub(in crate::tui) fn set_data(&mut self, data: PathBuf, model: &Model) -> Vec<Effect> {
        let before = self.form.clone();
        self.editing = None;
        self.pane = Pane::Form;
        self.form.data = data.to_string_lossy().into_owned();
        // Read anew also where the path is the same: its files may have changed.
        self.data = DataState::Unknown;
        self.after_change(&before, model)
    }

    /// What follows from a change of the form.
    fn after_change(&mut self, before: &TrainForm, model: &Model) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.start_error = None;
        self.changed = Some(model.now);
        let images =
            |form: &TrainForm| (form.data.clone(), form.views, form.splits, form.grey_range(), form.config.seed);
        if images(before) != images(&self.form) || self.data == DataState::Unknown {
            effects.extend(self.read_data());
        }
        let timed = |form: &TrainForm| (as_timed(&form.config), form.device.clone());
        if timed(before) != timed(&self.form) {
            self.forget_timing(&mut effects);
        }
        effects
    }

    fn forget_timing(&mut self, effects: &mut Vec<Effect>) {
        if self.timing == Timing::Running {
            effects.push(Effect::Train(TrainEffect::CancelTiming));
        }
        self.timing = Timing::Unknown;
        self.time += 1;
    }

    /// Asks for what the data set gives, where the form says enough.
    fn read_data(&mut self) -> Option<Effect> {
        self.scan += 1;
        self.data = DataState::Unknown;
        if self.form.data.is_empty() || self.form.views == [false; 4] {
            return None;
        }
        self.data = DataState::Reading;
        Some(Effect::Train(TrainEffect::Scan { request: self.scan, data: self.data_request() }))
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

    /// What stands in the way of a start.
    fn obstacle(&self) -> Option<String> {
        self.form.problem().or_else(|| match &self.data {
            DataState::Known(_) => None,
            DataState::Failed(error) => Some(error.clone()),
            DataState::Unknown | DataState::Reading => Some("the data set is still being read".to_owned()),
        })
    }

    /// Starts the training, or says what stands in the way.
    fn start(&mut self) -> Vec<Effect> {
        if self.starting.is_some() {
            return Vec::new();
        }
        if let Some(obstacle) = self.obstacle() {
            return vec![Effect::failed(format!("cannot start: {obstacle}"))];
        }
        self.starting = self.data.known().map(|data| data.views.len());
        self.start_error = None;
        let form = &self.form;
        let label = if form.name.is_empty() { form.preset.name.clone() } else { form.name.clone() };
        let mut effects = Vec::new();
        // The trainers have the cores from here on.
        if self.timing == Timing::Running {
            self.forget_timing(&mut effects);
        }
        let request = StartRequest {
            data: self.data_request(),
            preset: self.form.preset.name.clone(),
            label,
            config: self.form.config.clone(),
            devices: self.form.devices(),
        };
        effects.push(Effect::Train(TrainEffect::Start(Box::new(request))));
        effects
    }

    /// Where steps are timed: on the first of several devices.
    fn timed_device(&self) -> DeviceChoice {
        match self.form.devices() {
            DeviceList::Named(devices) => devices.first().copied().unwrap_or_default(),
            DeviceList::AllCuda => DeviceChoice::Cuda(0),
        }
    }

    fn rows(&self) -> Vec<Row> {
        fields::rows(self.filter.text())
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
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        match (self.pane, &self.editing) {
            (Pane::Form, Some(_)) => bindings::EDITING,
            (Pane::Form, None) => bindings::FORM,
            (Pane::Outlook | Pane::Layers, _) => bindings::READING,
        }
    }

    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect> {
        let Action::Train(action) = action else { return Vec::new() };
        self.do_action(action, model)
    }

    fn type_key(&mut self, key: Key, model: &Model) -> Option<Vec<Effect>> {
        if self.pane != Pane::Form {
            return None;
        }
        if self.editing.is_some() {
            return Some(self.type_into_field(key, model));
        }
        if self.filters {
            return self.type_into_filter(key).then(Vec::new);
        }
        None
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Effect> {
        if let Some(editing) = &mut self.editing {
            editing.typed.paste(text);
        } else if self.filters {
            self.filter.paste(text);
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        match mouse.kind {
            MouseKind::WheelDown => self.scroll(2, mouse),
            MouseKind::WheelUp => self.scroll(-2, mouse),
            MouseKind::Press => return self.click(mouse, model),
            MouseKind::Drag | MouseKind::Release => {}
        }
        Vec::new()
    }

    fn enter(&mut self, _model: &Model) -> Vec<Effect> {
        let unread = self.data == DataState::Unknown;
        if unread { self.read_data().into_iter().collect() } else { Vec::new() }
    }

    fn tick(&mut self, model: &Model) -> Vec<Effect> {
        let rests = self.changed.is_none_or(|changed| model.now - changed >= REST);
        let wanted = self.timing == Timing::Unknown && self.editing.is_none() && self.starting.is_none();
        if !rests || !wanted || self.obstacle().is_some() {
            return Vec::new();
        }
        self.timing = Timing::Running;
        let (request, config) = (self.time, as_timed(&self.form.config));
        vec![Effect::Train(TrainEffect::Time { request, config, device: self.timed_device() })]
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        self.draw_all(frame, area, model);
    }
}

#[cfg(test)]
mod tests;
