//! The start of training runs, and what stands in its way.

use super::estimate::{DataState, Timing, as_timed};
use super::implausible::implausible;
use super::{Pane, TrainScreen};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::train::{StartRequest, TimingRequest, TrainEffect};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::training::config_keys::{ConfigKey, KEYS};

/// The most runs that are started without asking: four views of two models.
const UNASKED_RUNS: usize = 8;

/// The start of training runs.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// The number of runs that are being started.
    pub(super) pending: Option<usize>,
    pub(super) error: Option<String>,
    /// What the user was asked about: implausible values, or many runs; the next Ctrl-S accepts it.
    pub(super) doubt: Option<String>,
}

impl TrainScreen {
    /// The reason why the runs cannot be started.
    pub(super) fn obstacle(&self) -> Option<String> {
        self.form.problem().or_else(|| match &self.data.state {
            DataState::Known(_) => None,
            DataState::Failed(error) => Some(error.clone()),
            DataState::Unknown | DataState::Reading => Some("the data set is still being read".to_owned()),
        })
    }

    /// The number of runs that will be started; 0 before the data set is known.
    pub(super) fn planned_runs(&self) -> usize {
        self.data.state.known().map_or(0, |data| data.views.len().saturating_mul(self.form.runs_per_view()))
    }

    /// The number of runs that are being started; `None` if none are.
    pub(in crate::tui) fn starting(&self) -> Option<usize> {
        self.start.pending
    }

    /// Starts the training runs, or reports why they cannot be started.
    pub(super) fn start(&mut self) -> Vec<Effect> {
        if self.start.pending.is_some() {
            return Vec::new();
        }
        if let Some(obstacle) = self.obstacle() {
            return vec![Effect::failed(format!("cannot start: {obstacle}"))];
        }
        if let (None, Some(doubt)) = (&self.start.doubt, self.doubt()) {
            self.start.doubt = Some(doubt.clone());
            return vec![Effect::warning(format!("{doubt}; start again to accept this"))];
        }
        let pending = Some(self.planned_runs());
        // The form shows how the start proceeds.
        self.pane = Pane::Form;
        let was_asked = std::mem::replace(&mut self.start, Start { pending, error: None, doubt: None }).doubt.is_some();
        let label = if self.form.name.is_empty() { self.form.preset.name.clone() } else { self.form.name.clone() };
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
            study: self.form.study.choice(),
            jobs: self.form.study.jobs(),
            placement: match &self.timing.state {
                Timing::Known { timing, .. } => Some(timing.placement.clone()),
                _ => None,
            },
        };
        effects.push(Effect::Train(TrainEffect::Start(Box::new(request))));
        if was_asked {
            // It replaces the question.
            effects.push(Effect::neutral(format!("starting {}", counted(self.planned_runs(), "run"))));
        }
        effects
    }

    /// The first implausible value that the user has not accepted, or a large number of runs.
    fn doubt(&self) -> Option<String> {
        let is_accepted = |key: &ConfigKey| self.accepted.get(key.name) == Some(&self.form.key_text(key));
        let implausible =
            KEYS.iter().filter(|key| !is_accepted(key)).find_map(|key| implausible(key, key.value(&self.form.config)));
        implausible.or_else(|| {
            let runs = self.planned_runs();
            (runs > UNASKED_RUNS).then(|| format!("this starts {}", counted(runs, "run")))
        })
    }

    /// The runs whose steps are to be timed, once the data set is known.
    pub(super) fn timing_request(&self) -> Option<TimingRequest> {
        let data = self.data.state.known()?;
        Some(TimingRequest {
            config: as_timed(&self.form.config),
            devices: self.form.devices(),
            runs: self.planned_runs(),
            jobs: self.form.study.jobs(),
            images: data.largest_run(),
        })
    }
}
