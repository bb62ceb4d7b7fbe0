//! The screen Explain's response to actions and the mouse.

use std::path::{Path, PathBuf};

use super::sides::Side;
use super::{ExplainScreen, MapState};
use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::explain::{ExplainAction, ExplainEffect, ExplainSample, ModelSource};
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::verb::Verb;
use crate::tui::protocol::viewer::{ImageList, ListedImage};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::window_field::WindowField;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::map_look::MapLook;
use mammoscope_imaging::overlay::MapScale;

impl ExplainScreen {
    pub(super) fn update(&mut self, action: ExplainAction, shared: &SharedState) -> Vec<Effect> {
        let far = isize::MAX / 2;
        match action {
            ExplainAction::Next => self.step(1),
            ExplainAction::Previous => self.step(-1),
            ExplainAction::TenForward => self.step(10),
            ExplainAction::TenBack => self.step(-10),
            ExplainAction::First => self.step(-far),
            ExplainAction::Last => self.step(far),
            ExplainAction::Arrangement => self.settings.next_arrangement(),
            ExplainAction::MoreOpacity => self.settings.more_opacity(1),
            ExplainAction::LessOpacity => self.settings.more_opacity(-1),
            ExplainAction::Outlines => self.settings.next_outlines(),
            ExplainAction::Method => self.settings.next_method(1),
            ExplainAction::PreviousMethod => self.settings.next_method(-1),
            ExplainAction::Layer => self.settings.next_layer(1),
            ExplainAction::PreviousLayer => self.settings.next_layer(-1),
            ExplainAction::Class => self.settings.next_class(1),
            ExplainAction::PreviousClass => self.settings.next_class(-1),
            ExplainAction::EarlierEpoch => self.step_epoch(false),
            ExplainAction::LaterEpoch => self.step_epoch(true),
            ExplainAction::Cells => self.settings.map_look = MapLook::Cells,
            ExplainAction::Smooth => self.settings.map_look = MapLook::Smooth,
            ExplainAction::Picture(action) => return self.act_on_picture(action, shared),
            ExplainAction::Colors => self.settings.next_colors(),
            ExplainAction::Scale => return self.toggle_fixed_scale(),
            ExplainAction::Grid => return self.toggle_grid(shared),
            ExplainAction::Models => {
                self.chooses = Side::Left;
                self.chooser = Some(self.list_of_models(shared));
            }
            ExplainAction::Compare => return self.compare(shared),
            ExplainAction::TypeModels => return self.ask_models(shared),
            ExplainAction::FullScreen => return self.full_screen(),
            ExplainAction::Export => return self.export(),
            ExplainAction::Copy => return self.copy(shared),
            ExplainAction::Retry => return self.retry(shared),
            ExplainAction::Back => {
                if self.chooser.take().is_none() {
                    if self.tiles.iter().any(|tile| tile.is_zoomed() || tile.has_cursor()) {
                        self.tiles.iter_mut().for_each(PictureView::reset);
                        return Vec::new();
                    }
                    let from = self.list.as_ref().map_or(ScreenId::Datasets, |list| list.from);
                    return vec![Effect::Navigate(Destination::Screen(from))];
                }
            }
            ExplainAction::Choose => {
                let chosen = self.chooser.and_then(|list| self.choices(shared).into_iter().nth(list.cursor));
                if let Some(choice) = chosen {
                    let refused = self.use_models(choice.source);
                    if !refused.is_empty() {
                        return refused;
                    }
                }
            }
            ExplainAction::ToDatasets => return vec![Effect::Navigate(Destination::Screen(ScreenId::Datasets))],
            ExplainAction::ToEvaluate => return vec![Effect::Navigate(Destination::Screen(ScreenId::Evaluate))],
        }
        let mut effects = self.request_shown(shared);
        effects.push(Effect::SaveView);
        effects
    }

    fn act_on_picture(&mut self, action: PictureAction, shared: &SharedState) -> Vec<Effect> {
        let action = if self.tiles[self.leader()].resets_window(action) { PictureAction::ResetWindow } else { action };
        if let Some(window) = action.window(shared.window) {
            return vec![Effect::Window(window)];
        }
        if action == PictureAction::TypeWindow {
            let in_use = self.sample().and_then(|sample| self.tiles[0].facts(&sample.path)?.window);
            self.window_field = Some(WindowField::new(in_use));
        } else {
            let leader = self.leader();
            self.tiles[leader].act(action);
            self.follow_tile(leader);
        }
        Vec::new()
    }

    /// The tile that leads the others: the first that shows an image.
    fn leader(&self) -> usize {
        if self.is_hanging() { self.hung_views().iter().position(Option::is_some).unwrap_or(0) } else { 0 }
    }

    /// Shows the same part in all pictures, mirrored in those of the other breast.
    pub(super) fn follow_tile(&mut self, leader: usize) {
        let zoom = self.tiles[leader].zoom();
        let is_hanging = self.is_hanging();
        for (at, tile) in self.tiles.iter_mut().enumerate().filter(|(at, _)| *at != leader) {
            tile.follow(zoom, is_hanging && View::ALL[at].side() != View::ALL[leader].side());
        }
    }

    /// True if the arrows belong to the pictures: they are magnified or have a crosshair.
    pub(super) fn arrow(&mut self, key: Key, shared: &SharedState) -> bool {
        let Some((across, down)) = shared.keymap.verb_of(key).and_then(Verb::direction) else { return false };
        let leader = self.leader();
        let is_taken = self.tiles[leader].arrow(across, down);
        self.follow_tile(leader);
        is_taken
    }

    fn step(&mut self, images: isize) {
        if let Some(list) = &mut self.list {
            list.position = list.position.saturating_add_signed(images).min(list.samples.len().saturating_sub(1));
        }
    }

    /// The list of models with the cursor on those in use.
    fn list_of_models(&self, shared: &SharedState) -> ScrollList {
        let source = self.source.as_ref();
        ScrollList::at(self.choices(shared).iter().position(|choice| Some(&choice.source) == source).unwrap_or(0))
    }

    /// Fixes the scale to that of the map on screen, or drops a fixed scale.
    fn toggle_fixed_scale(&mut self) -> Vec<Effect> {
        if self.settings.full.take().is_some() {
            return vec![Effect::neutral("each map has its own scale"), Effect::SaveView];
        }
        let state = self.sample().map_or(MapState::Pending, |sample| self.map_state(sample));
        let Some(largest) = state.ready().and_then(|mapped| MapScale::largest(&mapped.image.map)) else {
            return vec![warning("there is no map on screen to take the scale from")];
        };
        self.settings.full = Some(largest);
        vec![Effect::neutral(format!("full colour is now {largest:.3} for all maps")), Effect::SaveView]
    }

    fn toggle_grid(&mut self, shared: &SharedState) -> Vec<Effect> {
        self.settings.grid = !self.settings.grid;
        let mut effects = self.request_shown(shared);
        if self.settings.grid && self.on_screen().len() < 2 {
            effects.push(warning("no other view of this examination is known"));
        }
        if self.settings.grid && self.second.is_some() {
            effects.push(Effect::neutral("four views leave room for one model, the left one"));
        }
        effects.push(Effect::SaveView);
        effects
    }

    fn full_screen(&self) -> Vec<Effect> {
        let Some(list) = &self.list else { return Vec::new() };
        let images =
            list.samples.iter().map(|sample| ListedImage { path: sample.path.clone(), caption: caption(sample) });
        let images = ImageList { title: list.title.clone(), images: images.collect(), position: list.position };
        vec![Effect::Navigate(Destination::Viewer(images))]
    }

    fn copy(&self, shared: &SharedState) -> Vec<Effect> {
        let path = match self.chooser {
            Some(list) => self.choices(shared).into_iter().nth(list.cursor).and_then(|choice| match choice.source {
                ModelSource::Runs(runs) => runs.first().map(|run| run.path().to_owned()),
                ModelSource::Files(path) => Some(path),
            }),
            None => self.sample().map(|sample| sample.path.clone()),
        };
        path.map(|path| Effect::Copy(path.to_string_lossy().into_owned())).into_iter().collect()
    }

    fn export(&self) -> Vec<Effect> {
        let (mut images, mut missing) = (Vec::new(), None);
        let sides = self.sides();
        let shown = self.on_screen().into_iter().flat_map(|sample| sides.iter().map(move |side| (sample, *side)));
        for (sample, side) in shown {
            match self.map_state_of(sample, side) {
                MapState::Ready(image) => {
                    let mut name = sample.path.clone();
                    if sides.len() > 1 {
                        name = with_suffix(&name, side.name());
                    }
                    if let Some(epoch) = self.kept.shown.filter(|_| side == Side::Left) {
                        name = with_suffix(&name, &format!("epoch-{epoch:03}"));
                    }
                    images.push((name, image));
                }
                MapState::Failed(_) => missing = missing.or(Some("there is no map to write")),
                MapState::Pending => missing = Some("the map is not ready yet"),
            }
        }
        let mut effects: Vec<Effect> = missing.map(warning).into_iter().collect();
        if !images.is_empty() {
            effects.push(Effect::Explain(ExplainEffect::Export { images, painting: self.settings.painting() }));
        }
        effects
    }

    /// Chooses models by a click.
    pub(super) fn click(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        let length = self.choices(shared).len();
        let Some(list) = &mut self.chooser else { return Vec::new() };
        let Some(row) = list.row_at(mouse, length) else { return Vec::new() };
        list.cursor = row;
        self.update(ExplainAction::Choose, shared)
    }
}

/// The name of an image's file with a suffix behind its stem: `145_1_C_CC_R-left.png`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{suffix}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// A caption such as `subject 145 exam 1 · CC_R · true C`.
pub(super) fn caption(sample: &ExplainSample) -> String {
    let mut parts = Vec::new();
    if !sample.examination.is_empty() {
        parts.push(format!("subject {}", sample.examination));
    }
    parts.extend(sample.view.map(|view| view.to_string()));
    parts.extend(sample.label.map(|label| format!("true {label}")));
    parts.join(" · ")
}

pub(super) fn warning(text: &str) -> Effect {
    Effect::warning(text)
}
