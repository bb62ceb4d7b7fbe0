//! The kept models of a run that can be used, by epoch.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::console::{Console, WrongUse};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::models::model_set::ModelEntry;
use mammoscope_storage::runs::kept_checkpoints::{KeptCheckpoint, kept_checkpoints};
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::workspace::Workspace;

/// The model of an epoch.
pub(super) struct KeptModel {
    pub(super) epoch: u32,
    pub(super) file: String,
    pub(super) entry: ModelEntry,
}

/// A run with the models that it has kept.
pub(super) struct KeptModels {
    pub(super) run: RunDir,
    pub(super) spec: RunSpec,
    /// At least two.
    pub(super) models: Vec<KeptModel>,
    /// The files that cannot be used.
    pub(super) skipped: Vec<FileProblem>,
}

impl KeptModels {
    /// Finds the run, and checks all of its kept models. Those that cannot be used are left out with a warning.
    pub(super) fn open(requested: &Path, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Self> {
        let run = only_run(requested, workspace)?;
        let name = printable(&run.name());
        let spec = read_run_spec(&run.spec()).with_context(|| printable_path(&run.spec()))?;
        let found = kept_checkpoints(&run).with_context(|| format!("read {}", printable_path(&run.checkpoints())))?;
        match &found[..] {
            [] => bail!(
                "{name} has kept no models of its epochs; train with --set keep_every=N to keep that of every Nth epoch"
            ),
            [only] => bail!("{name} has kept {}: {}", ONE_MODEL, only.file_name()),
            _ => {}
        }
        let (mut models, mut skipped) = (Vec::new(), Vec::new());
        for kept in found {
            match kept.read() {
                Ok(model) => {
                    let file = kept.file_name();
                    let KeptCheckpoint { epoch, path } = kept;
                    models.push(KeptModel {
                        epoch,
                        file,
                        entry: ModelEntry { path, metadata: model.metadata, fault: None },
                    });
                }
                Err(error) => {
                    let problem = FileProblem::new(&kept.path, error.to_string());
                    console.warn(format!("epoch {} is left out: {problem}", kept.epoch));
                    skipped.push(problem);
                }
            }
        }
        if models.len() < 2 {
            let damaged = counted(skipped.len(), "kept model");
            bail!("{name}: {damaged} cannot be used, as listed above, and {ONE_MODEL} or none is left");
        }
        Ok(Self { run, spec, models, skipped })
    }

    /// The run's name, for people.
    pub(super) fn name(&self) -> String {
        printable(&self.run.name())
    }

    pub(super) fn last(&self) -> &KeptModel {
        &self.models[self.models.len() - 1]
    }
}

/// What is not enough.
const ONE_MODEL: &str = "one model of its epochs alone, and maps over epochs need two or more: train with a smaller \
                         --set keep_every=N";

/// The run that is named; the runs of a group or a study are too many.
fn only_run(requested: &Path, workspace: Option<&Path>) -> anyhow::Result<RunDir> {
    let text = requested.to_str().with_context(|| format!("{} is not UTF-8", printable_path(requested)))?;
    let found = find_runs(&Workspace::open_to_read(workspace)?, text)?;
    match &found.runs[..] {
        [run] => Ok(run.clone()),
        runs => {
            let names: Vec<String> = runs.iter().take(4).map(|run| printable(&run.name())).collect();
            let more = if runs.len() > 4 { ", …" } else { "" };
            Err(WrongUse(format!(
                "--over-epochs {}: these are {} runs; name one of them: {}{more}",
                printable(text),
                runs.len(),
                names.join(", ")
            ))
            .into())
        }
    }
}
