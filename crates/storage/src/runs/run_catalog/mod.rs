//! The runs of a workspace, and the search for them by name.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use super::labels_file::read_labels;
use super::run_dir::RunDir;
use super::run_spec_file::{RunSpecError, read_run_spec};
use super::run_status_file::{RunStatusError, read_status};
use super::workspace::Workspace;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The name that stands for the newest run or group.
pub const LATEST: &str = "latest";
/// The number of names that an error lists.
const SUGGESTIONS: usize = 3;
/// The similarity from which a name counts as a misspelling (1: equal).
const MIN_SIMILARITY: f64 = 0.7;

/// A run with the contents of its two small files, or the errors of reading them.
#[derive(Debug)]
pub struct RunEntry {
    pub run: RunDir,
    /// The specification, `run.toml`.
    pub spec: Result<RunSpec, RunSpecError>,
    /// The status, `status.json`.
    pub status: Result<RunStatus, RunStatusError>,
}

impl RunEntry {
    /// Reads `run.toml` and `status.json`.
    #[must_use]
    pub fn read(run: RunDir) -> Self {
        let (spec, status) = (read_run_spec(&run.spec()), read_status(&run.status()));
        Self { run, spec, status }
    }

    /// The id of the group of runs that were started together.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let specified = self.spec.as_ref().ok().map(|spec| spec.group.as_str());
        specified
            .or_else(|| self.status.as_ref().ok().map(|status| status.group.as_str()))
            .filter(|group| !group.is_empty())
    }

    /// The run's place in a study, if it is in one.
    #[must_use]
    pub fn study(&self) -> Option<&StudyMember> {
        self.spec.as_ref().ok()?.study.as_ref()
    }

    /// The facts that determine its position in a list.
    #[must_use]
    pub fn listing_facts(&self) -> ListingFacts {
        ListingFacts {
            group: self.group().map(str::to_owned),
            study: self.study().map(StudyPlace::of),
            created: self.created(),
            view: self.spec.as_ref().ok().map(|spec| spec.view),
            name: self.run.name(),
        }
    }

    /// The time when the run was created.
    #[must_use]
    pub fn created(&self) -> Option<DateTime<Utc>> {
        self.spec.as_ref().ok().map(|spec| spec.created)
    }
}

/// The result of a search: one run, the runs of a group in the order of their views, or the runs of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSelection {
    /// The id of the group, if a group was found.
    pub group: Option<String>,
    /// The id of the study, if a study was found.
    pub study: Option<String>,
    /// The runs, at least one.
    pub runs: Vec<RunDir>,
}

/// A search that found no run, or an ambiguous name.
#[derive(Debug, thiserror::Error)]
pub enum FindRunError {
    /// The folder of the runs cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    /// There are no runs at all.
    #[error("no runs in {} yet; `mammoscope train` creates them", printable_path(.0))]
    NoRuns(PathBuf),
    /// No run, group or study has this name.
    #[error("no run or group '{}' in {}{}", printable(name), printable_path(runs), suggestion(near))]
    Unknown {
        name: String,
        runs: PathBuf,
        /// Similar names, if any.
        near: Vec<String>,
    },
    /// Several names start with the text.
    #[error("'{}' is the beginning of {count} names, such as {}; type more of it", printable(name), listed(some))]
    Ambiguous {
        name: String,
        /// The number of names that start with it.
        count: usize,
        /// The first of them.
        some: Vec<String>,
    },
    /// Several runs were given the name.
    #[error("{count} runs are named '{}', such as {}; use the name of a folder", printable(name), listed(some))]
    Shared {
        name: String,
        /// The number of runs with it.
        count: usize,
        /// The first of them.
        some: Vec<String>,
    },
    /// The folder is not a run.
    #[error("{} is not a run: it has no run.toml", printable_path(.0))]
    NotARun(PathBuf),
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ")
}

fn suggestion(near: &[String]) -> String {
    if near.is_empty() { "; `mammoscope runs` lists them".to_owned() } else { format!("; similar: {}", listed(near)) }
}

/// Lists the runs of a workspace, newest first, those of a group together in the order of their views. Runs whose
/// `run.toml` cannot be read come last, ordered by name. Two small files per run are read on all cores: ten thousand
/// runs take a fraction of a second.
pub fn list_runs(workspace: &Workspace) -> io::Result<Vec<RunEntry>> {
    let mut entries: Vec<RunEntry> = run_names(workspace)?
        .into_par_iter()
        .map(|name| RunEntry::read(RunDir::new(workspace.runs().join(name))))
        .collect();
    sort_as_listed(&mut entries, RunEntry::listing_facts);
    Ok(entries)
}

/// Lists the runs of a workspace as [`list_runs`] does; a workspace that does not exist has none.
pub fn list_any_runs(workspace: &Workspace) -> io::Result<Vec<RunEntry>> {
    match list_runs(workspace) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}

/// The facts that determine the position of a run in a list.
#[derive(Clone, Debug)]
pub struct ListingFacts {
    /// The id of the group of runs that were started together.
    pub group: Option<String>,
    pub study: Option<StudyPlace>,
    /// The time when the run was created.
    pub created: Option<DateTime<Utc>>,
    pub view: Option<View>,
    pub name: String,
}

/// A study's id, and the position of a run within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StudyPlace {
    pub id: String,
    /// Point, repetition and fold.
    position: (u32, u32, Option<u32>),
}

impl StudyPlace {
    #[must_use]
    pub fn of(member: &StudyMember) -> Self {
        Self { id: member.id.clone(), position: (member.point, member.repetition, member.fold) }
    }
}

impl ListingFacts {
    /// The id that the run shares with those that are listed beside it.
    fn shared_id(&self) -> Option<&str> {
        self.study.as_ref().map(|place| place.id.as_str()).or(self.group.as_deref())
    }
}

/// Sorts runs newest first: those of a study together by point, seed, fold and view, those of a group by view.
pub fn sort_as_listed<T>(runs: &mut [T], facts: impl Fn(&T) -> ListingFacts) {
    let mut newest: HashMap<String, Option<DateTime<Utc>>> = HashMap::new();
    for facts in runs.iter().map(&facts) {
        if let Some(id) = facts.shared_id() {
            match newest.get_mut(id) {
                Some(newest) => *newest = facts.created.max(*newest),
                None => drop(newest.insert(id.to_owned(), facts.created)),
            }
        }
    }
    runs.sort_by_cached_key(|run| {
        // Runs that belong together have the position of the newest of them.
        let facts = facts(run);
        let created = facts.shared_id().map_or(facts.created, |id| newest[id]);
        let ListingFacts { group, study, view, name, .. } = facts;
        (Reverse(created), study, group, view.map_or(0, |view| view as u8), Reverse(name))
    });
}

/// Finds the runs that `text` refers to: a run's name, the id of a group or a study, `latest` (the newest run, or its group if
/// several runs were started together), the name that people gave it, the path of a run directory, or an unambiguous beginning of a name.
pub fn find_runs(workspace: &Workspace, text: &str) -> Result<RunSelection, FindRunError> {
    let single = |run: RunDir| RunSelection { group: None, study: None, runs: vec![run] };
    let is_name = !text.is_empty() && !text.contains('/') && !text.starts_with('.');
    let named = RunDir::new(workspace.runs().join(text));
    if is_name && named.path().is_dir() {
        return Ok(single(named));
    }
    let path = Path::new(text);
    if text.contains('/') || path.join("run.toml").is_file() {
        return find_by_path(path).map(single);
    }
    let entries = list_any_runs(workspace).map_err(|error| FindRunError::Read { path: workspace.runs(), error })?;
    let newest = entries.first().ok_or_else(|| FindRunError::NoRuns(workspace.runs()))?;
    if text == LATEST {
        let together = newest.study().map(|member| member.id.as_str()).or_else(|| newest.group());
        let together = together.and_then(|id| of_id(&entries, id)).filter(|found| found.runs.len() > 1);
        return Ok(together.unwrap_or_else(|| single(newest.run.clone())));
    }
    if let Some(found) = of_id(&entries, text) {
        return Ok(found);
    }
    if let Some(found) = find_by_label(&entries, text) {
        return found;
    }
    find_by_prefix(&entries, text, workspace)
}

fn find_by_path(path: &Path) -> Result<RunDir, FindRunError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The path of a file in the run, as completed by the shell, refers to the run too.
    let folder = if path.is_file() { path.parent().unwrap_or(&path) } else { &path };
    let run = RunDir::new(folder);
    if run.spec().is_file() || run.status().is_file() { Ok(run) } else { Err(FindRunError::NotARun(folder.to_owned())) }
}

/// The runs of the study or the group with this id.
fn of_id(entries: &[RunEntry], id: &str) -> Option<RunSelection> {
    let of = |belongs: &dyn Fn(&RunEntry) -> bool| -> Vec<RunDir> {
        entries.iter().filter(|entry| belongs(entry)).map(|entry| entry.run.clone()).collect()
    };
    let of_study = of(&|entry| entry.study().is_some_and(|member| member.id == id));
    if !of_study.is_empty() {
        return Some(RunSelection { group: None, study: Some(id.to_owned()), runs: of_study });
    }
    let of_group = of(&|entry| entry.group() == Some(id));
    (!of_group.is_empty()).then(|| RunSelection { group: Some(id.to_owned()), study: None, runs: of_group })
}

/// The run that was given this name, or the runs of a group that share it.
fn find_by_label(entries: &[RunEntry], text: &str) -> Option<Result<RunSelection, FindRunError>> {
    let is_named = |entry: &&RunEntry| read_labels(&entry.run).is_ok_and(|labels| labels.name.as_deref() == Some(text));
    let named: Vec<&RunEntry> = entries.par_iter().filter(is_named).collect();
    let group = named.first()?.group();
    let runs: Vec<RunDir> = named.iter().map(|entry| entry.run.clone()).collect();
    if named.len() > 1 && (group.is_none() || named.iter().any(|entry| entry.group() != group)) {
        let names = runs.iter().take(SUGGESTIONS).map(RunDir::name).collect();
        return Some(Err(FindRunError::Shared { name: text.to_owned(), count: named.len(), some: names }));
    }
    let group = group.filter(|_| named.len() > 1).map(str::to_owned);
    Some(Ok(RunSelection { group, study: None, runs }))
}

fn find_by_prefix(entries: &[RunEntry], text: &str, workspace: &Workspace) -> Result<RunSelection, FindRunError> {
    let mut names: Vec<String> = entries.iter().map(|entry| entry.run.name()).collect();
    let studies = entries.iter().filter_map(|entry| entry.study().map(|member| member.id.as_str()));
    let ids: BTreeSet<&str> = entries.iter().filter_map(RunEntry::group).chain(studies).collect();
    names.extend(ids.into_iter().map(str::to_owned));
    let matching: Vec<&String> = names.iter().filter(|name| !text.is_empty() && name.starts_with(text)).collect();
    match matching[..] {
        [name] => Ok(of_id(entries, name).unwrap_or_else(|| RunSelection {
            group: None,
            study: None,
            runs: vec![RunDir::new(workspace.runs().join(name))],
        })),
        [] => Err(FindRunError::Unknown {
            name: text.to_owned(),
            runs: workspace.runs(),
            near: similar_names(&names, text),
        }),
        _ => Err(FindRunError::Ambiguous {
            name: text.to_owned(),
            count: matching.len(),
            some: matching.into_iter().take(SUGGESTIONS).cloned().collect(),
        }),
    }
}

/// Returns names that contain the text, newest first, otherwise those with the most similar spelling.
fn similar_names(names: &[String], text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let containing = names.iter().filter(|name| !lower.is_empty() && name.to_lowercase().contains(&lower));
    let containing: Vec<String> = containing.take(SUGGESTIONS).cloned().collect();
    if !containing.is_empty() {
        return containing;
    }
    let mut alike: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &lower), name))
        .filter(|(likeness, _)| *likeness >= MIN_SIMILARITY)
        .collect();
    alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    alike.into_iter().take(SUGGESTIONS).map(|(_, name)| name.clone()).collect()
}

/// Lists the names of the run directories in no particular order. Hidden folders are still being created, or not ours.
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
