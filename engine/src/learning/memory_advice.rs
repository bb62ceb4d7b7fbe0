//! Running out of memory: recognised in libtorch's messages, and answered with what would fit.

use std::fmt;

use mammoscope::domain::network_plan::{ConvolutionPlan, NetworkPlan};
use mammoscope::domain::training_config::{OptimizerKind, TrainingConfig};
use tch::{Device, Kind};

use super::host_memory;
use super::libtorch_ext::gpu_memory::gpu_memory;

/// What the peak of a training step is to the feature maps that its backward pass needs: gradients on their way,
/// blocked copies and scratch of the convolutions, gaps between blocks. Measured on the CPU at 128, 256 and 650 pixels,
/// in f32 and bf16, at widths ½ and 1 (1.6 to 1.7).
const PEAK_OVER_FEATURE_MAPS: f64 = 1.65;
/// What a process holds with libtorch loaded and its threads started, before any tensor.
const PROCESS_BYTES: u64 = 150_000_000;

/// A training step, as far as its memory goes.
#[derive(Clone, Debug)]
pub struct StepMemory {
    plan: NetworkPlan,
    size: usize,
    batch_size: usize,
    kind: Kind,
    /// Numbers that are kept for each weight: itself, its gradient, moments, moving average.
    copies: usize,
    on_cpu: bool,
    /// What else lies on the device, in bytes.
    resident: u64,
}

impl StepMemory {
    /// The step of a configuration with convolutions in `kind`, beside `resident` bytes that lie on the device anyway,
    /// such as the images.
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

    /// The memory at the step's peak, in bytes: an estimate within a fifth on the CPU, where it was measured.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let per_number = if self.kind == Kind::BFloat16 { 2.0 } else { 4.0 };
        let maps = feature_map_numbers(&self.plan, self.size) as f64 * self.batch_size as f64 * per_number;
        let weights = (self.plan.parameter_count() * 4 * self.copies) as u64;
        let process = if self.on_cpu { PROCESS_BYTES } else { 0 };
        (maps * PEAK_OVER_FEATURE_MAPS) as u64 + weights + process + self.resident
    }

    /// What to change so that the step fits into `available` bytes.
    #[must_use]
    pub fn advice(&self, available: u64) -> String {
        let needed = format!(
            "batch_size={} at {} px needs about {}, and {} are there",
            self.batch_size,
            self.size,
            Bytes(self.bytes()),
            Bytes(available)
        );
        let fits = |step: &Self| step.bytes() <= available;
        if fits(self) {
            // Another program had the memory at that moment, or it is in pieces.
            return format!("{needed}, which is too close; a smaller batch_size helps");
        }
        let with = |batch_size, kind| Self { batch_size, kind, ..self.clone() };
        let smaller = |kind| (1..self.batch_size).rev().find(|&batch_size| fits(&with(batch_size, kind)));
        if let Some(batch_size) = smaller(self.kind) {
            let accumulate = self.batch_size.div_ceil(batch_size);
            return format!(
                "{needed}; batch_size={batch_size} would fit (with accumulate={accumulate} for as large steps)"
            );
        }
        if self.kind == Kind::Float
            && let Some(batch_size) = (1..=self.batch_size).rev().find(|&size| fits(&with(size, Kind::BFloat16)))
        {
            return format!("{needed}; precision=bf16 with batch_size={batch_size} would fit");
        }
        // Steps of 32 pixels are what the network's strides divide evenly.
        let sizes = (32..self.size).rev().filter(|size| size % 32 == 0);
        match sizes.map(|size| Self { size, ..with(1, self.kind) }).find(fits) {
            Some(step) => format!("{needed}; only batch_size=1 at size={} would fit", step.size),
            None => format!("{needed}; no batch fits: free memory, or take another device"),
        }
    }
}

/// How many numbers of feature maps an image's backward pass needs: the output of every convolution, the activated map
/// behind it (a block's third convolution and its shortcut share one), the pool's output and its indices.
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

/// Whether a message of libtorch, CUDA or the C++ library says that memory has run out.
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

/// The memory that this process may have on a device altogether, in bytes: what it holds already and what is free.
/// `None` where nobody tells.
#[must_use]
pub fn available_bytes(device: Device) -> Option<u64> {
    match device {
        Device::Cpu => host_memory::available_bytes(),
        Device::Cuda(number) => gpu_memory(number).ok().map(|memory| memory.reserved + memory.free),
        _ => None,
    }
}

/// libtorch's messages go on for a page, with a backtrace: the first line says what happened. Running out of memory is
/// said in words, with `what_helps`.
#[must_use]
pub fn in_one_line(message: &str, what_helps: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    if is_out_of_memory(message) {
        format!("not enough memory on the device for this batch; {what_helps} ({first})")
    } else {
        first.to_owned()
    }
}

/// Bytes as people say them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        if bytes < 1e9 { write!(f, "{:.0} MB", bytes / 1e6) } else { write!(f, "{:.1} GB", bytes / 1e9) }
    }
}
