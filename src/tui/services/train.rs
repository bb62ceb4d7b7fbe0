//! What the screen Train wants of the world: data sets listed, steps timed, trainers started.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, bail};

use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::train::{DataRequest, DataSummary, SplitChoice, StartRequest, StartedRuns};
use crate::tui::protocol::train::{TrainEffect, TrainMessage};
use mammoscope_dataset::copied_images::{CopiedImages, copied_files};
use mammoscope_dataset::folder_layout::scan;
use mammoscope_dataset::grey_check::{StatingWords, check_grey_range};
use mammoscope_dataset::manifest::{ManifestSet, build_manifests};
use mammoscope_dataset::split::SplitPlan;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::step_benchmark::{BenchmarkError, time_steps};
use mammoscope_engine_protocol::protocol::{BenchmarkWork, JobId};
use mammoscope_runs::training_plan::TrainingPlan;
use mammoscope_runs::training_start::{check_disk, count_gpus, start_plan};
use mammoscope_storage::runs::workspace::Workspace;

/// How many problems of folders are named; the rest are counted.
const NAMED_PROBLEMS: usize = 3;
/// How a grey range is stated in the form.
const IN_THE_FORM: StatingWords = StatingWords { say: "set bits (the last row) to", or: "to", white: "the white N" };

/// Carries out what the screen Train wants.
pub(in crate::tui) struct TrainService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    scans: Option<Sender<(u64, DataRequest)>>,
    /// The newest scan.
    newest_scan: Arc<AtomicU64>,
    timings: Option<Sender<TimingRequest>>,
    /// The timing that is still wanted; 0 for none.
    wanted: Arc<AtomicU64>,
}

struct TimingRequest {
    request: u64,
    config: TrainingConfig,
    device: DeviceChoice,
}

impl TrainService {
    pub(super) fn new(workspace: Workspace, inbox: Sender<UiMessage>) -> Self {
        Self { workspace, inbox, scans: None, newest_scan: Arc::default(), timings: None, wanted: Arc::default() }
    }

    pub(super) fn perform(&mut self, effect: TrainEffect) {
        match effect {
            TrainEffect::Scan { request, data } => {
                self.newest_scan.store(request, Ordering::Release);
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                let newest = Arc::clone(&self.newest_scan);
                let scans = self.scans.get_or_insert_with(|| {
                    let (scans, waiting) = channel();
                    thread::spawn(move || scan_data(&waiting, &newest, &workspace, &inbox));
                    scans
                });
                // The thread is there as long as this is.
                let _ = scans.send((request, data));
            }
            TrainEffect::Time { request, config, device } => {
                // Requests count from 0; 0 here is none.
                self.wanted.store(request + 1, Ordering::Release);
                let (wanted, inbox) = (Arc::clone(&self.wanted), self.inbox.clone());
                let timings = self.timings.get_or_insert_with(|| {
                    let (timings, waiting) = channel();
                    thread::spawn(move || time_trainings(&waiting, &wanted, &inbox));
                    timings
                });
                let _ = timings.send(TimingRequest { request, config, device });
            }
            TrainEffect::CancelTiming => self.wanted.store(0, Ordering::Release),
            TrainEffect::Start(request) => {
                let (workspace, inbox) = (self.workspace.clone(), self.inbox.clone());
                thread::spawn(move || {
                    let outcome = start(&request, &workspace).map_err(|error| format!("{error:#}"));
                    // Nobody to tell: the workbench was left, and the trainers go on.
                    let _ = inbox.send(UiMessage::Train(TrainMessage::Started(outcome)));
                });
            }
        }
    }
}

/// One scan after another, the newest only; one that is no longer that is given up.
fn scan_data(
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
        let outcome = outlook(&data, workspace, &is_old).map_err(|error| format!("{error:#}"));
        if inbox.send(UiMessage::Train(TrainMessage::Scanned { request, outcome })).is_err() {
            return;
        }
    }
}

fn outlook(
    data: &DataRequest,
    workspace: &Workspace,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<DataSummary> {
    let (manifests, problems) = manifests(data, interrupted)?;
    Ok(DataSummary::new(&manifests, problems, workspace.free_bytes()))
}

/// The images that are asked for, and what of the folders is not as it should be.
fn manifests(
    data: &DataRequest,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<(ManifestSet, Vec<String>)> {
    let scanned = scan(&at_home(&data.root))?;
    let plan = match data.splits {
        SplitChoice::OwnOrDrawn => SplitPlan::FoldersOrDrawn { seed: data.seed },
        SplitChoice::AllAsTrain => SplitPlan::AllAsTrain,
    };
    let mut manifests = build_manifests(&scanned, &data.views, plan, false)?;
    let mut problems: Vec<String> = scanned.problems.iter().take(NAMED_PROBLEMS).map(ToString::to_string).collect();
    let more = scanned.problems.len().saturating_sub(NAMED_PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more like these"));
    }
    let paths: Vec<PathBuf> = manifests.manifests.iter().flat_map(DatasetManifest::paths).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let facts = check_grey_range(&paths, data.grey_range, interrupted)
        .map_err(|error| anyhow::anyhow!(error.advising(IN_THE_FORM)))?;
    problems.extend(facts.note(data.grey_range));
    for manifest in &mut manifests.manifests {
        manifest.grey_range = data.grey_range;
    }
    Ok((manifests, problems))
}

/// A path whose `~` is the home folder.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(below), Some(home)) => PathBuf::from(home).join(below),
        _ => path.to_owned(),
    }
}

/// One timing after another, the newest only; one that is no longer wanted is given up.
fn time_trainings(waiting: &Receiver<TimingRequest>, wanted: &AtomicU64, inbox: &Sender<UiMessage>) {
    while let Ok(mut newest) = waiting.recv() {
        while let Ok(newer) = waiting.try_recv() {
            newest = newer;
        }
        let request = newest.request;
        let unwanted = || wanted.load(Ordering::Acquire) != request + 1;
        let outcome = match time(newest, &unwanted) {
            Err(_) if unwanted() => continue,
            outcome => outcome.map_err(|error| format!("{error:#}")),
        };
        if inbox.send(UiMessage::Train(TrainMessage::Timed { request, outcome })).is_err() {
            return;
        }
    }
}

fn time(request: TimingRequest, unwanted: &dyn Fn() -> bool) -> anyhow::Result<StepTiming> {
    let path = locate_engine()?.path;
    let mut engine = EngineProcess::start(&path, Timeouts::default(), unwanted)?;
    let work = BenchmarkWork { config: request.config, device: request.device };
    // Dropped behind this, the engine leaves its memory to the training.
    time_steps(&mut engine, JobId(request.request), work, unwanted).map_err(|error| match error {
        BenchmarkError::Failed(reason) => anyhow::anyhow!(reason),
        error => error.into(),
    })
}

/// The same as `mammoscope train --detach`.
fn start(request: &StartRequest, workspace: &Workspace) -> anyhow::Result<StartedRuns> {
    request.config.check()?;
    let engine = locate_engine()?.path;
    let (ManifestSet { manifests, .. }, _) = manifests(&request.data, &|| false)?;
    for manifest in &manifests {
        if let Some(copies) = copied_files(manifest, &|| false).and_then(CopiedImages::some) {
            bail!("{}: {copies}; remove one of each, or use mammoscope train --allow-duplicates", manifest.view);
        }
    }
    let gpus = count_gpus(&request.devices, &engine).context("device")?;
    let data = manifests.first().map(|manifest| manifest.root.clone()).context("there is no view to train")?;
    let shares = request.devices.deal(manifests.len(), gpus);
    check_disk(&request.config, &manifests, workspace)?;
    let plan = TrainingPlan {
        preset: request.preset.clone(),
        label: request.label.clone(),
        data,
        config: request.config.clone(),
        manifests,
        shares,
    };
    let started = start_plan(&plan, workspace, &engine, &|| false, &mut |_, _| {})?;
    let failures = started.failed.iter().map(|(_, error)| error.to_string()).collect();
    Ok(StartedRuns { runs: started.at_work, failures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_dataset::grey_check::GreyRangeError;

    #[test]
    fn the_form_says_its_own_fields() {
        let doubt = GreyRangeError::InDoubt { deep: 3, largest: 4000, file: "a.png".into() };
        assert_eq!(
            doubt.advising(IN_THE_FORM),
            "the largest value of the 3 16-bit images is 4,000 (a.png), as of 12 bits: set bits (the last row) to 12, or to \
             16 if 65,535 is white"
        );
        let above = GreyRangeError::AboveWhite { file: "a.png".into(), value: 5000, white: 4095 };
        assert!(!above.advising(IN_THE_FORM).contains("--"), "{above}");
    }
}
