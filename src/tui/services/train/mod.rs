//! The service of the screen Train: summarises data sets, times steps, and starts trainers.

mod folds;
mod run_splits;
mod start;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::Context as _;

use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::train::{DataRequest, DataSummary, SplitChoice};
use crate::tui::protocol::train::{RunHistory, TimingRequest, TrainEffect, TrainMessage};
use folds::{Comparison, fold_table, plan_of};
use mammoscope_dataset::data_warning::DataWarning;
use mammoscope_dataset::folder_layout::{FolderScan, scan};
use mammoscope_dataset::grey_check::{AdviceWording, check_grey_range};
use mammoscope_dataset::manifest::{ManifestSet, build_manifests};
use mammoscope_dataset::split::SplitPlan;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::placement_benchmark::{PlacementTiming, time_placements};
use mammoscope_engine_client::step_benchmark::BenchmarkError;
use mammoscope_runs::placement_choice::PlacementRequest;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_runs::training_start::count_gpus;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use run_splits::{recorded, splits_of};
use start::start;

/// The number of folder problems that are listed; the rest are counted.
const MAX_LISTED_PROBLEMS: usize = 3;
/// The words for stating a grey range in the form.
const IN_THE_FORM: AdviceWording = AdviceWording { say: "set bits (the last row) to", or: "to", white: "the white N" };

/// The service of the screen Train.
pub(in crate::tui) struct TrainService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    scans: Option<Sender<(u64, DataRequest)>>,
    /// The number of the latest scan.
    newest_scan: Arc<AtomicU64>,
    timings: Option<Sender<(u64, TimingRequest)>>,
    /// One more than the number of the timing in demand; 0 for none.
    wanted: Arc<AtomicU64>,
}

impl TrainService {
    pub(super) fn new(workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self {
            workspace: workspace.clone(),
            inbox: inbox.clone(),
            scans: None,
            newest_scan: Arc::default(),
            timings: None,
            wanted: Arc::default(),
        }
    }

    pub(super) fn perform(&mut self, effect: TrainEffect) {
        match effect {
            TrainEffect::Scan { request, data } => {
                self.newest_scan.store(request, Ordering::Release);
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                let newest = Arc::clone(&self.newest_scan);
                let scans = self.scans.get_or_insert_with(|| {
                    let (scans, waiting) = channel();
                    thread::spawn(move || serve_scans(&waiting, &newest, &workspace, &inbox));
                    scans
                });
                // The thread lives as long as this service.
                let _ = scans.send((request, data));
            }
            TrainEffect::Time { request, runs } => {
                // Requests count from 0, which means none here.
                self.wanted.store(request + 1, Ordering::Release);
                let (wanted, inbox) = (Arc::clone(&self.wanted), self.inbox.clone());
                let timings = self.timings.get_or_insert_with(|| {
                    let (timings, waiting) = channel();
                    thread::spawn(move || serve_timings(&waiting, &wanted, &inbox));
                    timings
                });
                let _ = timings.send((request, *runs));
            }
            TrainEffect::CancelTiming => self.wanted.store(0, Ordering::Release),
            TrainEffect::ReadSplits(cloned) => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let outcome = splits_of(&cloned, &workspace).map_err(Failure::from);
                    let _ = inbox.send(UiMessage::Train(TrainMessage::SplitsRead { run: cloned.run, outcome }));
                });
            }
            TrainEffect::ReadHistories(runs) => {
                let inbox = self.inbox.clone();
                thread::spawn(move || {
                    let histories = runs.into_iter().map(history).collect();
                    let _ = inbox.send(UiMessage::Train(TrainMessage::Histories(histories)));
                });
            }
            TrainEffect::Start(request) => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let outcome = start(&request, &workspace).map_err(Failure::from);
                    // Sending fails if the workbench was left; the trainers continue.
                    let _ = inbox.send(UiMessage::Train(TrainMessage::Started(outcome)));
                });
            }
        }
    }
}

fn history(run: RunDir) -> RunHistory {
    let snapshot = RunSnapshot::read(run.clone());
    let epochs = snapshot.state().summary.records.iter();
    let validation_losses = epochs.map(|epoch| epoch.record.metrics.val_loss.unwrap_or(f64::NAN)).collect();
    RunHistory { run, validation_losses }
}

/// Performs the latest scan request; a scan is given up when a newer request comes.
fn serve_scans(
    waiting: &Receiver<(u64, DataRequest)>,
    newest_scan: &AtomicU64,
    workspace: &Workspace,
    inbox: &Sender<UiMessage>,
) {
    while let Ok(mut newest) = waiting.recv() {
        while let Ok(newer) = waiting.try_recv() {
            newest = newer;
        }
        let (request, data) = newest;
        let is_old = || newest_scan.load(Ordering::Acquire) != request;
        let outcome = summarise(&data, workspace, Cancellation::new(&is_old)).map_err(Failure::from);
        if inbox.send(UiMessage::Train(TrainMessage::Scanned { request, outcome })).is_err() {
            return;
        }
    }
}

fn summarise(data: &DataRequest, workspace: &Workspace, cancellation: Cancellation<'_>) -> anyhow::Result<DataSummary> {
    let images = PlannedImages::of(data, Comparison::None, cancellation)?;
    Ok(DataSummary::new(&images.set, images.problems, workspace.free_bytes()))
}

/// The images of the requested runs.
struct PlannedImages {
    /// One manifest per view, and per fold in a cross-validation.
    set: ManifestSet,
    /// Problems with the folders.
    problems: Vec<String>,
    /// The table of folds.
    folds: Option<Vec<u8>>,
}

impl PlannedImages {
    /// Without a comparison of pictures, a cross-validation has the manifests of its first fold only.
    fn of(data: &DataRequest, comparison: Comparison, cancellation: Cancellation<'_>) -> anyhow::Result<Self> {
        let scanned = scan(&expand_home(&data.root))?;
        let (plans, folds) = split_plans(data, &scanned, comparison, cancellation)?;
        let mut set = ManifestSet { manifests: Vec::new(), warnings: Vec::new() };
        for plan in plans {
            let of_plan = build_manifests(&scanned, &data.views, plan, false)?;
            set.manifests.extend(of_plan.manifests);
            // Folds of the same images share most of their warnings.
            let is_new =
                |warning: &DataWarning| set.warnings.iter().all(|known| known.to_string() != warning.to_string());
            let new: Vec<_> = of_plan.warnings.into_iter().filter(is_new).collect();
            set.warnings.extend(new);
        }
        let mut problems: Vec<String> =
            scanned.problems.iter().take(MAX_LISTED_PROBLEMS).map(ToString::to_string).collect();
        let more = scanned.problems.len().saturating_sub(MAX_LISTED_PROBLEMS);
        if more > 0 {
            problems.push(format!("and {more} more problems like these"));
        }
        let paths: BTreeSet<PathBuf> = set.manifests.iter().flat_map(DatasetManifest::paths).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let facts = check_grey_range(&paths, data.grey_range, cancellation)
            .map_err(|error| anyhow::anyhow!(error.advice(IN_THE_FORM)))?;
        problems.extend(facts.note(data.grey_range));
        for manifest in &mut set.manifests {
            manifest.grey_range = data.grey_range;
        }
        Ok(Self { set, problems, folds })
    }
}

/// The splits of each run of a view, and the table of folds.
fn split_plans(
    data: &DataRequest,
    scanned: &FolderScan,
    comparison: Comparison,
    cancellation: Cancellation<'_>,
) -> anyhow::Result<(Vec<SplitPlan>, Option<Vec<u8>>)> {
    let plan = match (&data.splits, data.folds) {
        (_, Some(folds)) => {
            let table = fold_table(data, folds, scanned, comparison, cancellation)?;
            let held_out = if comparison == Comparison::None { 1..=1 } else { 1..=folds };
            let plans = held_out.map(|fold| plan_of(&table, fold)).collect::<anyhow::Result<_>>()?;
            return Ok((plans, Some(table)));
        }
        (SplitChoice::OwnOrDrawn, None) => SplitPlan::FoldersOrDrawn { seed: data.seed },
        (SplitChoice::AllAsTrain, None) => SplitPlan::AllAsTrain,
        (SplitChoice::OfRun(splits), None) => SplitPlan::Table(recorded(&splits.run)?),
    };
    Ok((vec![plan], None))
}

/// Expands a leading `~` to the home folder.
fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(below), Some(home)) => PathBuf::from(home).join(below),
        _ => path.to_owned(),
    }
}

/// Performs the latest timing request; a timing is given up when it is cancelled or a newer request comes.
fn serve_timings(waiting: &Receiver<(u64, TimingRequest)>, wanted: &AtomicU64, inbox: &Sender<UiMessage>) {
    while let Ok(mut newest) = waiting.recv() {
        while let Ok(newer) = waiting.try_recv() {
            newest = newer;
        }
        let (request, runs) = newest;
        let unwanted = || wanted.load(Ordering::Acquire) != request + 1;
        let outcome = match time(&runs, Cancellation::new(&unwanted)) {
            Err(_) if unwanted() => continue,
            outcome => outcome.map_err(Failure::from),
        };
        if inbox.send(UiMessage::Train(TrainMessage::Timed { request, outcome })).is_err() {
            return;
        }
    }
}

fn time(runs: &TimingRequest, cancellation: Cancellation<'_>) -> anyhow::Result<PlacementTiming> {
    let engine = locate_engine()?.path;
    let TimingRequest { config, devices, runs, jobs, images } = runs;
    let gpus = count_gpus(devices, &engine).context("device")?;
    let request = PlacementRequest { devices, gpus, jobs: *jobs, config, runs: *runs, images: *images };
    // The engines are dropped after this and leave their memory to the training.
    time_placements(&engine, &request.work(&engine)?, cancellation, &mut |_| {}).map_err(|error| match error {
        BenchmarkError::Failed(reason) => anyhow::anyhow!(reason),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests;
