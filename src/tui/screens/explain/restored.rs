//! The list of images across sessions: what is saved of it, and which of its files are gone.

use std::path::PathBuf;

use super::ExplainScreen;
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::explain::{ExplainEffect, ExplainList, ExplainSample, ModelSource};
use crate::tui::shared_state::SharedState;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_os;
use mammoscope_storage::runs::run_dir::RunDir;

/// The most images that are saved, those around the one that is shown; the state is written at every step.
const MAX_SAVED: usize = 200;

/// A list as it is saved.
pub(super) fn saved(list: &ExplainList) -> ExplainList {
    let first = list.position.saturating_sub(MAX_SAVED / 2);
    let samples: Vec<ExplainSample> = list.samples.iter().skip(first).take(MAX_SAVED).cloned().collect();
    let is_of_them = |view: &&ExplainSample| samples.iter().any(|sample| sample.examination == view.examination);
    let views = list.views.iter().filter(is_of_them).cloned().collect();
    let (title, position) = (list.title.clone(), list.position - first);
    ExplainList { title, samples, position, views, source: None, second: None, from: list.from }
}

impl ExplainScreen {
    /// Looks for the files of the last session's list, once.
    pub(super) fn look_for_images(&mut self, shared: &SharedState) -> Vec<Effect> {
        let was_restored = self.is_restored;
        self.take_restored(shared);
        match &self.list {
            Some(list) if was_restored => {
                let paths = list.samples.iter().chain(&list.views).map(|sample| sample.path.clone()).collect();
                vec![Effect::Explain(ExplainEffect::LookForImages(paths))]
            }
            _ => Vec::new(),
        }
    }

    /// Takes the models of the last session as they are, but for runs of another workspace: one that was copied or renamed
    /// must not explain with the runs of the one that it was.
    pub(super) fn take_restored(&mut self, shared: &SharedState) {
        if !std::mem::replace(&mut self.is_restored, false) {
            return;
        }
        let is_here = |run: &RunDir| run.path().starts_with(&shared.workspace);
        for source in [&mut self.source, &mut self.second] {
            source.take_if(|source| matches!(source, ModelSource::Runs(runs) if !runs.iter().all(is_here)));
        }
    }

    /// Leaves out the images that are gone, and says so.
    pub(super) fn on_missing(&mut self, missing: &[PathBuf], shared: &SharedState) -> Vec<Effect> {
        let Some(list) = &mut self.list else { return Vec::new() };
        let before = list.samples.len();
        let is_there = |sample: &ExplainSample| !missing.contains(&sample.path);
        let gone = list.samples.iter().filter(|sample| !is_there(sample)).count();
        list.views.retain(is_there);
        if gone == 0 {
            return Vec::new();
        }
        let first = list.samples.iter().find(|sample| !is_there(sample));
        let name = first.and_then(|sample| sample.path.file_name()).map(printable_os).unwrap_or_default();
        let others = if gone > 1 { format!(" and {} more", gone - 1) } else { String::new() };
        let text = format!("{gone} of {} of the last session are missing: {name}{others}", counted(before, "image"));
        list.position -= list.samples[..list.position].iter().filter(|sample| !is_there(sample)).count();
        list.samples.retain(is_there);
        list.position = list.position.min(list.samples.len().saturating_sub(1));
        if list.samples.is_empty() {
            self.list = None;
        }
        let mut effects = vec![Effect::Notice(Notice { text, tone: Tone::Warning })];
        effects.extend(self.request_shown(shared));
        effects
    }
}
