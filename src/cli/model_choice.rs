//! The models that `--model` names: a file, a folder, a run, or the runs of a group or a study.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;

use super::console::Console;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::models::model_set::ModelSet;
use mammoscope_storage::runs::best_checkpoint::{NoBestCheckpoint, best_checkpoint};
use mammoscope_storage::runs::run_catalog::{FindRunError, RunEntry, RunSelection, find_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Opens the models that `--model` names; a model with weights that are not finite is an error.
pub(super) fn open_models(requested: &Path, workspace: Option<&Path>, console: &Console) -> anyhow::Result<ModelSet> {
    Ok(open_models_and_faulty(requested, workspace, console)?.without_faults()?)
}

/// Opens the models that `--model` names, faulty ones included. An existing path is a model file, a folder of models or
/// a run directory; anything else is the name of a run, a group or a study, whose best checkpoints are opened.
pub(super) fn open_models_and_faulty(
    requested: &Path,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<ModelSet> {
    let Some(found) = named_runs(requested, workspace)? else { return Ok(ModelSet::open(requested)?) };
    if let Some(study) = &found.study {
        refuse_several_networks(study, &found.runs)?;
    }
    let mut files = Vec::new();
    for run in &found.runs {
        match best_checkpoint(run) {
            Ok(file) => files.push(file),
            Err(error @ NoBestCheckpoint::None(_)) if found.runs.len() > 1 => console.warn(error),
            Err(error) => return Err(error.into()),
        }
    }
    if files.is_empty() {
        bail!("no run of {} has a best checkpoint yet", printable_path(requested));
    }
    Ok(ModelSet::of_files(&files)?)
}

/// The runs that `--model` names; `None` if it is a model file or a folder of models.
pub(super) fn named_runs(requested: &Path, workspace: Option<&Path>) -> anyhow::Result<Option<RunSelection>> {
    let is_run = RunDir::new(requested).spec().is_file();
    let looks_like_a_path = requested.components().count() > 1 || requested.extension().is_some();
    let name = requested.to_str().filter(|_| is_run || !(requested.exists() || looks_like_a_path));
    let Some(name) = name else { return Ok(None) };
    match find_runs(&Workspace::open_to_read(workspace)?, name) {
        Err(FindRunError::NoRuns(runs)) => {
            bail!("{} does not exist, and there are no runs in {} yet", printable(name), printable_path(&runs))
        }
        found => Ok(Some(found?)),
    }
}

/// Whether the runs of a study are more than one for each view.
pub(super) fn has_several_networks(runs: &[RunDir]) -> bool {
    groups_of(runs).len() > 1
}

fn groups_of(runs: &[RunDir]) -> BTreeSet<String> {
    runs.iter().filter_map(|run| Some(RunEntry::read(run.clone()).group()?.to_owned())).collect()
}

/// Refuses a study with more than one network per view.
fn refuse_several_networks(study: &str, runs: &[RunDir]) -> anyhow::Result<()> {
    let groups = groups_of(runs);
    match groups.first() {
        Some(first) if groups.len() > 1 => bail!(
            "the study {} has {} networks for each view; name one of its groups, such as {}, or a run: `mammoscope runs \
             --study {}` lists them",
            printable(study),
            groups.len(),
            printable(first),
            printable(study)
        ),
        _ => Ok(()),
    }
}
