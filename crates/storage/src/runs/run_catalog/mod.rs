//! The runs of a workspace, found by what a person types.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::run_dir::RunDir;
use super::run_spec_file::{RunSpecError, read_run_spec};
use super::run_status_file::{RunStatusError, read_status};
use super::workspace::Workspace;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_path};

/// How a person calls the newest training.
pub const LATEST: &str = "latest";
/// How many similar names an error lists.
const SUGGESTIONS: usize = 3;
/// From which likeness on a name is taken for a misspelling (1: equal).
const SIMILAR: f64 = 0.7;

/// A run as its two small files tell it; whatever is damaged is kept as its error.
#[derive(Debug)]
pub struct RunEntry {
    /// Its directory.
    pub run: RunDir,
    /// What was asked for.
    pub spec: Result<RunSpec, RunSpecError>,
    /// How it goes.
    pub status: Result<RunStatus, RunStatusError>,
}

impl RunEntry {
    /// Reads `run.toml` and `status.json`.
    #[must_use]
    pub fn read(run: RunDir) -> Self {
        let (spec, status) = (read_run_spec(&run.spec()), read_status(&run.status()));
        Self { run, spec, status }
    }

    /// The runs that were asked for together.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let asked = self.spec.as_ref().ok().map(|spec| spec.group.as_str());
        asked
            .or_else(|| self.status.as_ref().ok().map(|status| status.group.as_str()))
            .filter(|group| !group.is_empty())
    }

    /// When it was asked for.
    #[must_use]
    pub fn created(&self) -> Option<DateTime<Utc>> {
        self.spec.as_ref().ok().map(|spec| spec.created)
    }
}

/// What a person meant: one run, or the runs of a group in the order of their views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSelection {
    /// The group's id, where a group was meant.
    pub group: Option<String>,
    /// At least one.
    pub runs: Vec<RunDir>,
}

/// No run is meant, or more than one.
#[derive(Debug, thiserror::Error)]
pub enum FindRunError {
    /// The folder of the runs cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Read {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There are no runs at all.
    #[error("no runs in {} yet; `mammoscope train` makes some", printable_path(.0))]
    NoRuns(PathBuf),
    /// Nothing is called so.
    #[error("no run or group '{}' in {}{}", printable(name), printable_path(runs), suggestion(near))]
    Unknown {
        /// What was typed.
        name: String,
        /// The folder of the runs.
        runs: PathBuf,
        /// Similar names.
        near: Vec<String>,
    },
    /// The beginning of several names.
    #[error("'{}' is the beginning of {count} names, {} among them; type more of it", printable(name), listed(some))]
    Ambiguous {
        /// What was typed.
        name: String,
        /// How many names begin so.
        count: usize,
        /// The first of them.
        some: Vec<String>,
    },
    /// A folder that is no run.
    #[error("{} is no run: it has no run.toml", printable_path(.0))]
    NotARun(PathBuf),
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ")
}

fn suggestion(near: &[String]) -> String {
    if near.is_empty() { "; `mammoscope runs` lists them".to_owned() } else { format!("; similar: {}", listed(near)) }
}

/// The runs of a workspace, newest first, those of a group together in the order of their views; those whose `run.toml`
/// does not tell when they were made, by their names, at the end. Two small files are read a run, on all cores: ten thousand runs take a fraction of a second.
pub fn list_runs(workspace: &Workspace) -> io::Result<Vec<RunEntry>> {
    let mut entries: Vec<RunEntry> = run_names(workspace)?
        .into_par_iter()
        .map(|name| RunEntry::read(RunDir::new(workspace.runs().join(name))))
        .collect();
    sort_as_listed(&mut entries, |entry| ListingFacts {
        group: entry.group().map(str::to_owned),
        created: entry.created(),
        view: entry.spec.as_ref().ok().map(|spec| spec.view),
        name: entry.run.name(),
    });
    Ok(entries)
}

/// What decides where a run stands in a list.
#[derive(Clone, Debug)]
pub struct ListingFacts {
    /// The runs that were asked for together.
    pub group: Option<String>,
    /// When it was asked for.
    pub created: Option<DateTime<Utc>>,
    /// Its view.
    pub view: Option<View>,
    /// Its name.
    pub name: String,
}

/// Sorts runs newest first, those of a group together in the order of their views.
pub fn sort_as_listed<T>(runs: &mut [T], facts: impl Fn(&T) -> ListingFacts) {
    let mut newest: HashMap<String, Option<DateTime<Utc>>> = HashMap::new();
    for facts in runs.iter().map(&facts) {
        if let Some(group) = facts.group {
            let newest = newest.entry(group).or_default();
            *newest = facts.created.max(*newest);
        }
    }
    runs.sort_by_cached_key(|run| {
        // A group stands where its newest run does, its views in their order.
        let ListingFacts { group, created, view, name } = facts(run);
        let created = group.as_ref().map_or(created, |group| newest[group]);
        (Reverse(created), group, view.map_or(0, |view| view as u8), Reverse(name))
    });
}

/// The runs that `text` means: a run's name, the id of a group, `latest` (the newest training: a group where several
/// runs were started together), the path of a run directory, or the beginning of a name that no other begins with.
pub fn find_runs(workspace: &Workspace, text: &str) -> Result<RunSelection, FindRunError> {
    let single = |run: RunDir| RunSelection { group: None, runs: vec![run] };
    let is_name = !text.is_empty() && !text.contains('/') && !text.starts_with('.');
    let named = RunDir::new(workspace.runs().join(text));
    if is_name && named.path().is_dir() {
        return Ok(single(named));
    }
    let path = Path::new(text);
    if text.contains('/') || path.join("run.toml").is_file() {
        return find_by_path(path).map(single);
    }
    let entries = list_runs(workspace).map_err(|error| FindRunError::Read { path: workspace.runs(), error })?;
    let newest = entries.first().ok_or_else(|| FindRunError::NoRuns(workspace.runs()))?;
    if text == LATEST {
        let whole = newest.group().and_then(|group| of_group(&entries, group)).filter(|group| group.runs.len() > 1);
        return Ok(whole.unwrap_or_else(|| single(newest.run.clone())));
    }
    if let Some(group) = of_group(&entries, text) {
        return Ok(group);
    }
    find_by_beginning(&entries, text, workspace)
}

fn find_by_path(path: &Path) -> Result<RunDir, FindRunError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The path of a file in it, completed by the shell, means the run too.
    let folder = if path.is_file() { path.parent().unwrap_or(&path) } else { &path };
    let run = RunDir::new(folder);
    if run.spec().is_file() || run.status().is_file() { Ok(run) } else { Err(FindRunError::NotARun(folder.to_owned())) }
}

fn of_group(entries: &[RunEntry], group: &str) -> Option<RunSelection> {
    let runs: Vec<RunDir> =
        entries.iter().filter(|entry| entry.group() == Some(group)).map(|entry| entry.run.clone()).collect();
    (!runs.is_empty()).then(|| RunSelection { group: Some(group.to_owned()), runs })
}

fn find_by_beginning(entries: &[RunEntry], text: &str, workspace: &Workspace) -> Result<RunSelection, FindRunError> {
    let mut names: Vec<String> = entries.iter().map(|entry| entry.run.name()).collect();
    let groups: BTreeSet<&str> = entries.iter().filter_map(RunEntry::group).collect();
    names.extend(groups.into_iter().map(str::to_owned));
    let beginning: Vec<&String> = names.iter().filter(|name| !text.is_empty() && name.starts_with(text)).collect();
    match beginning[..] {
        [name] => Ok(of_group(entries, name)
            .unwrap_or_else(|| RunSelection { group: None, runs: vec![RunDir::new(workspace.runs().join(name))] })),
        [] => Err(FindRunError::Unknown { name: text.to_owned(), runs: workspace.runs(), near: near(&names, text) }),
        _ => Err(FindRunError::Ambiguous {
            name: text.to_owned(),
            count: beginning.len(),
            some: beginning.into_iter().take(SUGGESTIONS).cloned().collect(),
        }),
    }
}

/// Names that hold the text, newest first, else those that are spelt most alike.
fn near(names: &[String], text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let holding = names.iter().filter(|name| !lower.is_empty() && name.to_lowercase().contains(&lower));
    let holding: Vec<String> = holding.take(SUGGESTIONS).cloned().collect();
    if !holding.is_empty() {
        return holding;
    }
    let mut alike: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &lower), name))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .collect();
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    alike.into_iter().take(SUGGESTIONS).map(|(_, name)| name.clone()).collect()
}

/// The names of the run directories, in no order; what begins with a dot is being made, or is somebody else's.
pub fn run_names(workspace: &Workspace) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.runs())? {
        let entry = entry?;
        let is_folder =
            entry.file_type().is_ok_and(|kind| kind.is_dir() || (kind.is_symlink() && entry.path().is_dir()));
        if is_folder && !entry.file_name().as_encoded_bytes().starts_with(b".") {
            names.push(entry.file_name());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
