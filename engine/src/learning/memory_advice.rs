//! Estimates the memory of a training step, recognises out-of-memory errors and advises on what would fit.

use std::fmt;

use mammoscope_domain::network::network_plan::{ConvolutionPlan, NetworkPlan};
use mammoscope_domain::training::training_config::{OptimizerKind, TrainingConfig};
use tch::{Device, Kind};

use super::host_memory;
use super::libtorch_ext::gpu_memory::gpu_memory;

/// The ratio of a training step's peak memory to the feature maps kept for its backward pass. The rest is gradients,
/// blocked copies and workspaces of the convolutions, and fragmentation. Measured on the CPU in f32 and bf16 with
/// batches of four at width 1: 1.8 at 128 pixels, 1.7 at 256, 1.45 at 650.
const PEAK_OVER_FEATURE_MAPS: f64 = 1.55;
/// The memory of a process with libtorch loaded and its threads started, before the first tensor.
const PROCESS_BYTES: u64 = 140_000_000;

const NO_ROOM: &str = "not enough memory on the device for this batch";
const NO_GPU_ROOM: &str = "not enough GPU memory for this batch";

/// Something is not computed because it does not fit into memory; holds the whole message, with advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotEnoughMemory(String);

impl NotEnoughMemory {
    /// Not even one image can be evaluated, according to a message of libtorch.
    #[must_use]
    pub fn for_evaluation(message: &str) -> Self {
        let first = message.lines().next().unwrap_or_default();
        Self(format!("not enough GPU memory to evaluate a single image; free memory on the GPU ({first})"))
    }
}

/// The parameters that determine a training step's memory.
#[derive(Clone, Debug)]
pub struct StepMemory {
    plan: NetworkPlan,
    size: usize,
    batch_size: usize,
    kind: Kind,
    /// Values kept per weight: the weight itself, its gradient, moments, moving average.
    copies: usize,
    on_cpu: bool,
    /// Other data on the device, in bytes.
    resident: u64,
}

impl StepMemory {
    /// The step of a configuration with convolutions in `kind`, in addition to `resident` bytes of other data on the
    /// device, such as the images.
    #[must_use]
    pub fn new(config: &TrainingConfig, kind: Kind, device: Device, resident: u64) -> Self {
        let velocity = usize::from(config.momentum > 0.0);
        let moments = match config.optimizer {
            OptimizerKind::Sgd | OptimizerKind::Nesterov => velocity,
            OptimizerKind::AdamW => 2,
            OptimizerKind::RmsProp => 1 + velocity,
        };
        Self {
            plan: NetworkPlan::new(config.width),
            size: config.size,
            batch_size: config.batch_size,
            kind,
            copies: 2 + moments + usize::from(config.ema > 0.0),
            on_cpu: device == Device::Cpu,
            resident,
        }
    }

    /// The same step with smaller batches.
    #[must_use]
    pub fn in_batches_of(self, batch_size: usize) -> Self {
        Self { batch_size: self.batch_size.min(batch_size), ..self }
    }

    /// The estimated peak memory of the step in bytes; on the CPU where it was measured, accurate to 10 %
    /// (`tests/step_memory.rs`).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let per_number = if self.kind == Kind::BFloat16 { 2.0 } else { 4.0 };
        let maps = feature_map_numbers(&self.plan, self.size) as f64 * self.batch_size as f64 * per_number;
        let weights = (self.plan.parameter_count() * 4 * self.copies) as u64;
        let process = if self.on_cpu { PROCESS_BYTES } else { 0 };
        (maps * PEAK_OVER_FEATURE_MAPS) as u64 + weights + process + self.resident
    }

    /// Checks that the step fits into the device's memory, if that is known. Linux overcommits memory and later kills
    /// the process that uses it, which could then no longer report the reason.
    pub fn check(&self, device: Device) -> Result<(), NotEnoughMemory> {
        match available_bytes(device) {
            Some(available) if self.bytes() > available => {
                Err(NotEnoughMemory(format!("{NO_ROOM}; {}", self.advice(available))))
            }
            _ => Ok(()),
        }
    }

    /// Advises on a change that makes the step fit into `available` bytes.
    #[must_use]
    pub fn advice(&self, available: u64) -> String {
        let fits = |step: &Self| step.bytes() <= available;
        let needed = format!(
            "batch_size={} at {} px needs about {}, {} {} is available",
            self.batch_size,
            self.size,
            Bytes(self.bytes()),
            if fits(self) { "and" } else { "but only" },
            Bytes(available)
        );
        if fits(self) {
            // Another program held the memory at that moment, or it is fragmented.
            let remedy = if self.batch_size > 1 { "a smaller batch_size helps" } else { "free memory on the device" };
            return format!("{needed}; {remedy}");
        }
        let with = |batch_size, kind| Self { batch_size, kind, ..self.clone() };
        let smaller = |kind| (1..self.batch_size).rev().find(|&batch_size| fits(&with(batch_size, kind)));
        if let Some(batch_size) = smaller(self.kind) {
            let accumulate = self.batch_size.div_ceil(batch_size);
            return format!(
                "{needed}; batch_size={batch_size} would fit (with accumulate={accumulate} for steps of the same size)"
            );
        }
        if self.kind == Kind::Float
            && let Some(batch_size) = (1..=self.batch_size).rev().find(|&size| fits(&with(size, Kind::BFloat16)))
        {
            return format!("{needed}; precision=bf16 with batch_size={batch_size} would fit");
        }
        // Multiples of 32 are divided evenly by the network's five halvings.
        let sizes = (32..self.size).rev().filter(|size| size % 32 == 0);
        match sizes.map(|size| Self { size, ..with(1, self.kind) }).find(fits) {
            Some(step) => format!("{needed}; only batch_size=1 at size={} would fit", step.size),
            None => format!("{needed}; no batch fits: free memory, or use another device"),
        }
    }
}

/// The number of feature-map values that one image's backward pass needs: the output of every convolution, the
/// activated map after it (a block's third convolution and its shortcut share one), the max-pooling's output and its
/// indices.
fn feature_map_numbers(plan: &NetworkPlan, size: usize) -> usize {
    let area = |side: usize| side * side;
    let mut side = size.div_ceil(plan.stem.stride);
    let mut numbers = 2 * plan.stem.outputs * area(side);
    side = side.div_ceil(2);
    // The indices are 64-bit.
    numbers += 3 * plan.stem.outputs * area(side);
    for block in &plan.blocks {
        let [first, second, third] = &block.branch;
        let out = |convolution: &ConvolutionPlan, side: usize| convolution.outputs * area(side);
        numbers += 2 * out(first, side);
        side = side.div_ceil(second.stride);
        numbers += 2 * out(second, side) + 2 * out(third, side);
        numbers += block.shortcut.as_ref().map_or(0, |shortcut| out(shortcut, side));
    }
    numbers
}

/// Recognises the out-of-memory messages of libtorch, CUDA and the C++ library.
#[must_use]
pub fn is_out_of_memory(message: &str) -> bool {
    const WORDS: [&str; 8] = [
        "out of memory", // CUDA's allocator and driver
        "can't allocate memory",
        "not enough memory",
        "bad_alloc",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ];
    WORDS.iter().any(|words| message.contains(words))
}

/// Recognises the messages among [`is_out_of_memory`] that are about the memory of a GPU rather than that of the host.
#[must_use]
pub fn is_gpu_out_of_memory(message: &str) -> bool {
    const WORDS: [&str; 3] = [
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    ];
    let first = message.lines().next().unwrap_or_default();
    (first.contains("CUDA") && first.contains("out of memory")) || WORDS.iter().any(|words| first.contains(words))
}

/// The total memory that this process can have on a device, in bytes: what it holds plus what is free. `None` if it is
/// unknown.
#[must_use]
pub fn available_bytes(device: Device) -> Option<u64> {
    match device {
        Device::Cpu => host_memory::available_bytes(),
        Device::Cuda(number) => gpu_memory(number).ok().map(|memory| memory.reserved + memory.free),
        _ => None,
    }
}

/// Shortens a message of libtorch, which can include a page of backtrace, to its first line. An out-of-memory error is
/// rephrased, with `advice`.
#[must_use]
pub fn in_one_line(message: &str, advice: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    if is_out_of_memory(message) {
        let what = if is_gpu_out_of_memory(message) { NO_GPU_ROOM } else { NO_ROOM };
        format!("{what}; {advice} ({first})")
    } else {
        first.to_owned()
    }
}

/// [`in_one_line`] for a failed run: if memory ran out, it states what the step needs, what is available and what would
/// fit.
#[must_use]
pub fn explain_failure(message: &str, step: &StepMemory, device: Device) -> String {
    let advice = || match available_bytes(device) {
        Some(available) => step.advice(available),
        None => "a smaller batch_size helps".to_owned(),
    };
    in_one_line(message, &if is_out_of_memory(message) { advice() } else { String::new() })
}

/// Formats bytes in MB or GB.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        if bytes < 1e9 { write!(f, "{:.0} MB", bytes / 1e6) } else { write!(f, "{:.1} GB", bytes / 1e9) }
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::WidthFactor;

    use super::*;

    fn at_650(batch_size: usize, kind: Kind) -> StepMemory {
        let plan = NetworkPlan::new(WidthFactor::ONE);
        StepMemory { plan, size: 650, batch_size, kind, copies: 2, on_cpu: true, resident: 0 }
    }

    #[test]
    fn feature_maps_of_the_smallest_network_match_a_count_by_hand() {
        let plan = NetworkPlan::new(WidthFactor::of_stem(1).expect("one channel"));
        // At 32 pixels: the stem 16×16, pool and first stage 8×8, then 4×4, 2×2, 1×1; channels 1, (1, 2), (2, 4) …
        let stem = 2 * 256 + 3 * 64;
        let first = 3 * (2 * 64 + 2 * 64 + 2 * 128) + 128;
        // The first convolution of a stage's first block still has the size before the stride.
        let later = |before: usize, side: usize| {
            (2 * 2 * before + 2 * 2 * side + 2 * 4 * side + 4 * side) + 2 * (2 * 2 * side + 2 * 2 * side + 2 * 4 * side)
        };
        let expected = stem + first + later(64, 16) + later(16, 4) + later(4, 1);
        assert_eq!(feature_map_numbers(&plan, 32), expected);
    }

    #[test]
    fn messages_are_one_line_with_advice() {
        assert_eq!(in_one_line("shapes differ\nException raised from …", "help"), "shapes differ");
        let texts = [
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried …\n#0",
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which …\n#0",
            "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported …",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "std::bad_alloc",
        ];
        for text in texts {
            let line = in_one_line(text, "try a smaller --batch-size");
            assert!(line.contains("--batch-size") && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn messages_about_the_host_are_not_about_the_gpu() {
        for text in [
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which …\n#0",
            "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported …",
            "CUDA driver error: out of memory",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        ] {
            assert!(is_gpu_out_of_memory(text) && is_out_of_memory(text), "{text}");
            let line = in_one_line(text, "help");
            assert!(line.starts_with("not enough GPU memory for this batch; help (") && !line.contains('\n'), "{line}");
        }
        for text in [
            "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried …\n#0",
            "std::bad_alloc",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
        ] {
            assert!(is_out_of_memory(text) && !is_gpu_out_of_memory(text), "{text}");
            assert!(in_one_line(text, "help").starts_with("not enough memory on the device"), "{text}");
        }
        assert!(!is_gpu_out_of_memory("CUDA error: device-side assert triggered\nnot out of memory"));
    }

    #[test]
    fn the_largest_batch_that_fits_is_named() {
        let step = at_650(4, Kind::Float);
        for batch_size in 1..4 {
            let available = at_650(batch_size, Kind::Float).bytes();
            let accumulate = 4_usize.div_ceil(batch_size);
            let expected = format!("batch_size={batch_size} would fit (with accumulate={accumulate} ");
            let advice = step.advice(available);
            assert!(advice.contains(&expected) && advice.starts_with("batch_size=4 at 650 px needs about"), "{advice}");
        }
        let advice = step.advice(at_650(1, Kind::Float).bytes() - 1);
        assert!(advice.contains("precision=bf16 with batch_size=1 would fit"), "{advice}");
        let advice = at_650(4, Kind::BFloat16).advice(at_650(1, Kind::BFloat16).bytes() - 1);
        assert!(advice.contains("only batch_size=1 at size=640 would fit"), "{advice}");
        assert!(step.advice(1_000_000).contains("no batch fits"));
        assert!(step.advice(u64::MAX).ends_with("; a smaller batch_size helps"));
        let single = step.in_batches_of(1).advice(u64::MAX);
        assert!(single.starts_with("batch_size=1 ") && single.ends_with("; free memory on the device"), "{single}");
    }

    #[test]
    fn a_failed_run_reports_what_its_step_needs() {
        let step = at_650(4, Kind::Float);
        assert_eq!(explain_failure("shapes differ\n#0", &step, Device::Cpu), "shapes differ");
        let line = explain_failure("CUDA out of memory. Tried to allocate …\n#0", &step, Device::Cpu);
        assert!(line.contains("batch_size=4 at 650 px needs about 2.6 GB"), "{line}");
    }

    #[test]
    fn available_host_memory_is_reported() {
        let available = available_bytes(Device::Cpu);
        assert!(!cfg!(target_os = "linux") || available.is_some_and(|bytes| bytes > PROCESS_BYTES), "{available:?}");
        assert_eq!(format!("{} {}", Bytes(12_345_678), Bytes(3_449_000_000)), "12 MB 3.4 GB");
    }
}
