//! Preprocessing from the screen Datasets, and the review of the prepared images.

use std::path::PathBuf;

use super::DatasetsScreen;
use super::review::ReviewPane;
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::preparation::{PreparationAction, PreparationMessage};
use crate::tui::protocol::review::{ReviewAction, ReviewMessage};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::path_field::PathPrompt;

/// The field for the folder of the sources.
const PROMPT: PathPrompt =
    PathPrompt { title: "Folder of the sources", label: "folder", hint: "it is the folder that was preprocessed" };

/// The most folders of prepared images whose sources are remembered.
const MAX_REMEMBERED: usize = 50;

impl DatasetsScreen {
    pub(super) fn root(&self) -> Option<PathBuf> {
        self.tree.as_ref().map(|tree| tree.folder(0).path.clone())
    }

    pub(super) fn prepare(&mut self, action: PreparationAction, shared: &SharedState) -> Vec<Effect> {
        match action {
            PreparationAction::Open => self.open_preparation(shared),
            PreparationAction::Stop => self.preparation.stop(),
            PreparationAction::Hide => {
                self.preparation.hide();
                Vec::new()
            }
            PreparationAction::Review => {
                self.preparation.hide();
                self.review(ReviewAction::Open, shared)
            }
        }
    }

    /// Stops the preprocessing in progress.
    pub(in crate::tui) fn stop_preparation(&mut self) -> Vec<Effect> {
        self.preparation.stop()
    }

    /// Opens the form: for the open folder or, if that is prepared, for its sources again.
    fn open_preparation(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(root) = self.root() else {
            let start = shared.workspace.parent().unwrap_or(&shared.workspace).to_string_lossy().into_owned();
            return self.preparation.open(&format!("{}/", start.trim_end_matches('/')), None);
        };
        let root_text = root.to_string_lossy();
        if self.is_prepared {
            let input = self.sources.get(&root).map(|input| input.to_string_lossy().into_owned());
            self.preparation.open(&input.unwrap_or_default(), Some(&root_text))
        } else {
            self.preparation.open(&root_text, None)
        }
    }

    pub(super) fn on_preparation(&mut self, message: PreparationMessage) -> Vec<Effect> {
        let Some(ended) = self.preparation.on_message(message) else { return Vec::new() };
        let mut effects = vec![ended.notice];
        if ended.has_images {
            self.remember_sources(ended.output.clone(), ended.input);
            match &mut self.review {
                // The review that is open is not left; its images may have changed.
                Some(review) if review.folder() == ended.output => effects.extend(review.reload()),
                Some(_) => {}
                None => effects.push(Effect::Datasets(DatasetsEffect::Open(ended.output))),
            }
            effects.push(Effect::SaveView);
        }
        effects
    }

    fn remember_sources(&mut self, prepared: PathBuf, sources: PathBuf) {
        if self.sources.len() >= MAX_REMEMBERED && !self.sources.contains_key(&prepared) {
            self.sources.pop_first();
        }
        self.sources.insert(prepared, sources);
    }

    pub(super) fn review(&mut self, action: ReviewAction, shared: &SharedState) -> Vec<Effect> {
        match action {
            ReviewAction::Open => self.open_review(),
            ReviewAction::Close => {
                self.review = None;
                // Meanwhile the terminal may have lost it.
                self.picture.forget();
                // Rejected and corrected images have changed.
                self.stale = true;
                Vec::new()
            }
            ReviewAction::Locate if self.review.is_some() => {
                let start = shared.workspace.parent().unwrap_or(&shared.workspace).to_string_lossy().into_owned();
                self.ask_path(PROMPT, &format!("{}/", start.trim_end_matches('/')))
            }
            action => self.review.as_mut().map(|review| review.update(action)).unwrap_or_default(),
        }
    }

    fn open_review(&mut self) -> Vec<Effect> {
        let Some(root) = self.root().filter(|_| self.is_prepared) else {
            let text = "only preprocessed images can be reviewed: this folder has no manifest.jsonl";
            return vec![Effect::warning(text)];
        };
        let (review, effects) = ReviewPane::new(&root, self.sources.get(&root).map(PathBuf::as_path));
        self.review = Some(review);
        effects
    }

    pub(super) fn on_review(&mut self, message: ReviewMessage) -> Vec<Effect> {
        let Some(review) = &mut self.review else { return Vec::new() };
        let (mut effects, input) = review.on_message(message);
        if let Some(input) = input {
            let folder = review.folder().to_owned();
            self.remember_sources(folder, input);
            effects.push(Effect::SaveView);
        }
        effects
    }
}
