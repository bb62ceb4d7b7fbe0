//! The evaluations that can be opened: runs in the workspace, grouped and newest first.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use chrono::Local;

use crate::analysis::kept_evaluation::NamedRun;
use crate::tui::protocol::evaluate::PredictionSource;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_names::{group_name, title};
use crate::tui::shared_state::SharedState;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::run_dir::RunDir;

/// The splits for which each run has predictions; runs without any are left out.
pub(super) type KeptSplits = HashMap<RunDir, Vec<Split>>;

/// Runs that were created together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Entry {
    /// The group's id, or the name of a single run.
    pub(super) key: String,
    /// The indices of the runs in the list of runs.
    pub(super) rows: Range<usize>,
}

/// The key of the entry to which a run belongs.
pub(super) fn key_of(row: &RunRow) -> String {
    let of_spec = row.spec.as_ref().map(|spec| &spec.group);
    let group = of_spec.or_else(|| row.status.as_ref().map(|status| &status.group));
    group.filter(|group| !group.is_empty()).cloned().unwrap_or_else(|| row.run.name())
}

/// All runs, with one entry per group.
pub(in crate::tui) fn all_entries(shared: &SharedState) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (place, row) in shared.runs.rows.iter().enumerate() {
        let key = key_of(row);
        match entries.last_mut() {
            Some(last) if last.key == key => last.rows.end = place + 1,
            _ => entries.push(Entry { key, rows: place..place + 1 }),
        }
    }
    entries
}

/// An evaluation in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// A folder or table that the user opened.
    Folder(PathBuf),
    Runs(Entry),
}

/// All evaluations: the folders that the user opened, then the runs with predictions.
pub(super) fn listed_evaluations(shared: &SharedState, kept: &KeptSplits, folders: &[PathBuf]) -> Vec<Listed> {
    let mut entries = all_entries(shared);
    entries.retain(|entry| entry.runs(shared).iter().any(|row| kept.contains_key(&row.run)));
    let folders = folders.iter().cloned().map(Listed::Folder);
    folders.chain(entries.into_iter().map(Listed::Runs)).collect()
}

impl Listed {
    /// A key that stays the same while the list changes.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Folder(path) => path.to_string_lossy().into_owned(),
            Self::Runs(entry) => entry.key.clone(),
        }
    }

    pub(super) fn title(&self, shared: &SharedState) -> String {
        match self {
            Self::Folder(path) => printable_path(path),
            Self::Runs(entry) => entry.title(shared),
        }
    }

    /// The predictions; the images of a folder may belong to these data sets or to those of the runs.
    pub(super) fn source(&self, data: &[PathBuf], shared: &SharedState) -> PredictionSource {
        match self {
            Self::Folder(path) => {
                let mut data = data.to_vec();
                for spec in shared.runs.rows.iter().filter_map(|row| row.spec.as_ref()) {
                    if !data.contains(&spec.data) {
                        data.push(spec.data.clone());
                    }
                }
                PredictionSource::Folder { path: path.clone(), data }
            }
            Self::Runs(entry) => PredictionSource::Runs(entry.named_runs(shared)),
        }
    }

    /// The folder or table, or the directory of the first run.
    pub(super) fn path(&self, shared: &SharedState) -> Option<PathBuf> {
        match self {
            Self::Folder(path) => Some(path.clone()),
            Self::Runs(_) => self.first_run(shared).map(|run| run.path().to_owned()),
        }
    }

    /// The first of its runs.
    pub(super) fn first_run(&self, shared: &SharedState) -> Option<RunDir> {
        match self {
            Self::Folder(_) => None,
            Self::Runs(entry) => entry.runs(shared).first().map(|row| row.run.clone()),
        }
    }
}

impl Entry {
    pub(in crate::tui) fn runs<'a>(&self, shared: &'a SharedState) -> &'a [RunRow] {
        shared.runs.rows.get(self.rows.clone()).unwrap_or_default()
    }

    /// The runs, named by their views.
    pub(super) fn named_runs(&self, shared: &SharedState) -> Vec<NamedRun> {
        self.runs(shared).iter().map(|row| NamedRun { run: row.run.clone(), name: name_of(row) }).collect()
    }

    /// A title such as `demo · 2026-11-23 22:53`, of a single run `CC_R demo · 2026-11-23 22:53`.
    pub(in crate::tui) fn title(&self, shared: &SharedState) -> String {
        let runs = self.runs(shared);
        let Some(spec) = runs.first().and_then(|row| row.spec.as_ref()) else { return printable(&self.key) };
        let started = spec.created.with_timezone(&Local).format("%Y-%m-%d %H:%M");
        let name = if let [run] = runs { title(run) } else { group_name(runs) };
        format!("{name} · {started}")
    }

    /// The run of a view.
    pub(super) fn of_view<'a>(&self, shared: &'a SharedState, view: View) -> Option<&'a RunRow> {
        self.runs(shared).iter().find(|row| view_of(row) == Some(view))
    }

    /// The condition of a run that is not over yet, in a few words.
    pub(in crate::tui) fn waiting_text(&self, shared: &SharedState) -> Option<String> {
        let row =
            self.runs(shared).iter().find(|row| row.condition.as_ref().is_some_and(|known| !known.phase.is_over()))?;
        let condition = row.condition.as_ref()?;
        let epoch = row
            .status
            .as_ref()
            .map_or_else(String::new, |status| format!(", epoch {} of {}", status.epoch, status.epochs));
        Some(format!("{} is {}{epoch}", name_of(row), condition.name()))
    }
}

pub(in crate::tui) fn view_of(row: &RunRow) -> Option<View> {
    row.spec.as_ref().map(|spec| spec.view).or_else(|| row.status.as_ref().map(|status| status.view))
}

fn name_of(row: &RunRow) -> String {
    view_of(row).map_or_else(|| printable(&row.run.name()), |view| view.to_string())
}
