//! Starting a plan: the checks beforehand, the run directories, and one trainer per device.

use std::collections::BTreeMap;
use std::path::Path;

use super::trainer_process::{TrainerError, TrainerProcess};
use super::training_plan::{PlanError, PlannedRuns, TrainingPlan};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::disk_estimate::DiskEstimate;
use mammoscope_domain::training::training_changes::TrainingChanges;
use mammoscope_engine_client::engine_probe::{PROBE_TIMEOUT, ProbeFailure, probe_engine};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The requested devices are not available.
#[derive(Debug, thiserror::Error)]
pub enum DeviceShortage {
    /// The engine did not list its devices.
    #[error("ask the engine for its GPUs: {0}")]
    Probe(#[from] ProbeFailure),
    #[error("no GPU can be used here; `mammoscope doctor` shows why")]
    NoGpu,
    #[error("there is no cuda:{requested}; this machine has {}", counted(*gpus, "GPU"))]
    TooFew {
        /// The number of the requested GPU.
        requested: usize,
        /// The number of GPUs.
        gpus: usize,
    },
}

/// The runs would not fit on the disk.
#[derive(Debug, thiserror::Error)]
#[error(
    "the runs and the cache of their images need about {} MB, and {workspace} has {} MB left; choose another --workspace",
    megabytes(*needed), megabytes(*free)
)]
pub struct DiskShortage {
    /// In bytes.
    needed: u64,
    /// In bytes.
    free: u64,
    /// Safe to print.
    workspace: String,
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// Counts the GPUs, if the requested devices include any, else returns 0. Fails if one of them does not exist.
pub fn count_gpus(devices: &DeviceList, engine: &Path) -> Result<usize, DeviceShortage> {
    let highest = match devices {
        DeviceList::AllCuda => Some(0),
        DeviceList::Named(devices) => devices
            .iter()
            .filter_map(|device| if let DeviceChoice::Cuda(number) = device { Some(*number) } else { None })
            .max(),
    };
    let Some(highest) = highest else { return Ok(0) };
    match probe_engine(engine, PROBE_TIMEOUT)?.cuda.devices.len() {
        0 => Err(DeviceShortage::NoGpu),
        gpus if highest >= gpus => Err(DeviceShortage::TooFew { requested: highest, gpus }),
        gpus => Ok(gpus),
    }
}

/// Checks that the GPUs that runs ask for by number exist. Without such runs, the engine is not asked.
pub fn check_gpus(devices: impl IntoIterator<Item = DeviceChoice>, engine: &Path) -> Result<(), DeviceShortage> {
    let named = devices.into_iter().filter(|device| matches!(device, DeviceChoice::Cuda(_))).collect();
    count_gpus(&DeviceList::Named(named), engine).map(drop)
}

/// Checks that the runs and their pixel cache fit on the disk.
pub fn check_disk(plan: &TrainingPlan, workspace: &Workspace) -> Result<(), DiskShortage> {
    let needed = needed_bytes(plan);
    match workspace.free_bytes() {
        Some(free) if needed > free => Err(DiskShortage { needed, free, workspace: printable_path(workspace.path()) }),
        _ => Ok(()),
    }
}

/// The bytes of all runs, and of their images: runs of the same view and size share those.
fn needed_bytes(plan: &TrainingPlan) -> u64 {
    let mut cached: BTreeMap<(View, usize), u64> = BTreeMap::new();
    let mut runs = 0;
    for run in &plan.runs {
        let manifest = &plan.manifests[run.manifest];
        let estimate = DiskEstimate::new(&run.config, 1, manifest.samples.len());
        runs += estimate.runs;
        let of_view = cached.entry((manifest.view, run.config.size)).or_default();
        *of_view = estimate.pixel_cache.max(*of_view);
    }
    runs + cached.values().sum::<u64>()
}

/// The result of starting trainers.
#[derive(Debug)]
pub struct StartedTrainers {
    /// The runs whose trainers have started.
    pub running: Vec<RunDir>,
    /// The runs of trainers that ended before they started any, with the reason.
    pub failed: Vec<(Vec<RunDir>, TrainerError)>,
}

/// Starts a trainer for each share of the runs, all at once and with these changes, and waits until each has started a run.
/// `on_processes` is called before this wait, which can be long because libtorch is loaded, with the runs whose trainer
/// process exists.
pub fn start_trainers(
    engine: &Path,
    shares: Vec<Vec<RunDir>>,
    changes: &TrainingChanges,
    cancellation: Cancellation<'_>,
    on_processes: &mut dyn FnMut(Vec<RunDir>),
) -> StartedTrainers {
    let mut started = StartedTrainers { running: Vec::new(), failed: Vec::new() };
    let mut starting = Vec::new();
    for share in shares {
        match TrainerProcess::start(engine, &share, changes) {
            Ok(trainer) => starting.push((trainer, share)),
            Err(error) => started.failed.push((share, error)),
        }
    }
    on_processes(starting.iter().flat_map(|(_, share)| share.iter().cloned()).collect());
    for (trainer, share) in starting {
        match trainer.wait_until_started(cancellation) {
            // The process exists, whether the caller waits for it or not.
            Ok(None) | Err(TrainerError::Interrupted | TrainerError::Silent { .. }) => started.running.extend(share),
            Ok(Some((taken, error))) => {
                started.running.extend(share.into_iter().filter(|run| *run != taken));
                started.failed.push((vec![taken], error));
            }
            Err(error) => started.failed.push((share, error)),
        }
    }
    started
}

/// A plan could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The run directories could not be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Interrupted before a trainer was started; nothing is left behind.
    #[error("interrupted")]
    Interrupted,
}

/// Makes the runs of a plan and starts their trainers. Runs whose trainer failed to start are removed. `on_processes` is
/// called with the planned runs, and those of them whose trainer process exists, before these have loaded libtorch.
pub fn start_plan(
    plan: &TrainingPlan,
    workspace: &Workspace,
    engine: &Path,
    cancellation: Cancellation<'_>,
    on_processes: &mut dyn FnMut(&PlannedRuns, &[RunDir]),
) -> Result<StartedTrainers, StartError> {
    let planned = plan.create(workspace)?;
    if cancellation.is_cancelled() {
        planned.remove(&planned.runs);
        return Err(StartError::Interrupted);
    }
    // Assigned to devices, the runs are in a different order.
    let in_order = |runs: &mut Vec<RunDir>| runs.sort_by_key(|run| planned.runs.iter().position(|one| one == run));
    let mut started =
        start_trainers(engine, planned.shares.clone(), &TrainingChanges::default(), cancellation, &mut |mut runs| {
            in_order(&mut runs);
            on_processes(&planned, &runs);
        });
    for (runs, _) in &started.failed {
        planned.remove(runs);
    }
    in_order(&mut started.running);
    Ok(started)
}
