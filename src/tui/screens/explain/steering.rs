//! What keys and the mouse do on the screen Explain.

use std::sync::Arc;

use super::ExplainScreen;
use crate::terminal::input::Mouse;
use crate::tui::model::Model;
use crate::tui::protocol::effect::{Destination, Effect, Notice, Tone};
use crate::tui::protocol::explain::ExplainEffect;
use crate::tui::protocol::explain::{ExplainAction, ExplainSample};
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::viewer::{ImageList, ListedImage};
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_imaging::overlay::MapScale;

impl ExplainScreen {
    pub(super) fn act_here(&mut self, action: ExplainAction, model: &Model) -> Vec<Effect> {
        let far = isize::MAX / 2;
        match action {
            ExplainAction::Next => self.step(1),
            ExplainAction::Previous => self.step(-1),
            ExplainAction::TenOn => self.step(10),
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
            ExplainAction::Window => self.settings.window = self.settings.window.next(),
            ExplainAction::Colors => self.settings.next_colors(),
            ExplainAction::Scale => return self.fix_scale(),
            ExplainAction::Grid => return self.turn_grid(model),
            ExplainAction::Models => self.chooser = Some(self.list_of_models(model)),
            ExplainAction::FullScreen => return self.full_screen(),
            ExplainAction::Export => return self.export(),
            ExplainAction::Retry => return self.retry(model),
            ExplainAction::Back => {
                if self.chooser.take().is_none() {
                    let from = self.list.as_ref().map_or(ScreenId::Datasets, |list| list.from);
                    return vec![Effect::Navigate(Destination::Screen(from))];
                }
            }
            ExplainAction::Up | ExplainAction::Down => {
                let length = self.choices(model).len();
                if let Some(list) = &mut self.chooser {
                    list.step(if action == ExplainAction::Up { -1 } else { 1 }, length);
                }
            }
            ExplainAction::Choose => {
                let chosen = self.chooser.and_then(|list| self.choices(model).into_iter().nth(list.cursor));
                if let Some(choice) = chosen {
                    self.source = Some(choice.source);
                    self.chooser = None;
                }
            }
            ExplainAction::ToDatasets => return vec![Effect::Navigate(Destination::Screen(ScreenId::Datasets))],
            ExplainAction::ToEvaluate => return vec![Effect::Navigate(Destination::Screen(ScreenId::Evaluate))],
        }
        let mut effects = self.ask(model);
        effects.push(Effect::SaveView);
        effects
    }

    fn step(&mut self, images: isize) {
        if let Some(list) = &mut self.list {
            list.position = list.position.saturating_add_signed(images).min(list.samples.len().saturating_sub(1));
        }
    }

    /// A list with the cursor on the models in use.
    fn list_of_models(&self, model: &Model) -> ScrollList {
        let source = self.source.as_ref();
        ScrollList::at(self.choices(model).iter().position(|choice| Some(&choice.source) == source).unwrap_or(0))
    }

    /// All maps on the scale of the one on screen, or each on its own.
    fn fix_scale(&mut self) -> Vec<Effect> {
        if self.settings.full.take().is_some() {
            return vec![Effect::done("each map has its own scale"), Effect::SaveView];
        }
        let shown = self.sample().and_then(|sample| self.answer(sample)).and_then(|answer| answer.as_ref().ok());
        let Some(largest) = shown.and_then(|mapped| MapScale::largest(&mapped.image.map)) else {
            return vec![warning("there is no map on screen whose scale could be kept")];
        };
        self.settings.full = Some(largest);
        vec![Effect::done(format!("the full colour is {largest:.3} for all maps now")), Effect::SaveView]
    }

    fn turn_grid(&mut self, model: &Model) -> Vec<Effect> {
        self.settings.grid = !self.settings.grid;
        let mut effects = self.ask(model);
        if self.settings.grid && self.on_screen().len() < 2 {
            effects.push(warning("no other view of this examination is known"));
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

    fn export(&self) -> Vec<Effect> {
        let (mut images, mut missing) = (Vec::new(), None);
        for sample in self.on_screen() {
            match self.answer(sample) {
                Some(Ok(image)) => images.push((sample.path.clone(), Arc::clone(image))),
                Some(Err(_)) => missing = missing.or(Some("there is no map to write")),
                None => missing = Some("the map is not there yet"),
            }
        }
        let mut effects: Vec<Effect> = missing.map(warning).into_iter().collect();
        if !images.is_empty() {
            effects.push(Effect::Explain(ExplainEffect::Export { images, painting: self.settings.painting() }));
        }
        effects
    }

    /// A click chooses models; elsewhere it goes to the next image.
    pub(super) fn click(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        let length = self.choices(model).len();
        let Some(list) = &mut self.chooser else { return Vec::new() };
        let Some(row) = list.row_at(mouse, length) else { return Vec::new() };
        list.cursor = row;
        self.act_here(ExplainAction::Choose, model)
    }
}

/// `145 exam 1 · CC_R · true C`
pub(super) fn caption(sample: &ExplainSample) -> String {
    let mut parts = Vec::new();
    if !sample.examination.is_empty() {
        parts.push(format!("subject {}", sample.examination));
    }
    parts.extend(sample.view.map(|view| view.to_string()));
    parts.extend(sample.label.map(|label| format!("true {label}")));
    parts.join(" · ")
}

fn warning(text: &str) -> Effect {
    Effect::Notice(Notice { text: text.to_owned(), tone: Tone::Warning })
}
