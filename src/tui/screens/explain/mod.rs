//! The screen Explain: explanation maps of images, as pictures and as scores.

mod color_bar;
mod compared_view;
#[cfg(test)]
mod comparison_tests;
mod epochs;
#[cfg(test)]
mod epochs_tests;
mod epochs_view;
mod keys;
mod messages;
mod models;
#[cfg(test)]
mod painted_tests;
#[cfg(test)]
mod place_tests;
mod requests;
mod restored;
mod scores_view;
mod settings;
mod sides;
#[cfg(test)]
mod tests;
mod update;
mod verdict_view;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use epochs::KeptEpochs;
use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};
use settings::Settings;
use sides::Side;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{ExplainAction, ExplainEffect, ExplainList, MapRequest, MappedImage, ModelSource};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::{PicturePlace, TILES};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::path_field::PathField;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::window_field::WindowField;

/// The saved state of the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct ExplainView {
    settings: Settings,
    source: Option<ModelSource>,
    /// The models that they are compared with.
    second: Option<ModelSource>,
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
    /// The models whose maps are beside those of the first.
    second: Option<ModelSource>,
    list: Option<ExplainList>,
    /// The epochs of the first models whose models are kept.
    kept: KeptEpochs,
    /// True while list and models are those of the last session, which have not been looked at.
    is_restored: bool,
    /// True for the side of models of which one is being trained.
    follows: [bool; 2],
    /// The latest requests.
    requested: Vec<MapRequest>,
    answers: Vec<Answer>,
    /// Folders with models; `None` before the search.
    folders: Option<Vec<PathBuf>>,
    /// The list of models, while it is open.
    chooser: Option<ScrollList>,
    /// The side that the list of models is for.
    chooses: Side,
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
            second: view.second,
            kept: KeptEpochs::default(),
            is_restored: true,
            list: view.list.filter(|list| list.position < list.samples.len()),
            follows: [false; 2],
            requested: Vec::new(),
            answers: Vec::new(),
            folders: None,
            chooser: None,
            chooses: Side::Left,
            tiles: std::array::from_fn(|tile| PictureView::new(PicturePlace::Tile(tile as u8))),
            path_field: None,
            window_field: None,
        }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> ExplainView {
        let list = self.list.as_ref().map(restored::saved);
        ExplainView { settings: self.settings, source: self.source.clone(), second: self.second.clone(), list }
    }

    /// Opens a list of images.
    pub(in crate::tui) fn open(&mut self, mut list: ExplainList, shared: &SharedState) -> Vec<Effect> {
        self.take_restored(shared);
        list.position = list.position.min(list.samples.len().saturating_sub(1));
        if let Some(source) = list.source.take() {
            self.source = Some(source);
            self.second = list.second.take();
        }
        self.list = Some(list).filter(|list| !list.samples.is_empty());
        self.chooser = None;
        let mut effects = self.find_models();
        effects.extend(self.request_shown(shared));
        effects.push(Effect::SaveView);
        effects
    }
}

impl Screen for ExplainScreen {
    fn bindings(&self, _model: &SharedState) -> KeyTables {
        match (&self.chooser, &self.list) {
            (Some(_), _) => keys::MODELS,
            (None, Some(_)) if self.epochs_on_screen().is_empty() => keys::IMAGES,
            (None, Some(_)) => keys::IMAGES_OF_EPOCHS,
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
        effects.extend(self.look_for_images(shared));
        effects.extend(self.retry(shared));
        effects
    }

    fn tick(&mut self, shared: &SharedState) -> Vec<Effect> {
        // When training ends, the best model takes over.
        let mut effects: Vec<Effect> = self.look_for_later_epochs(shared).into_iter().collect();
        effects.extend(self.request_shown(shared));
        let follows = self.requested.iter().any(|request| request.follow);
        if requests_nothing(&effects) && follows && self.is_answered() {
            // The run may have written another checkpoint.
            effects.extend(self.request_again(self.requested.clone()));
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

/// True if no effect asks for maps.
fn requests_nothing(effects: &[Effect]) -> bool {
    !effects.iter().any(|effect| matches!(effect, Effect::Explain(ExplainEffect::Show { .. })))
}
