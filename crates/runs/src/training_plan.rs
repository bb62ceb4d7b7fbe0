//! Making the run directories of a plan: all of them or none.

use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::manifest_file::{ManifestFileError, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{RunSpecError, write_run_spec};
use mammoscope_storage::runs::run_status_file::{status_of_this_process, write_status};
use mammoscope_storage::runs::workspace::{Workspace, new_group_id};

/// Training runs that are requested together, one per view.
#[derive(Clone, Debug)]
pub struct TrainingPlan {
    /// The preset that the configuration started from.
    pub preset: String,
    /// The end of the runs' names, after time and view.
    pub label: String,
    /// The data set's root, absolute.
    pub data: PathBuf,
    pub config: TrainingConfig,
    /// The images, one manifest per run.
    pub manifests: Vec<DatasetManifest>,
    /// For each trainer, its device and the positions of its runs in `manifests`.
    pub shares: Vec<(DeviceChoice, Vec<usize>)>,
    /// The number of runs side by side on a device; its threads are those of `config`.
    pub placement: Option<Placement>,
}

/// The run directories of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRuns {
    /// The group id that the runs share.
    pub group: String,
    /// In the order of the plan's manifests.
    pub runs: Vec<RunDir>,
    /// The runs of each trainer.
    pub shares: Vec<Vec<RunDir>>,
}

/// The run directories could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("write to {}: {error}", printable_path(path))]
    Write { path: PathBuf, error: io::Error },
    #[error("write run.toml: {0}")]
    Spec(#[from] RunSpecError),
    #[error(transparent)]
    Manifest(#[from] ManifestFileError),
}

impl TrainingPlan {
    /// Makes every run directory with `run.toml`, `dataset.json`, `events.jsonl` and `status.json`. After an error, nothing
    /// is left behind.
    pub fn create(&self, workspace: &Workspace) -> Result<PlannedRuns, PlanError> {
        let created = Utc::now();
        let group = new_group_id(created, &self.label);
        let mut unfinished = Unfinished(Vec::new());
        for (position, manifest) in self.manifests.iter().enumerate() {
            let device = self
                .shares
                .iter()
                .find(|(_, positions)| positions.contains(&position))
                .map(|(device, _)| *device)
                .expect("every run has a device");
            let run = workspace
                .create_run(created, manifest.view, &self.label)
                .map_err(|error| PlanError::Write { path: workspace.runs(), error })?;
            unfinished.0.push(run.clone());
            let spec = RunSpec {
                grey_range: manifest.grey_range,
                schema: RUN_SCHEMA,
                placement: self.placement.clone(),
                study: None,
                created,
                group: group.clone(),
                view: manifest.view,
                preset: self.preset.clone(),
                data: self.data.clone(),
                device,
                config: self.config.clone(),
            };
            write_run(&run, &spec, manifest, created)?;
        }
        let runs = std::mem::take(&mut unfinished.0);
        let shares = self.shares.iter().map(|(_, share)| share.iter().map(|&place| runs[place].clone()).collect());
        Ok(PlannedRuns { group, shares: shares.collect(), runs })
    }
}

fn write_run(
    run: &RunDir,
    spec: &RunSpec,
    manifest: &DatasetManifest,
    created: DateTime<Utc>,
) -> Result<(), PlanError> {
    write_manifest(&run.manifest(), manifest)?;
    let kind = RunEventKind::Created { preset: spec.preset.clone(), epochs: spec.config.epochs };
    EventLog::open(&run.events())
        .and_then(|mut log| log.append(&RunEvent { time: created, kind }))
        .map_err(|error| PlanError::Write { path: run.events(), error })?;
    let status = status_of_this_process(spec, RunPhase::Queued, created);
    write_status(&run.status(), &status).map_err(|error| PlanError::Write { path: run.status(), error })?;
    // Last: a directory with a run.toml is a complete run.
    write_run_spec(&run.spec(), spec)?;
    Ok(())
}

/// Run directories that are removed on drop.
struct Unfinished(Vec<RunDir>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove_runs(&self.0);
    }
}

/// Removes runs that no trainer has started.
pub fn remove_runs(runs: &[RunDir]) {
    for run in runs {
        // Anything that cannot be removed stays visible in `mammoscope runs`.
        let _ = fs::remove_dir_all(run.path());
    }
}
