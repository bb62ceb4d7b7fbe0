//! Records the load of the machine beside the current run, every ten seconds. Training does not depend on it: what
//! cannot be sampled or written is left out.

use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use mammoscope_domain::run::machine_record::{GpuRecord, MachineRecord};
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_machine::machine_monitor::MachineMonitor;
use mammoscope_machine::machine_sample::MachineSample;
use mammoscope_storage::runs::machine_log::append_machine_record;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;

use super::run_queue::RunQueue;

/// The interval between records.
const INTERVAL: Duration = Duration::from_secs(10);
/// The time before the first record of a run, so that a short one has a record too.
const FIRST: Duration = Duration::from_secs(2);
/// The interval between checks for the end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Records until the engine thread has finished.
pub(super) fn record_machine(queue: &RunQueue) {
    let mut monitor = MachineMonitor::new();
    // The load of the processor is measured between two samples.
    let _ = monitor.sample(Instant::now());
    let mut current: Option<(RunDir, bool)> = None;
    let mut next = Instant::now() + FIRST;
    while !queue.is_finished() {
        thread::sleep(POLL_INTERVAL);
        let Some((run, step)) = queue.current_step() else { continue };
        if current.as_ref().is_none_or(|(before, _)| *before != run) {
            let uses_gpu = read_run_spec(&run.spec()).is_ok_and(|spec| spec.device != DeviceChoice::Cpu);
            current = Some((run.clone(), uses_gpu));
            next = Instant::now() + FIRST;
        }
        if Instant::now() < next {
            continue;
        }
        next = Instant::now() + INTERVAL;
        let sample = monitor.sample(Instant::now());
        let uses_gpu = current.as_ref().is_some_and(|(_, uses_gpu)| *uses_gpu);
        let own = if uses_gpu { monitor.gpus_of(std::process::id()) } else { Vec::new() };
        let record = record_of(&sample, step, uses_gpu, &own);
        if append_machine_record(&run.machine(), &record).is_err() {
            // A full disk is reported by the events, which matter.
            next = Instant::now() + INTERVAL * 6;
        }
    }
}

/// The record of a sample with the GPUs of this process, or all of them if none is known to be its own.
fn record_of(sample: &MachineSample, step: u64, uses_gpu: bool, own: &[usize]) -> MachineRecord {
    let gpus = sample.gpus.iter().enumerate();
    let gpus = gpus.filter(|(index, _)| uses_gpu && (own.is_empty() || own.contains(index)));
    MachineRecord {
        time: Utc::now(),
        step,
        cpu: sample.cpu_percent,
        memory: sample.memory.map(|memory| memory.used),
        gpus: gpus
            .map(|(index, gpu)| GpuRecord {
                index,
                name: gpu.name.clone(),
                busy: gpu.busy_percent,
                memory: gpu.memory.map(|memory| memory.used),
                watts: gpu.power_watts,
                celsius: gpu.celsius,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_machine::machine_sample::{GpuSample, MemoryUse};

    use super::*;

    #[test]
    fn the_gpus_of_the_process_are_recorded_and_none_on_the_processor() {
        let gpu = |busy| GpuSample { name: "H200".to_owned(), busy_percent: Some(busy), ..GpuSample::default() };
        let sample = MachineSample {
            host: "node3".to_owned(),
            cpu_percent: Some(12),
            memory: Some(MemoryUse { used: 5, total: 9 }),
            gpus: vec![gpu(97), gpu(3)],
        };
        let busy = |uses_gpu, own: &[usize]| {
            let record = record_of(&sample, 7, uses_gpu, own);
            assert_eq!((record.step, record.cpu, record.memory), (7, Some(12), Some(5)));
            record.gpus.iter().map(|gpu| (gpu.index, gpu.busy)).collect::<Vec<_>>()
        };
        assert_eq!(busy(true, &[1]), [(1, Some(3))]);
        assert_eq!(busy(true, &[]), [(0, Some(97)), (1, Some(3))], "it is not known which");
        assert_eq!(busy(false, &[]), []);
    }
}
