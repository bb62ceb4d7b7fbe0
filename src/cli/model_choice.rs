//! The models that `--model` names: a file, a folder, a run, or the runs of a group.

use std::path::Path;

use anyhow::bail;

use super::console::Console;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::models::model_set::ModelSet;
use mammoscope_storage::runs::best_checkpoint::{NoBestCheckpoint, best_checkpoint};
use mammoscope_storage::runs::run_catalog::{FindRunError, find_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Opens what `--model` names; a model with weights that are no numbers is an error.
pub(super) fn open_models(asked: &Path, workspace: Option<&Path>, console: &Console) -> anyhow::Result<ModelSet> {
    Ok(open_models_and_faulty(asked, workspace, console)?.without_faults()?)
}

/// Opens what `--model` names. What exists is a model file, a folder of models or a run directory; what does not is the
/// name of a run or a group, of which the best checkpoints are taken.
pub(super) fn open_models_and_faulty(
    asked: &Path,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<ModelSet> {
    let is_run = RunDir::new(asked).spec().is_file();
    let looks_like_a_path = asked.components().count() > 1 || asked.extension().is_some();
    let name = asked.to_str().filter(|_| is_run || !(asked.exists() || looks_like_a_path));
    let Some(name) = name else { return Ok(ModelSet::open(asked)?) };
    let found = match find_runs(&Workspace::open(workspace)?, name) {
        Err(FindRunError::NoRuns(runs)) => {
            bail!("{} does not exist, and there are no runs in {} yet", printable(name), printable_path(&runs))
        }
        found => found?,
    };
    let mut files = Vec::new();
    for run in &found.runs {
        match best_checkpoint(run) {
            Ok(file) => files.push(file),
            Err(error @ NoBestCheckpoint::None(_)) if found.runs.len() > 1 => console.warn(error),
            Err(error) => return Err(error.into()),
        }
    }
    if files.is_empty() {
        bail!("no run of {} has a best checkpoint yet", printable(name));
    }
    Ok(ModelSet::of_files(&files)?)
}
