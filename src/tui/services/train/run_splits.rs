//! The splits of an earlier run: where they came from, and its record of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::tui::protocol::train::{ClonedRun, RunSplits, SplitChoice, TableState};
use mammoscope_dataset::split_table::SplitTable;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, SplitFile, SplitSource};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::regular_file::read_regular_file;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The size limit of a table, in bytes: more than one with all the subjects of a country.
const MAX_TABLE: u64 = 1 << 30;

/// The choice of splits that trains on those of a run.
pub(super) fn splits_of(cloned: &ClonedRun, workspace: &Workspace) -> anyhow::Result<SplitChoice> {
    let manifest = manifest_of(cloned.run.path())?;
    Ok(match manifest.split_source {
        SplitSource::Folders | SplitSource::Seeded => SplitChoice::OwnOrDrawn,
        SplitSource::AllAsTrain => SplitChoice::AllAsTrain,
        SplitSource::File => {
            let file = manifest.split_file.as_ref();
            SplitChoice::OfRun(RunSplits {
                run: cloned.run.path().to_owned(),
                file: file.map(|file| file.name.clone()).unwrap_or_default(),
                fold: file.and_then(|file| file.fold),
                state: file.map_or(TableState::NotFound, |file| state_of(file, &cloned.spec, workspace)),
            })
        }
    })
}

/// The splits that a run has recorded.
pub(super) fn recorded(run: &Path) -> anyhow::Result<SplitTable> {
    let manifest = manifest_of(run)?;
    let file = if let Some(file) = &manifest.split_file {
        file.clone()
    } else {
        // A run of an earlier version does not name its table.
        let record = RunDir::new(run).manifest();
        let bytes = fs::read(&record).with_context(|| printable_path(&record))?;
        let name = record.file_name().unwrap_or_default().to_string_lossy().into_owned();
        SplitFile { name, sha256: hexadecimal(&Sha256::digest(&bytes)), fold: None, folds: Vec::new() }
    };
    let splits: BTreeMap<_, _> = manifest.samples.into_iter().map(|sample| (sample.subject, sample.split)).collect();
    Ok(SplitTable::recorded(file, splits))
}

fn manifest_of(run: &Path) -> anyhow::Result<DatasetManifest> {
    let path = RunDir::new(run).manifest();
    read_manifest(&path).with_context(|| format!("the run's record of its images, {}", printable_path(&path)))
}

/// Looks for the table where it is likely to be; a run keeps its name only.
fn state_of(file: &SplitFile, spec: &RunSpec, workspace: &Workspace) -> TableState {
    let mut folders: Vec<PathBuf> = vec![spec.data.clone(), workspace.path().to_owned()];
    folders.extend(spec.data.parent().map(Path::to_owned));
    folders.extend(workspace.path().parent().map(Path::to_owned));
    folders.extend(spec.study.as_ref().map(|study| workspace.study(&study.id)));
    folders.extend(std::env::current_dir());
    let found = folders.iter().filter_map(|folder| read_regular_file(&folder.join(&file.name), MAX_TABLE).ok());
    let same: Vec<bool> = found.map(|bytes| hexadecimal(&Sha256::digest(&bytes)) == file.sha256).collect();
    match same[..] {
        [] => TableState::NotFound,
        _ if same.contains(&true) => TableState::Unchanged,
        _ => TableState::Changed,
    }
}
