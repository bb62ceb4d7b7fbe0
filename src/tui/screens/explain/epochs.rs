//! The epochs of a run whose models are kept: the one on screen, and the scores of an image's maps at all of them.

use std::collections::BTreeMap;

use super::ExplainScreen;
use super::sides::Side;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::explain::{EpochScores, ExplainEffect, ExplainSample, MapRequest, ModelSource, RunEpochs};
use crate::tui::protocol::failure::Failure;
use crate::tui::shared_state::SharedState;
use mammoscope_storage::runs::run_dir::RunDir;

/// The number of images whose scores are kept, for going back and forth.
const MAX_CURVES: usize = 8;

/// The kept epochs of the runs in use.
#[derive(Debug, Default)]
pub(super) struct KeptEpochs {
    /// The runs that were looked at, each with its epoch at that time.
    asked: Vec<(RunDir, u32)>,
    found: Vec<RunEpochs>,
    /// The epoch on screen; `None` for the best model.
    pub(super) shown: Option<u32>,
    curves: Vec<EpochCurve>,
}

/// The scores of an image's maps.
#[derive(Debug)]
struct EpochCurve {
    /// The request for the map of the best model.
    of: MapRequest,
    points: BTreeMap<u32, Result<EpochScores, Failure>>,
}

/// A request for the same map by the best model.
fn of_best(request: &MapRequest) -> MapRequest {
    MapRequest { epoch: None, follow: false, ..request.clone() }
}

impl ExplainScreen {
    /// The epochs whose models the run for an image has kept, in order.
    pub(super) fn epochs_of(&self, sample: &ExplainSample) -> &[u32] {
        let found = &self.kept.found;
        let of_view = || found.iter().find(|run| run.view.is_some() && run.view == sample.view);
        let run = if found.len() == 1 { found.first() } else { of_view() };
        run.map_or(&[], |run| &run.epochs)
    }

    /// The epochs for the image on screen; fewer than two are nothing to step through.
    pub(super) fn epochs_on_screen(&self) -> &[u32] {
        let epochs = self.sample().map_or(&[][..], |sample| self.epochs_of(sample));
        if epochs.len() < 2 { &[] } else { epochs }
    }

    /// Looks for kept models when the runs are others.
    pub(super) fn look_for_epochs(&mut self, shared: &SharedState) -> Option<Effect> {
        let are_known = self.runs_in_use().iter().eq(self.kept.asked.iter().map(|(run, _)| run));
        if are_known { None } else { self.look_for_later_epochs(shared) }
    }

    fn runs_in_use(&self) -> &[RunDir] {
        match &self.source {
            Some(ModelSource::Runs(runs)) => runs,
            Some(ModelSource::Files(_)) | None => &[],
        }
    }

    /// Looks for kept models when the runs are others, or have come to another epoch. A workspace may have thousands of
    /// runs, so this is not done at every key.
    pub(super) fn look_for_later_epochs(&mut self, shared: &SharedState) -> Option<Effect> {
        let runs = self.runs_in_use().to_vec();
        let epoch_of = |run: &RunDir| {
            let row = shared.runs.rows.iter().find(|row| row.run == *run);
            row.and_then(|row| row.status.as_ref()).map_or(0, |status| status.epoch)
        };
        let asked: Vec<(RunDir, u32)> = runs.iter().map(|run| (run.clone(), epoch_of(run))).collect();
        if self.kept.asked == asked {
            return None;
        }
        let are_others = !asked.iter().map(|(run, _)| run).eq(self.kept.asked.iter().map(|(run, _)| run));
        if are_others {
            self.kept = KeptEpochs::default();
        }
        self.kept.asked = asked;
        (!runs.is_empty()).then_some(Effect::Explain(ExplainEffect::LookForEpochs(runs)))
    }

    /// Takes what was found of the runs in use.
    pub(super) fn on_epochs(&mut self, found: Vec<RunEpochs>, shared: &SharedState) -> Vec<Effect> {
        if !found.iter().map(|found| &found.run).eq(self.kept.asked.iter().map(|(run, _)| run)) {
            // Other runs are in use by now.
            return Vec::new();
        }
        let has_all_of = |before: &RunEpochs| {
            let now = found.iter().find(|now| now.run == before.run);
            now.is_some_and(|now| before.epochs.iter().all(|epoch| now.epochs.contains(epoch)))
        };
        if !self.kept.found.iter().all(has_all_of) {
            // The run has gone back: its epochs are trained again.
            self.kept.curves.clear();
        }
        let is_there = |epoch: &u32| found.iter().any(|run| run.epochs.contains(epoch));
        self.kept.shown = self.kept.shown.filter(is_there);
        self.kept.found = found;
        // The curve may have more points now.
        self.requested.clear();
        self.request_shown(shared)
    }

    /// Steps to the model of an earlier or a later epoch; the best model is after the last.
    pub(super) fn step_epoch(&mut self, is_later: bool) {
        let epochs = self.epochs_on_screen();
        let at = match self.kept.shown {
            Some(shown) => epochs.partition_point(|&epoch| epoch < shown),
            None => epochs.len(),
        };
        let at = if is_later { at.saturating_add(1) } else { at.saturating_sub(1) };
        self.kept.shown = epochs.get(at).copied();
    }

    /// The requests for the maps of the image on screen at the epochs whose scores are not known, those nearest to the
    /// epoch on screen first. None while the best model is shown.
    pub(super) fn curve_requests(&self) -> Vec<MapRequest> {
        let (Some(shown), Some(sample)) = (self.kept.shown, self.sample()) else { return Vec::new() };
        let Some(request) = self.request(sample, Side::Left) else { return Vec::new() };
        let known = self.curve_of(&request);
        let mut epochs: Vec<u32> = self.epochs_on_screen().to_vec();
        epochs.retain(|epoch| *epoch != shown && known.is_none_or(|curve| !curve.points.contains_key(epoch)));
        epochs.sort_by_key(|epoch| epoch.abs_diff(shown));
        epochs.into_iter().map(|epoch| MapRequest { epoch: Some(epoch), ..request.clone() }).collect()
    }

    /// The scores of an image's maps that are known, by epoch.
    pub(super) fn points_of(&self, sample: &ExplainSample) -> Vec<(u32, &EpochScores)> {
        let curve = self.request(sample, Side::Left).and_then(|request| self.curve_of(&request));
        let points = curve.iter().flat_map(|curve| &curve.points);
        points.filter_map(|(epoch, point)| Some((*epoch, point.as_ref().ok()?))).collect()
    }

    fn curve_of(&self, request: &MapRequest) -> Option<&EpochCurve> {
        let of = of_best(request);
        self.kept.curves.iter().find(|curve| curve.of == of)
    }

    /// Takes the scores of a map, or the reason why there is none.
    pub(super) fn on_scored(&mut self, request: &MapRequest, outcome: Result<EpochScores, Failure>) {
        let Some(epoch) = request.epoch else { return };
        let of = of_best(request);
        let curves = &mut self.kept.curves;
        let curve = curves.iter().position(|curve| curve.of == of).map(|at| curves.remove(at));
        let mut curve = curve.unwrap_or_else(|| EpochCurve { of, points: BTreeMap::new() });
        curve.points.insert(epoch, outcome);
        curves.push(curve);
        if curves.len() > MAX_CURVES {
            curves.remove(0);
        }
    }

    /// Forgets the maps that failed, so that they are computed again.
    pub(super) fn forget_failed_epochs(&mut self) -> bool {
        let before: usize = self.kept.curves.iter().map(|curve| curve.points.len()).sum();
        self.kept.curves.iter_mut().for_each(|curve| curve.points.retain(|_, point| point.is_ok()));
        before > self.kept.curves.iter().map(|curve| curve.points.len()).sum()
    }
}
