//! The maps that are requested: of the images on screen, and of those that will probably be shown next.

use std::sync::Arc;

use super::settings::ClassChoice;
use super::sides::Side;
use super::{ExplainScreen, MapState};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{ExplainEffect, ExplainList, ExplainSample, MapRequest, ModelSource};
use crate::tui::shared_state::SharedState;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;

impl ExplainScreen {
    pub(super) fn sample(&self) -> Option<&ExplainSample> {
        let list = self.list.as_ref()?;
        list.samples.get(list.position)
    }

    /// The images on screen: the selected one, or all views of its examination.
    pub(super) fn on_screen(&self) -> Vec<&ExplainSample> {
        self.sample().map_or_else(Vec::new, |sample| self.beside(sample))
    }

    /// An image, or all views of its examination if these are shown.
    pub(super) fn beside<'a>(&'a self, sample: &'a ExplainSample) -> Vec<&'a ExplainSample> {
        let Some(list) = &self.list else { return Vec::new() };
        if !self.settings.grid || sample.examination.is_empty() {
            return vec![sample];
        }
        let views: Vec<&ExplainSample> = Self::views_beside(list, sample).into_iter().flatten().collect();
        if views.is_empty() { vec![sample] } else { views }
    }

    /// The images of the four views of an image's examination.
    pub(super) fn views_beside<'a>(list: &'a ExplainList, sample: &'a ExplainSample) -> [Option<&'a ExplainSample>; 4] {
        View::ALL.map(|view| {
            let is_it = |other: &&ExplainSample| other.view == Some(view) && other.examination == sample.examination;
            let own = Some(sample).filter(|own| own.view == Some(view));
            own.or_else(|| list.views.iter().chain(&list.samples).find(is_it))
        })
    }

    /// True if the views of the examination are shown in place of the image.
    pub(super) fn is_hanging(&self) -> bool {
        self.settings.grid
            && self.sample().is_some_and(|sample| !sample.examination.is_empty() && sample.view.is_some())
    }

    /// The four views of the selected image's examination.
    pub(super) fn hung_views(&self) -> [Option<&ExplainSample>; 4] {
        match (&self.list, self.sample()) {
            (Some(list), Some(sample)) => Self::views_beside(list, sample),
            _ => [None; 4],
        }
    }

    pub(super) fn request(&self, sample: &ExplainSample, side: Side) -> Option<MapRequest> {
        let class = match self.settings.class {
            ClassChoice::Predicted => None,
            ClassChoice::True => sample.label,
            ClassChoice::Class(class) => Some(class),
        };
        let method = self.settings.method;
        let epoch = self.kept.shown.filter(|_| side == Side::Left);
        Some(MapRequest {
            sample: sample.path.clone(),
            view: sample.view,
            source: self.source_of(side)?.clone(),
            method,
            // A method that does not depend on the layer is requested only once.
            layer: if method.is_of_layer() { self.settings.layer } else { ExplainedLayer::LAST },
            class,
            follow: self.follows[side as usize] && epoch.is_none(),
            epoch,
        })
    }

    /// Requests the maps on screen if they were not requested yet.
    pub(super) fn request_shown(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.source.is_none() {
            self.source = self.first_source(shared);
        }
        let is_active = |run: &RunDir| shared.runs.active().any(|row| row.run == *run);
        self.follows = Side::ALL
            .map(|side| matches!(self.source_of(side), Some(ModelSource::Runs(runs)) if runs.iter().any(is_active)));
        let mut effects: Vec<Effect> = self.look_for_epochs(shared).into_iter().collect();
        let shown = self.requests_of(self.on_screen());
        if !shown.is_empty() && shown != self.requested {
            self.requested.clone_from(&shown);
            effects.extend(self.request_again(shown));
        }
        effects
    }

    /// Requests the failed maps again.
    pub(super) fn retry(&mut self, shared: &SharedState) -> Vec<Effect> {
        if self.forget_failed_epochs() | self.answers.iter().any(|answer| answer.outcome.is_err()) {
            self.answers.retain(|answer| answer.outcome.is_ok());
            self.requested.clear();
        }
        self.request_shown(shared)
    }

    /// True if all requested maps were answered.
    pub(super) fn is_answered(&self) -> bool {
        let answered = |request: &MapRequest| self.answers.iter().any(|answer| answer.request == *request);
        !self.requested.is_empty() && self.requested.iter().all(answered)
    }

    pub(super) fn request_again(&self, shown: Vec<MapRequest>) -> Vec<Effect> {
        let mut ahead = self.curve_requests();
        ahead.extend(self.requests_of(self.next_samples()));
        ahead.retain(|request| !shown.contains(request));
        vec![Effect::Explain(ExplainEffect::Show { shown, ahead })]
    }

    /// The requests for images, image by image.
    pub(super) fn requests_of(&self, samples: Vec<&ExplainSample>) -> Vec<MapRequest> {
        let of_sample = |sample| self.sides().iter().filter_map(move |side| self.request(sample, *side));
        samples.into_iter().flat_map(of_sample).collect()
    }

    /// The images that will probably be shown next: those around, or the views of the next examination.
    pub(super) fn next_samples(&self) -> Vec<&ExplainSample> {
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

    /// The state of an image's map by the first models.
    pub(super) fn map_state(&self, sample: &ExplainSample) -> MapState {
        self.map_state_of(sample, Side::Left)
    }

    /// The state of an image's map by the models of a side.
    pub(super) fn map_state_of(&self, sample: &ExplainSample, side: Side) -> MapState {
        let Some(request) = self.request(sample, side) else { return MapState::Pending };
        match self.answers.iter().find(|answer| answer.request == request).map(|answer| &answer.outcome) {
            Some(Ok(mapped)) => MapState::Ready(Arc::clone(mapped)),
            Some(Err(failure)) => MapState::Failed(failure.clone()),
            None => MapState::Pending,
        }
    }
}
