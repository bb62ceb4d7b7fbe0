//! Choosing how many runs train side by side on each device, and with how many CPU threads.

use std::path::Path;
use std::thread;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::placement_limits::{Candidate, DeviceKind, JobCount, PlacementLimits};
use mammoscope_domain::training::placement_search::{MemoryShortage, PlacementSearch};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_client::engine_probe::{PROBE_TIMEOUT, ProbeFailure, probe_engine};
use mammoscope_engine_client::engine_process::EngineError;
use mammoscope_engine_client::placement_benchmark::{PlacementWork, time_placements};
use mammoscope_engine_client::step_benchmark::BenchmarkError;

/// The environment variable with the number of threads of programs that use OpenMP, as the engine does.
const OPENMP_THREADS: &str = "OMP_NUM_THREADS";

/// The runs to place.
#[derive(Clone, Debug)]
pub struct PlacementRequest<'a> {
    pub devices: &'a DeviceList,
    /// The number of GPUs, if the devices include any.
    pub gpus: usize,
    pub jobs: JobCount,
    pub config: &'a TrainingConfig,
    pub runs: usize,
    /// The number of images of the largest run.
    pub images: usize,
}

/// The outcome of choosing a placement.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenPlacement {
    pub placement: Placement,
    /// The number of runs side by side for which memory was too small.
    pub shortage: Option<MemoryShortage>,
    /// The reason why nothing could be timed.
    pub failure: Option<String>,
}

/// The caller interrupted the timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct PlacementInterrupted;

impl<'a> PlacementRequest<'a> {
    /// A request for a run on each of `manifests`.
    #[must_use]
    pub fn new(
        devices: &'a DeviceList,
        gpus: usize,
        jobs: JobCount,
        config: &'a TrainingConfig,
        manifests: &[DatasetManifest],
    ) -> Self {
        let images = manifests.iter().map(|manifest| manifest.samples.len()).max().unwrap_or(0);
        Self { devices, gpus, jobs, config, runs: manifests.len(), images }
    }

    /// Chooses a placement: by timing the candidates, if there are several. `on_candidates` is called with them before
    /// they are timed. If timing fails, the placement is the one that needs none.
    pub fn choose(
        &self,
        engine: &Path,
        cancellation: Cancellation<'_>,
        on_candidates: &mut dyn FnMut(&[Candidate]),
    ) -> Result<ChosenPlacement, PlacementInterrupted> {
        let untimed = |limits: &PlacementLimits, failure| ChosenPlacement {
            placement: limits.untimed(),
            shortage: None,
            failure,
        };
        let work = match self.work(engine) {
            Ok(work) => work,
            Err(failure) => return Ok(untimed(&self.limits(DeviceKind::Cpu), Some(failure.to_string()))),
        };
        let search = PlacementSearch::new(work.limits);
        if search.is_decided() {
            return Ok(ChosenPlacement { placement: search.finish(), shortage: None, failure: None });
        }
        on_candidates(&work.limits.candidates());
        match time_placements(engine, &work, cancellation, &mut |_| {}) {
            Ok(timing) => Ok(ChosenPlacement { placement: timing.placement, shortage: timing.shortage, failure: None }),
            Err(BenchmarkError::Interrupted | BenchmarkError::Engine(EngineError::Interrupted)) => {
                Err(PlacementInterrupted)
            }
            Err(error) => Ok(untimed(&work.limits, Some(error.to_string()))),
        }
    }

    /// The work of timing the candidates. Fails if the kind of the device matters and the engine does not know it.
    pub fn work(&self, engine: &Path) -> Result<PlacementWork, ProbeFailure> {
        let device = self.devices.distinct(self.gpus).first().copied().unwrap_or_default();
        let limits = self.limits(self.kind(device, engine)?);
        let pixels = (self.config.size * self.config.size) as u64;
        let images = if limits.kind == DeviceKind::Gpu { self.images as u64 * pixels } else { 0 };
        Ok(PlacementWork { config: self.config.clone(), device, limits, images })
    }

    fn kind(&self, device: DeviceChoice, engine: &Path) -> Result<DeviceKind, ProbeFailure> {
        match device {
            DeviceChoice::Cpu => Ok(DeviceKind::Cpu),
            DeviceChoice::Cuda(_) => Ok(DeviceKind::Gpu),
            DeviceChoice::Auto => {
                let [cpu, gpu] = [DeviceKind::Cpu, DeviceKind::Gpu].map(|kind| self.limits(kind).candidates());
                if cpu.len() == 1 && cpu == gpu {
                    return Ok(DeviceKind::Cpu);
                }
                let gpus = probe_engine(engine, PROBE_TIMEOUT)?.cuda.devices.len();
                Ok(if gpus > 0 { DeviceKind::Gpu } else { DeviceKind::Cpu })
            }
        }
    }

    fn limits(&self, kind: DeviceKind) -> PlacementLimits {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let openmp = std::env::var(OPENMP_THREADS).ok();
        self.limits_on(kind, cores, openmp.as_deref())
    }

    /// `openmp` is the value of [`OPENMP_THREADS`].
    fn limits_on(&self, kind: DeviceKind, cores: usize, openmp: Option<&str>) -> PlacementLimits {
        let listed = self.devices.all(self.gpus);
        let devices = self.devices.distinct(self.gpus);
        let jobs = self.jobs.fixed();
        // A CPU that is listed twice is to train two runs at once. Devices of two kinds have no placement in common.
        let repeated = listed.len().saturating_sub(devices.len()) + 1;
        let is_mixed = devices.len() > 1 && devices.contains(&DeviceChoice::Cpu);
        let jobs = if repeated > 1 || is_mixed { Some(jobs.unwrap_or(1) * repeated) } else { jobs };
        let of_config = Some(self.config.threads).filter(|&threads| threads > 0);
        // The value may be a list, one number for each level of nesting.
        let of_openmp = || openmp?.split(',').next()?.trim().parse().ok().filter(|&threads: &usize| threads > 0);
        let count = devices.len().max(1);
        PlacementLimits {
            kind,
            runs: self.runs.div_ceil(count),
            cores: (cores / count).max(1),
            jobs,
            threads: of_config.or_else(of_openmp),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

    use mammoscope_domain::training::preset::Preset;

    use super::*;

    fn limits(devices: &str, gpus: usize, jobs: &str, threads: usize, openmp: Option<&str>) -> PlacementLimits {
        let devices: DeviceList = devices.parse().unwrap();
        let mut config = Preset::named("quick").unwrap().config;
        config.threads = threads;
        let request = PlacementRequest {
            devices: &devices,
            gpus,
            jobs: jobs.parse().unwrap(),
            config: &config,
            runs: 4,
            images: 9,
        };
        request.limits_on(DeviceKind::Cpu, 16, openmp)
    }

    #[test]
    fn cores_and_runs_are_divided_among_the_devices() {
        let of = |limits: PlacementLimits| (limits.runs, limits.cores, limits.jobs);
        assert_eq!(of(limits("cpu", 0, "auto", 0, None)), (4, 16, None));
        assert_eq!(of(limits("cuda:all", 2, "auto", 0, None)), (2, 8, None));
        assert_eq!(of(limits("cuda:all", 3, "2", 0, None)), (2, 5, Some(2)));
        assert_eq!(of(limits("cpu,cpu", 0, "auto", 0, None)), (4, 16, Some(2)), "the same as --jobs 2");
        assert_eq!(of(limits("cpu,cpu", 0, "2", 0, None)), (4, 16, Some(4)));
        assert_eq!(of(limits("cuda:0,cpu", 1, "auto", 0, None)), (2, 8, Some(1)), "two kinds are not timed");
    }

    #[test]
    fn threads_are_those_of_the_configuration_or_of_openmp() {
        let of = |threads, openmp| limits("cpu", 0, "auto", threads, openmp).threads;
        assert_eq!(of(0, None), None);
        assert_eq!(of(3, Some("5")), Some(3));
        assert_eq!(of(0, Some("5")), Some(5));
        assert_eq!(of(0, Some("4,2")), Some(4));
        assert_eq!([of(0, Some("0")), of(0, Some("many"))], [None, None]);
    }
}
