//! The screen Evaluate's reading of evaluations: those of runs, and folders of predictions.

use std::path::PathBuf;

use super::EvaluateScreen;
use super::entries::{self, Listed, all_entries, listed_evaluations};
use super::opened::Opened;
use crate::analysis::kept_evaluation::NamedRun;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::evaluate::{EvaluateEffect, PredictionSource};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::path_field::{PathField, PathKey, PathPrompt};
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The number of opened folders that are remembered.
const MAX_FOLDERS: usize = 8;

const PROMPT: PathPrompt =
    PathPrompt { title: "Open predictions", label: "folder", hint: "a folder with predictions.csv, or the table" };

impl EvaluateScreen {
    /// All evaluations in the order of the list.
    pub(super) fn listed(&self, shared: &SharedState) -> Vec<Listed> {
        listed_evaluations(shared, &self.kept, &self.folders)
    }

    /// Opens the evaluation of a run or of its group.
    pub(in crate::tui) fn open(&mut self, run: RunDir, shared: &SharedState) -> Vec<Effect> {
        let row = shared.runs.position(&run);
        let entry = all_entries(shared).into_iter().find(|entry| row.is_some_and(|row| entry.rows.contains(&row)));
        let name = row.and_then(|row| entries::view_of(&shared.runs.rows[row])).map(SetName::View);
        self.chooser = None;
        if let Some(entry) = entry {
            return self.open_listed(&Listed::Runs(entry), name, shared);
        }
        // A run that is not listed (yet) is read anyway.
        let named = NamedRun { name: printable(&run.name()), run };
        let (key, title) = (named.run.name(), named.name.clone());
        self.opened = Some(Opened::new(key, title, PredictionSource::Runs(vec![named]), None));
        self.read()
    }

    /// Opens a folder of predictions, and remembers it in the list. Its images may belong to this data set.
    pub(in crate::tui) fn open_folder(
        &mut self,
        folder: PathBuf,
        data: Option<PathBuf>,
        shared: &SharedState,
    ) -> Vec<Effect> {
        self.data.extend(data);
        self.folders.retain(|known| *known != folder);
        self.folders.insert(0, folder.clone());
        self.folders.truncate(MAX_FOLDERS);
        self.chooser = None;
        self.open_listed(&Listed::Folder(folder), None, shared)
    }

    pub(super) fn open_listed(&mut self, listed: &Listed, name: Option<SetName>, shared: &SharedState) -> Vec<Effect> {
        self.restore = None;
        self.opened = Some(Opened::new(listed.key(), listed.title(shared), listed.source(&self.data, shared), name));
        let mut effects = self.read();
        effects.push(Effect::SaveView);
        effects
    }

    /// Opens the prompt for a folder.
    pub(super) fn prompt_for_folder(&mut self, shared: &SharedState) -> Vec<Effect> {
        let start = self.folders.first().and_then(|folder| folder.parent()).unwrap_or(&shared.workspace);
        let start = format!("{}/", start.to_string_lossy().trim_end_matches('/'));
        self.prompt = Some(PathField::new(PROMPT, &start));
        vec![Effect::Evaluate(EvaluateEffect::Complete(start))]
    }

    /// Handles the outcome of a key in the prompt.
    pub(super) fn after_prompt(&mut self, outcome: PathKey) -> Vec<Effect> {
        match outcome {
            PathKey::Nothing => Vec::new(),
            PathKey::Complete(typed) => vec![Effect::Evaluate(EvaluateEffect::Complete(typed))],
            PathKey::Check(typed) => vec![Effect::Evaluate(EvaluateEffect::Check(typed))],
            PathKey::Cancelled => {
                self.prompt = None;
                Vec::new()
            }
        }
    }

    /// Opens the checked path of the prompt; a refused one stays in it, and what is open stays open.
    pub(super) fn on_checked(
        &mut self,
        typed: &str,
        outcome: Result<PathBuf, Failure>,
        shared: &SharedState,
    ) -> Vec<Effect> {
        let accepted = self.prompt.as_mut().and_then(|prompt| prompt.on_checked(typed, outcome));
        let Some(path) = accepted else { return Vec::new() };
        self.prompt = None;
        self.open_folder(path, None, shared)
    }

    /// Forgets the folder under the cursor of the list.
    pub(super) fn forget_folder(&mut self, shared: &SharedState) -> Vec<Effect> {
        match self.listed(shared).get(self.list.cursor) {
            Some(Listed::Folder(path)) => {
                self.folders.retain(|folder| folder != path);
                vec![Effect::SaveView]
            }
            _ => vec![super::update::warning("only folders are forgotten; runs are removed in Runs")],
        }
    }

    /// Reads the open evaluation, possibly again.
    pub(super) fn read(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        self.open_request += 1;
        vec![Effect::Evaluate(EvaluateEffect::Open {
            request: self.open_request,
            source: opened.source.clone(),
            split: self.split,
            first: opened.name,
        })]
    }

    pub(super) fn search_predictions(&mut self, shared: &SharedState) -> Vec<Effect> {
        let over = |row: &&RunRow| row.condition.as_ref().is_some_and(|condition| condition.phase.is_over());
        self.seen = Some((shared.runs.rows.len(), shared.runs.rows.iter().filter(over).count()));
        let runs = shared.runs.rows.iter().map(|row| row.run.clone()).collect();
        vec![Effect::Evaluate(EvaluateEffect::Look { runs })]
    }

    /// Searches for predictions again if runs appeared, disappeared or ended.
    pub(super) fn search_if_changed(&mut self, shared: &SharedState) -> Vec<Effect> {
        if !shared.runs.listed {
            return Vec::new();
        }
        let before = self.seen;
        let effects = self.search_predictions(shared);
        if before == self.seen { Vec::new() } else { effects }
    }

    pub(super) fn tables_of(&self, source: &PredictionSource) -> usize {
        source.runs().iter().filter_map(|run| self.kept.get(&run.run)).map(Vec::len).sum()
    }

    /// Reads the open evaluation again if its runs have more or fewer tables than before.
    pub(super) fn read_if_changed(&mut self) -> Vec<Effect> {
        match &self.opened {
            Some(opened) if opened.sets.is_some() && self.tables_of(&opened.source) != opened.tables => self.read(),
            _ => Vec::new(),
        }
    }

    pub(super) fn restore(&mut self, shared: &SharedState) -> Vec<Effect> {
        if !shared.runs.listed || self.opened.is_some() {
            return Vec::new();
        }
        let Some(key) = self.restore.take() else { return Vec::new() };
        let runs = all_entries(shared).into_iter().map(Listed::Runs);
        let folders = self.folders.iter().cloned().map(Listed::Folder);
        match runs.chain(folders).find(|listed| listed.key() == key) {
            Some(listed) => self.open_listed(&listed, None, shared),
            None => Vec::new(),
        }
    }
}
