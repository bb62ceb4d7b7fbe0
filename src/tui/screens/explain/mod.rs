//! The screen Explain: explanation maps of images, as pictures and as scores.

mod color_bar;
mod keys;
mod messages;
mod models;
#[cfg(test)]
mod painted_tests;
#[cfg(test)]
mod place_tests;
mod restored;
mod scores_view;
mod settings;
#[cfg(test)]
mod tests;
mod update;
mod verdict_view;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};
use settings::{ClassChoice, Settings};

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{
    ExplainAction, ExplainEffect, ExplainList, ExplainSample, MapRequest, MappedImage, ModelSource,
};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::{PicturePlace, TILES};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::path_field::PathField;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::window_field::WindowField;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

/// The saved state of the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct ExplainView {
    settings: Settings,
    source: Option<ModelSource>,
    /// The images, or those around the one that is shown.
    list: Option<ExplainList>,
}

/// The answer to a request for a map.
#[derive(Debug)]
struct Answer {
    request: MapRequest,
    outcome: Result<Arc<MappedImage>, Failure>,
}

/// The state of a map.
#[derive(Clone, Debug)]
enum MapState {
    Pending,
    Ready(Arc<MappedImage>),
    Failed(Failure),
}

impl MapState {
    fn ready(&self) -> Option<&Arc<MappedImage>> {
        if let Self::Ready(mapped) = self { Some(mapped) } else { None }
    }
}

#[derive(Debug)]
pub(in crate::tui) struct ExplainScreen {
    settings: Settings,
    /// The models; `None` until some were chosen or found.
    source: Option<ModelSource>,
    list: Option<ExplainList>,
    /// True while the list is that of the last session, whose files have not been looked for.
    is_restored: bool,
    /// True while one of the runs that provide the models is being trained.
    follows: bool,
    /// The latest requests.
    requested: Vec<MapRequest>,
    answers: Vec<Answer>,
    /// Folders with models; `None` before the search.
    folders: Option<Vec<PathBuf>>,
    /// The list of models, while it is open.
    chooser: Option<ScrollList>,
    tiles: [PictureView; TILES],
    /// The field for the path of a model, while it is open.
    path_field: Option<PathField>,
    /// The line for typing a grey window, while it is open.
    window_field: Option<WindowField>,
}

impl ExplainScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: ExplainView) -> Self {
        Self {
            settings: view.settings,
            source: view.source,
            is_restored: view.list.is_some(),
            list: view.list.filter(|list| list.position < list.samples.len()),
            follows: false,
            requested: Vec::new(),
            answers: Vec::new(),
            folders: None,
            chooser: None,
            tiles: std::array::from_fn(|tile| PictureView::new(PicturePlace::Tile(tile as u8))),
            path_field: None,
            window_field: None,
        }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> ExplainView {
        let list = self.list.as_ref().map(restored::saved);
        ExplainView { settings: self.settings, source: self.source.clone(), list }
    }

    /// Opens a list of images.
    pub(in crate::tui) fn open(&mut self, mut list: ExplainList, shared: &SharedState) -> Vec<Effect> {
        list.position = list.position.min(list.samples.len().saturating_sub(1));
        if let Some(source) = list.source.take() {
            self.source = Some(source);
        }
        self.is_restored = false;
        self.list = Some(list).filter(|list| !list.samples.is_empty());
        self.chooser = None;
        let mut effects = self.find_models();
        effects.extend(self.request_shown(shared));
        effects.push(Effect::SaveView);
        effects
    }

    fn sample(&self) -> Option<&ExplainSample> {
        let list = self.list.as_ref()?;
        list.samples.get(list.position)
    }

    /// The images on screen: the selected one, or all views of its examination.
    fn on_screen(&self) -> Vec<&ExplainSample> {
        self.sample().map_or_else(Vec::new, |sample| self.beside(sample))
    }

    /// An image, or all views of its examination if these are shown.
    fn beside<'a>(&'a self, sample: &'a ExplainSample) -> Vec<&'a ExplainSample> {
        let Some(list) = &self.list else { return Vec::new() };
        if !self.settings.grid || sample.examination.is_empty() {
            return vec![sample];
        }
        let views: Vec<&ExplainSample> = Self::views_beside(list, sample).into_iter().flatten().collect();
        if views.is_empty() { vec![sample] } else { views }
    }

    /// The images of the four views of an image's examination.
    fn views_beside<'a>(list: &'a ExplainList, sample: &'a ExplainSample) -> [Option<&'a ExplainSample>; 4] {
        View::ALL.map(|view| {
            let is_it = |other: &&ExplainSample| other.view == Some(view) && other.examination == sample.examination;
            let own = Some(sample).filter(|own| own.view == Some(view));
            own.or_else(|| list.views.iter().chain(&list.samples).find(is_it))
        })
    }

    /// True if the views of the examination are shown in place of the image.
    fn is_hanging(&self) -> bool {
        self.settings.grid
            && self.sample().is_some_and(|sample| !sample.examination.is_empty() && sample.view.is_some())
    }

    /// The four views of the selected image's examination.
    fn hung_views(&self) -> [Option<&ExplainSample>; 4] {
        match (&self.list, self.sample()) {
            (Some(list), Some(sample)) => Self::views_beside(list, sample),
            _ => [None; 4],
        }
    }

    fn request(&self, sample: &ExplainSample) -> Option<MapRequest> {
        let class = match self.settings.class {
            ClassChoice::Predicted => None,
            ClassChoice::True => sample.label,
            ClassChoice::Class(class) => Some(class),
        };
        let method = self.settings.method;
        Some(MapRequest {
            sample: sample.path.clone(),
            view: sample.view,
            source: self.source.clone()?,
            method,
            // A method that does not depend on the layer is requested only once.
            layer: if method.is_of_layer() { self.settings.layer } else { ExplainedLayer::LAST },
            class,
            follow: self.follows,
        })
    }

    /// Requests the maps on screen if they were not requested yet.
    fn request_shown(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.source.is_none() {
            self.source = self.first_source(shared);
        }
        let is_active = |run: &RunDir| shared.runs.active().any(|row| row.run == *run);
        self.follows = matches!(&self.source, Some(ModelSource::Runs(runs)) if runs.iter().any(is_active));
        let shown: Vec<_> = self.on_screen().into_iter().filter_map(|sample| self.request(sample)).collect();
        if shown.is_empty() || shown == self.requested {
            return Vec::new();
        }
        self.requested.clone_from(&shown);
        self.request_again(shown)
    }

    /// Requests the failed maps again.
    fn retry(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.answers.iter().any(|answer| answer.outcome.is_err()) {
            self.answers.retain(|answer| answer.outcome.is_ok());
            self.requested.clear();
        }
        self.request_shown(shared)
    }

    /// True if all requested maps were answered.
    fn is_answered(&self) -> bool {
        let answered = |request: &MapRequest| self.answers.iter().any(|answer| answer.request == *request);
        !self.requested.is_empty() && self.requested.iter().all(answered)
    }

    fn request_again(&self, shown: Vec<MapRequest>) -> Vec<Effect> {
        let ahead = self.next_samples().into_iter().filter_map(|sample| self.request(sample));
        let ahead = ahead.filter(|request| !shown.contains(request)).collect();
        vec![Effect::Explain(ExplainEffect::Show { shown, ahead })]
    }

    /// The images that will probably be shown next: those around, or the views of the next examination.
    fn next_samples(&self) -> Vec<&ExplainSample> {
        let Some(list) = &self.list else { return Vec::new() };
        let at = list.position;
        if self.settings.grid {
            let is_other = |sample: &&ExplainSample| sample.examination != list.samples[at].examination;
            let next = list.samples.iter().skip(at + 1).find(is_other);
            return next.map_or_else(Vec::new, |sample| self.beside(sample));
        }
        let places = [at.checked_add(1), at.checked_sub(1), at.checked_add(2)];
        places.into_iter().flatten().filter_map(|at| list.samples.get(at)).collect()
    }

    /// The state of an image's map.
    fn map_state(&self, sample: &ExplainSample) -> MapState {
        let Some(request) = self.request(sample) else { return MapState::Pending };
        match self.answers.iter().find(|answer| answer.request == request).map(|answer| &answer.outcome) {
            Some(Ok(mapped)) => MapState::Ready(Arc::clone(mapped)),
            Some(Err(failure)) => MapState::Failed(failure.clone()),
            None => MapState::Pending,
        }
    }
}

impl Screen for ExplainScreen {
    fn bindings(&self, _model: &SharedState) -> KeyTables {
        match (&self.chooser, &self.list) {
            (Some(_), _) => keys::MODELS,
            (None, Some(_)) => keys::IMAGES,
            (None, None) => keys::EMPTY,
        }
    }

    fn states(&self) -> &'static [StateTables] {
        keys::STATES
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        let Action::Explain(action) = action else { return Vec::new() };
        self.update(action, shared)
    }

    fn move_cursor(&mut self, motion: ListMotion, shared: &SharedState) -> Vec<Effect> {
        let length = self.choices(shared).len();
        if let Some(list) = &mut self.chooser {
            list.move_by(motion, length);
        }
        Vec::new()
    }

    fn type_key(&mut self, key: Key, shared: &SharedState) -> Option<Vec<Effect>> {
        if let Some(field) = &mut self.path_field {
            let pressed = field.press(key);
            return Some(self.after_path_key(pressed));
        }
        if let Some(outcome) = WindowField::press_open(&mut self.window_field, key) {
            return Some(outcome.chosen().map(Effect::Window).into_iter().collect());
        }
        (self.chooser.is_none() && self.arrow(key, shared)).then(Vec::new)
    }

    fn paste(&mut self, text: &str, _model: &SharedState) -> Vec<Effect> {
        if let Some(field) = &mut self.path_field {
            let pasted = field.paste(text);
            return self.after_path_key(pasted);
        }
        if let Some(field) = &mut self.window_field {
            field.paste(text);
        }
        Vec::new()
    }

    fn pictures_mut(&mut self) -> &mut [PictureView] {
        &mut self.tiles
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if let Some(field) = &mut self.path_field {
            let clicked = field.mouse(mouse);
            return self.after_path_key(clicked);
        }
        if self.chooser.is_none()
            && let Some(at) = (0..TILES).find(|&at| self.tiles[at].mouse(mouse))
        {
            self.follow_tile(at);
            return Vec::new();
        }
        let action = match mouse.kind {
            MouseKind::WheelDown if self.chooser.is_some() => return self.move_cursor(ListMotion::Down, shared),
            MouseKind::WheelUp if self.chooser.is_some() => return self.move_cursor(ListMotion::Up, shared),
            MouseKind::WheelDown => ExplainAction::Next,
            MouseKind::WheelUp => ExplainAction::Previous,
            MouseKind::Press => return self.click(mouse, shared),
            MouseKind::Drag | MouseKind::Release => return Vec::new(),
        };
        self.update(action, shared)
    }

    fn enter(&mut self, shared: &SharedState) -> Vec<Effect> {
        let mut effects = self.find_models();
        effects.extend(self.look_for_images());
        effects.extend(self.retry(shared));
        effects
    }

    fn tick(&mut self, shared: &SharedState) -> Vec<Effect> {
        // When training ends, the best model takes over.
        let effects = self.request_shown(shared);
        if effects.is_empty() && self.follows && self.is_answered() {
            // The run may have written another checkpoint.
            return self.request_again(self.requested.clone());
        }
        effects
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.draw_screen(frame, area, shared);
        if let Some(field) = &mut self.path_field {
            field.draw(frame, area, shared);
        }
    }
}
