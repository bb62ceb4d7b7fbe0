//! Preprocessing in the screen Datasets: the form, the progress of the run, and its outcome.

mod form;
pub(super) mod keys;
mod view;

use std::path::PathBuf;

use form::{PreparationForm, Submitted};

use crate::terminal::input::Key;
use crate::tui::protocol::binding::KeyTables;
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::preparation::{
    PreparationEffect, PreparationMessage, PreparationOutcome, PreparationProgress,
};

/// The most refused sources that are listed.
const LISTED: usize = 200;

/// Preprocessing: nothing, a form, a run, or the outcome of one.
#[derive(Debug, Default)]
pub(super) struct Preparation {
    form: Option<PreparationForm>,
    /// The form of the run in progress, shown again if one of its paths is refused.
    submitted: Option<PreparationForm>,
    run: Option<Run>,
    /// True if the run or its outcome is shown in a box; a run continues without one.
    is_shown: bool,
}

/// A run in progress, or the last one.
#[derive(Debug, Default)]
struct Run {
    progress: Option<PreparationProgress>,
    /// The names and reasons of refused sources.
    refused: Vec<(String, String)>,
    refused_count: usize,
    is_stopping: bool,
    outcome: Option<Result<PreparationOutcome, Failure>>,
}

/// A run that has ended.
pub(super) struct Ended {
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
    /// True if the folder has prepared images.
    pub(super) has_images: bool,
    pub(super) notice: Effect,
}

impl Preparation {
    /// True while something covers the screen.
    pub(super) fn is_shown(&self) -> bool {
        self.form.is_some() || self.is_shown
    }

    pub(super) fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.outcome.is_none())
    }

    /// The keys while the run or its outcome is shown.
    pub(super) fn bindings(&self) -> Option<KeyTables> {
        if !self.is_shown {
            return None;
        }
        Some(if self.is_running() { keys::RUNNING } else { keys::ENDED })
    }

    /// Shows the run in progress, or a form with these paths.
    pub(super) fn open(&mut self, input: &str, output: Option<&str>) -> Vec<Effect> {
        if self.is_running() {
            self.is_shown = true;
            return Vec::new();
        }
        let (form, typed) = PreparationForm::new(input, output);
        self.form = Some(form);
        complete(typed)
    }

    pub(super) fn hide(&mut self) {
        self.is_shown = false;
    }

    pub(super) fn stop(&mut self) -> Vec<Effect> {
        match self.run.as_mut().filter(|run| run.outcome.is_none()) {
            Some(run) => {
                run.is_stopping = true;
                vec![effect(PreparationEffect::Stop)]
            }
            None => Vec::new(),
        }
    }

    /// Types into the form; `None` if there is none.
    pub(super) fn type_key(&mut self, key: Key) -> Option<Vec<Effect>> {
        Some(match self.form.as_mut()?.press(key) {
            Submitted::Typing(typed) => typed.map(complete).unwrap_or_default(),
            Submitted::Cancelled => {
                self.form = None;
                Vec::new()
            }
            Submitted::Start { input, output, labels } => {
                self.submitted = self.form.take();
                self.run = Some(Run::default());
                self.is_shown = true;
                vec![effect(PreparationEffect::Start { input, output, labels })]
            }
        })
    }

    /// Pastes into the form; `None` if there is none.
    pub(super) fn paste(&mut self, text: &str) -> Option<Vec<Effect>> {
        Some(complete(self.form.as_mut()?.paste(text)))
    }

    /// Takes completions of a typed path.
    pub(super) fn on_completed(&mut self, typed: &str, found: Vec<String>) {
        if let Some(form) = &mut self.form {
            form.on_completed(typed, found);
        }
    }

    /// Handles a message of the service; returns the run that has ended.
    pub(super) fn on_message(&mut self, message: PreparationMessage) -> Option<Ended> {
        let run = self.run.get_or_insert_default();
        match message {
            PreparationMessage::NotStarted { path, problem } => {
                (self.run, self.is_shown) = (None, false);
                self.form = self.submitted.take();
                if let Some(form) = &mut self.form {
                    form.refuse(path, &problem);
                }
                None
            }
            PreparationMessage::Progress(progress) => {
                run.progress = Some(progress);
                None
            }
            PreparationMessage::Refused { name, reason } => {
                run.refused_count += 1;
                if run.refused.len() < LISTED {
                    run.refused.push((name, reason));
                }
                None
            }
            PreparationMessage::Ended { input, output, outcome } => {
                let notice = match &outcome {
                    Ok(outcome) => {
                        let is_good = outcome.summary.refused == 0 && !outcome.summary.cancelled;
                        let tone = if is_good { Tone::Done } else { Tone::Warning };
                        Effect::Notice(Notice { text: outcome.summary_text(), tone })
                    }
                    Err(failure) => Effect::failed(format!("preprocessing: {failure}")),
                };
                let has_images = outcome.as_ref().is_ok_and(PreparationOutcome::has_images);
                // An outcome without further news needs no box.
                let is_plain =
                    outcome.as_ref().is_ok_and(|outcome| outcome.summary.refused == 0 && outcome.notes.is_empty());
                self.is_shown &= !is_plain || !has_images;
                run.outcome = Some(outcome);
                Some(Ended { input, output, has_images, notice })
            }
        }
    }
}

fn effect(effect: PreparationEffect) -> Effect {
    Effect::Datasets(DatasetsEffect::Preparation(effect))
}

fn complete(typed: String) -> Vec<Effect> {
    vec![Effect::Datasets(DatasetsEffect::Complete(typed))]
}
