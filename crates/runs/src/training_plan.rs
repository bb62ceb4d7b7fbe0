//! Making the run directories of a plan: all of them or none.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::manifest_file::{ManifestFileError, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{RunSpecError, write_run_spec};
use mammoscope_storage::runs::run_status_file::{status_of_this_process, write_status};
use mammoscope_storage::runs::study_folder::{StudyFolder, StudyFolderError};
use mammoscope_storage::runs::workspace::{Workspace, new_group_id};

/// Training runs that are requested together: one per view, or the runs of a study.
#[derive(Clone, Debug)]
pub struct TrainingPlan {
    /// The preset that the configurations started from.
    pub preset: String,
    /// The end of the runs' names, after time and view; in a study, point, seed and fold follow it.
    pub label: String,
    /// The data set's root, absolute.
    pub data: PathBuf,
    /// The images, one manifest per view, and per fold in a cross-validation.
    pub manifests: Vec<DatasetManifest>,
    pub runs: Vec<RequestedRun>,
    /// The study that the runs make together, if they do.
    pub study: Option<StudyFolder>,
    /// The number of runs side by side on a device; its threads are those of every configuration.
    pub placement: Option<Placement>,
    /// The command that is run at events of a run.
    pub on_event: Option<String>,
    /// For each trainer, its device and the positions of its runs in `runs`.
    pub shares: Vec<(DeviceChoice, Vec<usize>)>,
}

/// A run of a plan.
#[derive(Clone, Debug)]
pub struct RequestedRun {
    /// The position of its images in the plan's manifests.
    pub manifest: usize,
    pub config: TrainingConfig,
    /// Its place in the study, if the plan is one.
    pub member: Option<StudyMember>,
}

/// The run directories of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRuns {
    /// The id that the runs share: that of their study, or else of their group.
    pub group: String,
    /// In the order of the plan's runs.
    pub runs: Vec<RunDir>,
    /// The runs of each trainer.
    pub shares: Vec<Vec<RunDir>>,
    /// The folder of the study, if the plan is one.
    study: Option<PathBuf>,
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
    #[error(transparent)]
    Study(#[from] StudyFolderError),
}

impl RequestedRun {
    /// One run for each manifest, with the same configuration: the runs of a group.
    #[must_use]
    pub fn of_each(manifests: &[DatasetManifest], config: &TrainingConfig) -> Vec<Self> {
        (0..manifests.len()).map(|manifest| Self { manifest, config: config.clone(), member: None }).collect()
    }

    /// What distinguishes the run within its study, for names: `-p2-s1-fold3`, without what has only one value.
    fn suffix(&self, plan: &TrainingPlan) -> String {
        let Some(member) = &self.member else { return String::new() };
        let members = || plan.runs.iter().filter_map(|run| run.member.as_ref());
        let mut suffix = String::new();
        if members().any(|other| other.point != member.point) {
            suffix.push_str(&format_part("p", member.point));
        }
        if members().any(|other| other.repetition != member.repetition) {
            suffix.push_str(&format_part("s", member.repetition));
        }
        if let Some(fold) = member.fold {
            suffix.push_str(&format_part("fold", fold));
        }
        suffix
    }
}

fn format_part(name: &str, number: u32) -> String {
    format!("-{name}{number}")
}

impl TrainingPlan {
    /// The view of a run.
    #[must_use]
    pub fn view(&self, run: &RequestedRun) -> View {
        self.manifests[run.manifest].view
    }

    /// Sets the placement, and its threads in every configuration.
    pub fn place(&mut self, placement: Placement) {
        for run in &mut self.runs {
            run.config.threads = placement.threads;
        }
        self.placement = Some(placement);
    }

    /// Makes every run directory with `run.toml`, `dataset.json`, `events.jsonl` and `status.json`, and the folder of the
    /// study. After an error, nothing is left behind.
    pub fn create(&self, workspace: &Workspace) -> Result<PlannedRuns, PlanError> {
        let created = Utc::now();
        let mut unfinished = Unfinished::default();
        if let Some(study) = &self.study {
            unfinished.study = Some(study.create(workspace)?);
        }
        // The runs that differ in their view only are a group.
        let mut groups: BTreeMap<String, String> = BTreeMap::new();
        for (position, requested) in self.runs.iter().enumerate() {
            let manifest = &self.manifests[requested.manifest];
            let device = self
                .shares
                .iter()
                .find(|(_, positions)| positions.contains(&position))
                .map(|(device, _)| *device)
                .expect("every run has a device");
            let suffix = requested.suffix(self);
            let label = format!("{}{suffix}", self.label);
            let group = groups.entry(suffix).or_insert_with(|| new_group_id(created, &label)).clone();
            let run = workspace
                .create_run(created, manifest.view, &label)
                .map_err(|error| PlanError::Write { path: workspace.runs(), error })?;
            unfinished.runs.push(run.clone());
            let spec = RunSpec {
                grey_range: manifest.grey_range,
                schema: RUN_SCHEMA,
                on_event: self.on_event.clone(),
                created,
                group,
                view: manifest.view,
                preset: self.preset.clone(),
                data: self.data.clone(),
                device,
                config: requested.config.clone(),
                placement: self.placement.clone(),
                study: requested.member.clone(),
            };
            write_run(&run, &spec, manifest, created)?;
        }
        let (runs, study) = (std::mem::take(&mut unfinished.runs), unfinished.study.take());
        let shares = self.shares.iter().map(|(_, share)| share.iter().map(|&place| runs[place].clone()).collect());
        let id = match &self.study {
            Some(study) => study.id().to_owned(),
            None => groups.into_values().next().unwrap_or_default(),
        };
        Ok(PlannedRuns { group: id, shares: shares.collect(), runs, study })
    }
}

impl PlannedRuns {
    /// Removes those of the runs that no trainer has started, and the study's folder if none of its runs remains.
    pub fn remove(&self, runs: &[RunDir]) {
        remove_runs(runs);
        if let Some(study) = &self.study
            && self.runs.iter().all(|run| !run.path().exists())
        {
            let _ = fs::remove_dir_all(study);
        }
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

/// Run directories and the folder of a study, which are removed on drop.
#[derive(Default)]
struct Unfinished {
    runs: Vec<RunDir>,
    study: Option<PathBuf>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove_runs(&self.runs);
        if let Some(study) = &self.study {
            let _ = fs::remove_dir_all(study);
        }
    }
}

/// Removes runs that no trainer works on.
pub fn remove_runs(runs: &[RunDir]) {
    for run in runs {
        // Anything that cannot be removed stays visible in `mammoscope runs`.
        let _ = fs::remove_dir_all(run.path());
    }
}
