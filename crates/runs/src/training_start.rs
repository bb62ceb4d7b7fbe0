//! From a plan to trainers at work: what is checked before, the runs, and one trainer a device.

use std::path::Path;

use super::trainer_process::{TrainerError, TrainerProcess};
use super::training_plan::{PlanError, PlannedRuns, TrainingPlan, remove_runs};
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::disk_estimate::DiskEstimate;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_client::engine_probe::{PROBE_TIMEOUT, ProbeFailure, probe_engine};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Why the devices that are asked for cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeviceShortage {
    /// The engine does not tell what there is.
    #[error("ask the engine for its GPUs: {0}")]
    Probe(#[from] ProbeFailure),
    /// There is none.
    #[error("no GPU can be used here; `mammoscope doctor` says why")]
    NoGpu,
    /// There are fewer.
    #[error("there is no cuda:{wanted}; this machine has {}", gpus_text(*gpus))]
    TooFew {
        /// The number that was asked for.
        wanted: usize,
        /// How many there are.
        gpus: usize,
    },
}

fn gpus_text(gpus: usize) -> String {
    if gpus == 1 { "1 GPU".to_owned() } else { format!("{gpus} GPUs") }
}

/// The runs would not fit on the disk.
#[derive(Debug, thiserror::Error)]
#[error(
    "the runs and the cache of their images need about {} MB, and {workspace} has {} MB left; give another --workspace",
    megabytes(*needed), megabytes(*free)
)]
pub struct DiskShortage {
    /// Bytes that are needed.
    needed: u64,
    /// Bytes that are left.
    free: u64,
    /// Where, safe to print.
    workspace: String,
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// How many GPUs there are, where the devices that are asked for make it matter, else 0; an error where one is not there.
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
        gpus if highest >= gpus => Err(DeviceShortage::TooFew { wanted: highest, gpus }),
        gpus => Ok(gpus),
    }
}

/// Refuses what would not fit on the disk.
pub fn check_disk(
    config: &TrainingConfig,
    manifests: &[DatasetManifest],
    workspace: &Workspace,
) -> Result<(), DiskShortage> {
    let images = manifests.iter().map(|manifest| manifest.samples.len()).sum();
    let needed = DiskEstimate::new(config, manifests.len(), images).total();
    match workspace.free_bytes() {
        Some(free) if needed > free => Err(DiskShortage { needed, free, workspace: printable_path(workspace.path()) }),
        _ => Ok(()),
    }
}

/// The trainers that were started, and what became of the others.
#[derive(Debug)]
pub struct StartedTrainers {
    /// The runs that a trainer works through.
    pub at_work: Vec<RunDir>,
    /// The runs of trainers that ended before they took any up, and why.
    pub failed: Vec<(Vec<RunDir>, TrainerError)>,
}

/// Starts a trainer for each share of the runs, all at once, and waits until each has taken up its first run. `tell` gets
/// the runs whose trainer is there, before it is waited for: to load libtorch takes it a while.
pub fn start_trainers(
    engine: &Path,
    shares: Vec<Vec<RunDir>>,
    epochs: Option<u32>,
    interrupted: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Vec<RunDir>),
) -> StartedTrainers {
    let mut started = StartedTrainers { at_work: Vec::new(), failed: Vec::new() };
    let mut starting = Vec::new();
    for share in shares {
        match TrainerProcess::start(engine, &share, epochs) {
            Ok(trainer) => starting.push((trainer, share)),
            Err(error) => started.failed.push((share, error)),
        }
    }
    tell(starting.iter().flat_map(|(_, share)| share.iter().cloned()).collect());
    for (trainer, share) in starting {
        match trainer.wait_until_at_work(interrupted) {
            // Whether the caller waits for it or not, it is there.
            Ok(()) | Err(TrainerError::Interrupted | TrainerError::Silent { .. }) => started.at_work.extend(share),
            Err(error) => started.failed.push((share, error)),
        }
    }
    started
}

/// Why a plan has no trainers.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The run directories cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The caller wanted no more before a trainer was started; nothing is left.
    #[error("interrupted")]
    Interrupted,
}

/// Makes the runs of a plan and starts their trainers. Runs whose trainer has not come up are removed. `tell` gets the
/// group's id and the runs whose trainer is there, before that has loaded libtorch and taken them up.
pub fn start_plan(
    plan: &TrainingPlan,
    workspace: &Workspace,
    engine: &Path,
    interrupted: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(&PlannedRuns, &[RunDir]),
) -> Result<StartedTrainers, StartError> {
    let planned = plan.create(workspace)?;
    if interrupted() {
        remove_runs(&planned.runs);
        return Err(StartError::Interrupted);
    }
    // Dealt to devices they come in another order.
    let in_order = |runs: &mut Vec<RunDir>| runs.sort_by_key(|run| planned.runs.iter().position(|one| one == run));
    let mut started = start_trainers(engine, planned.shares.clone(), None, interrupted, &mut |mut runs| {
        in_order(&mut runs);
        tell(&planned, &runs);
    });
    for (runs, _) in &started.failed {
        remove_runs(runs);
    }
    in_order(&mut started.at_work);
    Ok(started)
}
