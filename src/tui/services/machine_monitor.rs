//! How busy this machine is, sampled: processor and memory from the system, GPUs from NVIDIA's library (NVML), which is
//! loaded when first asked and need not be there.

use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::tui::protocol::machine_sample::{GpuSample, MachineSample, MemoryUse};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::process_evidence::host_name;

/// A driver that is not there, or fails, is asked again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// Where the figures of the GPUs come from.
pub(super) trait GpuSource: Send {
    /// All GPUs now; an error where the driver fails as a whole. A GPU without some sensor is no error.
    fn sample(&mut self) -> Result<Vec<GpuSample>, String>;
}

/// NVIDIA's own library.
#[derive(Debug)]
pub(super) struct NvmlSource(Nvml);

impl NvmlSource {
    /// Loads the library; `None` where there is no driver, or it does not answer.
    #[must_use]
    pub(super) fn open() -> Option<Self> {
        // The name without a number belongs to the development package.
        Nvml::builder().lib_path("libnvidia-ml.so.1".as_ref()).init().ok().map(Self)
    }
}

impl GpuSource for NvmlSource {
    fn sample(&mut self) -> Result<Vec<GpuSample>, String> {
        let count = self.0.device_count().map_err(|error| error.to_string())?;
        (0..count)
            .map(|index| self.0.device_by_index(index).and_then(|gpu| sample_of(&gpu)))
            .collect::<Result<_, _>>()
            .map_err(|error: NvmlError| error.to_string())
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

/// Opens a source of GPU figures, where there is one.
type OpenSource = Box<dyn FnMut() -> Option<Box<dyn GpuSource>> + Send>;

/// Samples this machine.
pub(super) struct MachineMonitor {
    system: System,
    /// The share of the processor is that since the sample before: the first one has none.
    sampled: bool,
    host: String,
    open: OpenSource,
    gpus: Option<Box<dyn GpuSource>>,
    asked: Option<Instant>,
}

impl MachineMonitor {
    /// A monitor of this machine.
    #[must_use]
    pub(super) fn new() -> Self {
        Self::with_gpus(Box::new(|| NvmlSource::open().map(|source| Box::new(source) as Box<dyn GpuSource>)))
    }

    /// A monitor whose GPU figures come from elsewhere.
    #[must_use]
    pub(super) fn with_gpus(open: OpenSource) -> Self {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_cpu_usage())
            .with_memory(MemoryRefreshKind::nothing().with_ram());
        Self {
            system: System::new_with_specifics(kinds),
            sampled: false,
            host: host_name(),
            open,
            gpus: None,
            asked: None,
        }
    }

    /// The machine now.
    pub(super) fn sample(&mut self, now: Instant) -> MachineSample {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let share = self.system.global_cpu_usage();
        let cpu_percent = std::mem::replace(&mut self.sampled, true).then(|| share.round().clamp(0.0, 100.0) as u32);
        let total = self.system.total_memory();
        let memory = (total > 0).then(|| MemoryUse { used: self.system.used_memory(), total });
        MachineSample { host: self.host.clone(), cpu_percent, memory, gpus: self.sample_gpus(now) }
    }

    fn sample_gpus(&mut self, now: Instant) -> Vec<GpuSample> {
        if self.gpus.is_none() {
            if self.asked.is_some_and(|asked| now.duration_since(asked) < AGAIN) {
                return Vec::new();
            }
            self.asked = Some(now);
            self.gpus = (self.open)();
        }
        match self.gpus.as_mut().map(|source| source.sample()) {
            Some(Ok(gpus)) => gpus,
            Some(Err(_)) => {
                // The driver was updated, or the GPU fell off the bus: the library has to be loaded anew.
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

    /// Samples as a driver gave them once, one after another.
    struct Recorded(VecDeque<Result<Vec<GpuSample>, String>>);

    impl GpuSource for Recorded {
        fn sample(&mut self) -> Result<Vec<GpuSample>, String> {
            self.0.pop_front().unwrap_or_else(|| Err("no more".to_owned()))
        }
    }

    fn gpu(busy: u32) -> GpuSample {
        GpuSample { name: "H200".to_owned(), busy_percent: Some(busy), ..GpuSample::default() }
    }

    #[test]
    fn a_driver_that_fails_is_asked_again_later() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let mut monitor = MachineMonitor::with_gpus(Box::new(move || {
            let time = count.fetch_add(1, Ordering::SeqCst);
            let recorded = vec![Ok(vec![gpu(90), gpu(3)]), Err("GPU is lost".to_owned())];
            (time != 1).then(|| Box::new(Recorded(recorded.into())) as Box<dyn GpuSource>)
        }));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(monitor.sample(start).gpus, [gpu(90), gpu(3)]);
        assert_eq!(monitor.sample(after(2)).gpus, [], "the driver failed");
        assert_eq!(monitor.sample(after(4)).gpus, []);
        assert_eq!(opened.load(Ordering::SeqCst), 1, "it is not asked at once");
        assert_eq!(monitor.sample(after(61)).gpus, [], "there is none now");
        assert_eq!(monitor.sample(after(122)).gpus, [gpu(90), gpu(3)]);
        assert_eq!(opened.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn this_machine_has_memory_and_a_processor() {
        let mut monitor = MachineMonitor::with_gpus(Box::new(|| None));
        let first = monitor.sample(Instant::now());
        assert_eq!(first.cpu_percent, None, "a share of what time?");
        let memory = first.memory.unwrap();
        assert!(0 < memory.used && memory.used < memory.total);
        assert!(monitor.sample(Instant::now()).cpu_percent.is_some_and(|percent| percent <= 100));
    }
}
