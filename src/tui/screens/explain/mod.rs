//! The screen Explain: where the network looks in an image, in a picture and in figures.

mod keys;
mod models;
#[cfg(test)]
mod painted_tests;
mod settings;
mod steering;
#[cfg(test)]
mod tests;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};
use settings::{ClassChoice, Settings};

use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{ExplainEffect, ExplainMessage};
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace, TILES};
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_dir::RunDir;

use crate::tui::protocol::explain::ExplainAction;
use crate::tui::protocol::explain::{ExplainList, ExplainSample, MapRequest, MappedImage, ModelSource};

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct ExplainView {
    settings: Settings,
    source: Option<ModelSource>,
}

/// A map that was asked for, and what came.
#[derive(Debug)]
struct Answer {
    request: MapRequest,
    outcome: Result<Arc<MappedImage>, String>,
}

/// The screen.
#[derive(Debug)]
pub(in crate::tui) struct ExplainScreen {
    settings: Settings,
    /// The models; `None` before any was chosen or found.
    source: Option<ModelSource>,
    list: Option<ExplainList>,
    /// Whether a run that explains is being trained.
    follows: bool,
    /// What was asked for last.
    asked: Vec<MapRequest>,
    /// What came of it.
    answers: Vec<Answer>,
    /// Folders with models; `None` before they were looked for.
    folders: Option<Vec<PathBuf>>,
    /// The list of models, while one chooses.
    chooser: Option<ScrollList>,
    tiles: [PictureView; TILES],
}

impl ExplainScreen {
    /// The screen as it was left.
    pub(in crate::tui) fn new(view: ExplainView) -> Self {
        Self {
            settings: view.settings,
            source: view.source,
            list: None,
            follows: false,
            asked: Vec::new(),
            answers: Vec::new(),
            folders: None,
            chooser: None,
            tiles: std::array::from_fn(|tile| PictureView::new(PicturePlace::Tile(tile as u8))),
        }
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> ExplainView {
        ExplainView { settings: self.settings, source: self.source.clone() }
    }

    /// Takes images in.
    pub(in crate::tui) fn open(&mut self, mut list: ExplainList, model: &Model) -> Vec<Effect> {
        list.position = list.position.min(list.samples.len().saturating_sub(1));
        if let Some(source) = list.source.take() {
            self.source = Some(source);
        }
        self.list = Some(list).filter(|list| !list.samples.is_empty());
        self.chooser = None;
        let mut effects = self.find_models();
        effects.extend(self.ask(model));
        effects.push(Effect::SaveView);
        effects
    }

    /// Takes news.
    pub(in crate::tui) fn on_message(&mut self, message: ExplainMessage, model: &Model) -> Vec<Effect> {
        match message {
            ExplainMessage::Mapped { request, outcome } if self.asked.contains(&request) => {
                self.answers.retain(|answer| answer.request != request && self.asked.contains(&answer.request));
                self.answers.push(Answer { request, outcome });
                Vec::new()
            }
            // Of something that is no longer looked at.
            ExplainMessage::Mapped { .. } => Vec::new(),
            ExplainMessage::Models(found) => {
                self.folders = Some(found);
                self.ask(model)
            }
            ExplainMessage::Exported(Ok(folder)) => {
                vec![Effect::done(format!("map and pictures written to {}", printable_path(&folder)))]
            }
            ExplainMessage::Exported(Err(problem)) => vec![Effect::failed(problem)],
        }
    }

    /// Takes a picture.
    pub(in crate::tui) fn on_picture(&mut self, message: &PictureMessage) {
        for tile in &mut self.tiles {
            tile.on_message(message);
        }
    }

    /// What its pictures want since they were drawn last.
    pub(in crate::tui) fn take_wanted(&mut self) -> Vec<Effect> {
        self.tiles.iter_mut().filter_map(PictureView::take_wanted).collect()
    }

    /// Its pictures.
    pub(in crate::tui) fn pictures(&mut self) -> impl Iterator<Item = &mut PictureView> {
        self.tiles.iter_mut()
    }

    fn sample(&self) -> Option<&ExplainSample> {
        let list = self.list.as_ref()?;
        list.samples.get(list.position)
    }

    /// The images on screen: the one that is chosen, or all views of its examination.
    fn on_screen(&self) -> Vec<&ExplainSample> {
        self.sample().map_or_else(Vec::new, |sample| self.beside(sample))
    }

    /// An image, or all views of its examination where they are shown.
    fn beside<'a>(&'a self, sample: &'a ExplainSample) -> Vec<&'a ExplainSample> {
        let Some(list) = &self.list else { return Vec::new() };
        if !self.settings.grid || sample.examination.is_empty() {
            return vec![sample];
        }
        let mut views: Vec<&ExplainSample> = Vec::new();
        for view in View::ALL {
            let is_it = |other: &&ExplainSample| other.view == Some(view) && other.examination == sample.examination;
            let own = Some(sample).filter(|own| own.view == Some(view));
            views.extend(own.or_else(|| list.views.iter().chain(&list.samples).find(is_it)));
        }
        if views.is_empty() { vec![sample] } else { views }
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
            // What does not depend on the layer is asked for but once.
            layer: if method.is_of_layer() { self.settings.layer } else { ExplainedLayer::LAST },
            class,
            follow: self.follows,
        })
    }

    /// Asks for what is on screen now, if it was not asked for yet.
    fn ask(&mut self, model: &Model) -> Vec<Effect> {
        if self.source.is_none() {
            self.source = self.first_source(model);
        }
        let is_at_work = |run: &RunDir| model.runs.at_work().any(|row| row.run == *run);
        self.follows = matches!(&self.source, Some(ModelSource::Runs(runs)) if runs.iter().any(is_at_work));
        let shown: Vec<_> = self.on_screen().into_iter().filter_map(|sample| self.request(sample)).collect();
        if shown.is_empty() || shown == self.asked {
            return Vec::new();
        }
        self.asked.clone_from(&shown);
        self.show_again(shown)
    }

    /// Asks again for what could not be had.
    fn retry(&mut self, model: &Model) -> Vec<Effect> {
        if self.answers.iter().any(|answer| answer.outcome.is_err()) {
            self.answers.retain(|answer| answer.outcome.is_ok());
            self.asked.clear();
        }
        self.ask(model)
    }

    /// Whether all that was asked for is there.
    fn is_answered(&self) -> bool {
        let answered = |request: &MapRequest| self.answers.iter().any(|answer| answer.request == *request);
        !self.asked.is_empty() && self.asked.iter().all(answered)
    }

    fn show_again(&self, shown: Vec<MapRequest>) -> Vec<Effect> {
        let ahead = self.next_samples().into_iter().filter_map(|sample| self.request(sample));
        let ahead = ahead.filter(|request| !shown.contains(request)).collect();
        vec![Effect::Explain(ExplainEffect::Show { shown, ahead })]
    }

    /// The images that will probably be looked at next: those around, or the views of the next examination.
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

    /// What came of the map of an image.
    fn answer(&self, sample: &ExplainSample) -> Option<&Result<Arc<MappedImage>, String>> {
        let request = self.request(sample)?;
        self.answers.iter().find(|answer| answer.request == request).map(|answer| &answer.outcome)
    }
}

impl Screen for ExplainScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        match (&self.chooser, &self.list) {
            (Some(_), _) => keys::MODELS,
            (None, Some(_)) => keys::IMAGES,
            (None, None) => keys::EMPTY,
        }
    }

    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect> {
        let Action::Explain(action) = action else { return Vec::new() };
        self.act_here(action, model)
    }

    fn mouse(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        let action = match mouse.kind {
            MouseKind::WheelDown if self.chooser.is_some() => ExplainAction::Down,
            MouseKind::WheelUp if self.chooser.is_some() => ExplainAction::Up,
            MouseKind::WheelDown => ExplainAction::Next,
            MouseKind::WheelUp => ExplainAction::Previous,
            MouseKind::Press => return self.click(mouse, model),
            MouseKind::Drag | MouseKind::Release => return Vec::new(),
        };
        self.act_here(action, model)
    }

    fn enter(&mut self, model: &Model) -> Vec<Effect> {
        let mut effects = self.find_models();
        effects.extend(self.retry(model));
        effects
    }

    fn tick(&mut self, model: &Model) -> Vec<Effect> {
        // A training that is over has come to its best model.
        let effects = self.ask(model);
        if effects.is_empty() && self.follows && self.is_answered() {
            // It writes other checkpoints while it runs.
            return self.show_again(self.asked.clone());
        }
        effects
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        self.draw_screen(frame, area, model);
    }
}
