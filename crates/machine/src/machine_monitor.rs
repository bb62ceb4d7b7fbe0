//! The load of this machine: processor and memory from the system, GPUs from NVIDIA's library NVML, which is loaded on
//! first use and need not exist.

use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::machine_sample::{GpuSample, MachineSample, MemoryUse};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::process_evidence::host_name;

/// The time after which a driver that is missing or has failed is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// A source of GPU samples.
pub trait GpuSource: Send {
    /// Samples all GPUs. Fails only if the driver as a whole does, not for a missing sensor.
    fn sample(&mut self) -> Result<Vec<GpuSample>, NvmlError>;

    /// The positions of the GPUs on which a process computes, as far as the driver sees processes.
    fn used_by(&mut self, _process: u32) -> Vec<usize> {
        Vec::new()
    }
}

/// NVIDIA's management library.
#[derive(Debug)]
pub struct NvmlSource(Nvml);

impl NvmlSource {
    /// Loads the library; `None` without a working driver.
    #[must_use]
    pub fn open() -> Option<Self> {
        // The name without a version belongs to the development package.
        Nvml::builder().lib_path("libnvidia-ml.so.1".as_ref()).init().ok().map(Self)
    }
}

impl GpuSource for NvmlSource {
    fn sample(&mut self) -> Result<Vec<GpuSample>, NvmlError> {
        let count = self.0.device_count()?;
        (0..count).map(|index| self.0.device_by_index(index).and_then(|gpu| sample_of(&gpu))).collect()
    }

    fn used_by(&mut self, process: u32) -> Vec<usize> {
        let count = self.0.device_count().unwrap_or(0);
        let uses = |index: &u32| {
            let processes = self.0.device_by_index(*index).and_then(|gpu| gpu.running_compute_processes());
            processes.is_ok_and(|processes| processes.iter().any(|other| other.pid == process))
        };
        (0..count).filter(uses).map(|index| index as usize).collect()
    }
}

fn sample_of(gpu: &Device<'_>) -> Result<GpuSample, NvmlError> {
    let name = gpu.name()?;
    Ok(GpuSample {
        name: printable(name.strip_prefix("NVIDIA ").unwrap_or(&name)),
        busy_percent: gpu.utilization_rates().ok().map(|rates| rates.gpu),
        memory: gpu.memory_info().ok().map(|memory| MemoryUse { used: memory.used, total: memory.total }),
        power_watts: gpu.power_usage().ok().map(|milliwatts| milliwatts / 1000),
        celsius: gpu.temperature(TemperatureSensor::Gpu).ok(),
    })
}

/// Opens a source of GPU samples, if there is one.
type OpenSource = Box<dyn FnMut() -> Option<Box<dyn GpuSource>> + Send>;

/// Samples the load of this machine.
pub struct MachineMonitor {
    system: System,
    /// True after the first sample, which has no processor load, since that is measured between two samples.
    sampled: bool,
    host: String,
    open: OpenSource,
    gpus: Option<Box<dyn GpuSource>>,
    last_attempt: Option<Instant>,
}

impl MachineMonitor {
    /// A monitor with NVML as the source of GPU samples.
    #[must_use]
    pub fn new() -> Self {
        Self::with_gpus(Box::new(|| NvmlSource::open().map(|source| Box::new(source) as Box<dyn GpuSource>)))
    }

    /// A monitor with another source of GPU samples.
    #[must_use]
    pub fn with_gpus(open: OpenSource) -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        Self {
            system: System::new_with_specifics(kinds),
            sampled: false,
            host: host_name(),
            open,
            gpus: None,
            last_attempt: None,
        }
    }

    /// Samples the machine.
    pub fn sample(&mut self, now: Instant) -> MachineSample {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let share = self.system.global_cpu_usage();
        let cpu_percent = std::mem::replace(&mut self.sampled, true).then(|| share.round().clamp(0.0, 100.0) as u32);
        let total = self.system.total_memory();
        let memory = (total > 0).then(|| MemoryUse { used: self.system.used_memory(), total });
        MachineSample { host: self.host.clone(), cpu_percent, memory, gpus: self.sample_gpus(now) }
    }

    /// The positions of the GPUs of the last sample on which a process computes; empty where the driver does not see
    /// processes, as in some containers.
    pub fn gpus_of(&mut self, process: u32) -> Vec<usize> {
        self.gpus.as_mut().map(|source| source.used_by(process)).unwrap_or_default()
    }

    fn sample_gpus(&mut self, now: Instant) -> Vec<GpuSample> {
        if self.gpus.is_none() {
            if self.last_attempt.is_some_and(|last_attempt| now.duration_since(last_attempt) < RETRY_INTERVAL) {
                return Vec::new();
            }
            self.last_attempt = Some(now);
            self.gpus = (self.open)();
        }
        match self.gpus.as_mut().map(|source| source.sample()) {
            Some(Ok(gpus)) => gpus,
            Some(Err(_)) => {
                // The driver was updated or the GPU fell off the bus: the library has to be loaded again.
                self.gpus = None;
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

impl Default for MachineMonitor {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MachineMonitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MachineMonitor").field("host", &self.host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A source of recorded samples.
    struct Recorded(VecDeque<Result<Vec<GpuSample>, NvmlError>>);

    impl GpuSource for Recorded {
        fn sample(&mut self) -> Result<Vec<GpuSample>, NvmlError> {
            self.0.pop_front().unwrap_or(Err(NvmlError::Unknown))
        }
    }

    fn gpu(busy: u32) -> GpuSample {
        GpuSample { name: "H200".to_owned(), busy_percent: Some(busy), ..GpuSample::default() }
    }

    #[test]
    fn a_failed_driver_is_tried_again_later() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let mut monitor = MachineMonitor::with_gpus(Box::new(move || {
            let time = count.fetch_add(1, Ordering::SeqCst);
            let recorded = vec![Ok(vec![gpu(90), gpu(3)]), Err(NvmlError::GpuLost)];
            (time != 1).then(|| Box::new(Recorded(recorded.into())) as Box<dyn GpuSource>)
        }));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(monitor.sample(start).gpus, [gpu(90), gpu(3)]);
        assert_eq!(monitor.sample(after(2)).gpus, [], "the driver failed");
        assert_eq!(monitor.sample(after(4)).gpus, []);
        assert_eq!(opened.load(Ordering::SeqCst), 1, "not tried again at once");
        assert_eq!(monitor.sample(after(61)).gpus, [], "it is missing now");
        assert_eq!(monitor.sample(after(122)).gpus, [gpu(90), gpu(3)]);
        assert_eq!(opened.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn this_machine_has_memory_and_a_processor() {
        let mut monitor = MachineMonitor::with_gpus(Box::new(|| None));
        let first = monitor.sample(Instant::now());
        assert_eq!(first.cpu_percent, None, "there is no earlier sample");
        let memory = first.memory.unwrap();
        assert!(0 < memory.used && memory.used < memory.total);
        assert!(monitor.sample(Instant::now()).cpu_percent.is_some_and(|percent| percent <= 100));
    }
}
