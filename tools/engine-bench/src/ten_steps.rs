//! `mammoscope-engine-bench ten-steps`: a few training steps on random images, optionally compared between two devices.

use std::time::Instant;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::models::model_file::TensorValues;
use serde::Serialize;
use tch::{Device, Kind, TchError, Tensor};

use mammoscope_engine::learning::device::{device_name, select_device, select_precision};
use mammoscope_engine::learning::host_memory;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::{Batch, BatchSource, Learner};
use mammoscope_engine::learning::libtorch_ext::cuda_graph::use_own_stream;
use mammoscope_engine::learning::libtorch_ext::gpu_memory::{
    GpuMemory, choose_cudnn_algorithms, gpu_memory, reset_gpu_peak,
};
use mammoscope_engine::learning::libtorch_ext::{channels_last, upload};
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::replay::{Captured, Eager, Replay};

/// A thousandth of the reference's rate. At the reference's, rounding differences of batches of four random images grow
/// tenfold at each step, and after five steps no two devices (nor one and two threads) agree in the first digit.
const LEARNING_RATE: f64 = 1e-5;

/// The steps to train.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TenSteps {
    pub(crate) device: DeviceChoice,
    pub(crate) precision: Precision,
    /// Device on which the same steps are repeated in f32 without TF32.
    pub(crate) against: Option<DeviceChoice>,
    /// Input height and width in pixels.
    pub(crate) size: usize,
    /// Factor on all channel counts.
    pub(crate) width: WidthFactor,
    /// Images per step.
    pub(crate) batch: usize,
    pub(crate) steps: u32,
    /// Lets cuDNN benchmark its algorithms and keep the fastest.
    pub(crate) cudnn_benchmark: bool,
    /// Restricts cuDNN to algorithms that give the same bits in every run.
    pub(crate) deterministic: bool,
    /// Records the steps as CUDA graphs and replays them.
    pub(crate) captured: bool,
}

/// The trained steps, and their differences between two devices.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TenStepsReport {
    pub(crate) run: TrainedSteps,
    /// The same steps on the second device.
    pub(crate) against: Option<TrainedSteps>,
    /// Largest difference between the two in any loss.
    pub(crate) largest_loss_difference: Option<f64>,
    /// Largest difference between the two in any weight or moving statistic, and the name of its tensor.
    pub(crate) largest_weight_difference: Option<(f64, String)>,
}

/// A few steps on one device.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrainedSteps {
    pub(crate) device: String,
    pub(crate) precision: Precision,
    /// Mean loss of each step, before its update.
    pub(crate) losses: Vec<f64>,
    /// Norm of the gradient of each step.
    pub(crate) gradient_norms: Vec<f64>,
    /// Seconds of each step, including the wait for its loss; the first step also warms everything up.
    pub(crate) seconds: Vec<f64>,
    /// The GPU's memory after the last step, with the peaks since the first.
    pub(crate) gpu_memory: Option<GpuMemory>,
    /// Peak memory of this process, in bytes.
    pub(crate) host_peak_bytes: Option<u64>,
}

/// Trains the network for a few steps on random images, which are the same on every device and in every run.
pub(crate) fn ten_steps(bench: &TenSteps, cuda: &CudaFacts) -> anyhow::Result<TenStepsReport> {
    choose_cudnn_algorithms(bench.cudnn_benchmark, bench.deterministic)?;
    let (run, weights) = train(bench, bench.device, bench.precision, bench.captured, cuda)?;
    let Some(other) = bench.against else {
        let (largest_loss_difference, largest_weight_difference) = (None, None);
        return Ok(TenStepsReport { run, against: None, largest_loss_difference, largest_weight_difference });
    };
    let (against, other_weights) = train(bench, other, Precision::F32Strict, false, cuda)?;
    let losses = run.losses.iter().zip(&against.losses).map(|(ours, theirs)| (ours - theirs).abs());
    Ok(TenStepsReport {
        largest_loss_difference: losses.max_by(f64::total_cmp),
        largest_weight_difference: largest_difference(&weights, &other_weights),
        run,
        against: Some(against),
    })
}

fn train(
    bench: &TenSteps,
    device: DeviceChoice,
    precision: Precision,
    captured: bool,
    cuda: &CudaFacts,
) -> anyhow::Result<(TrainedSteps, TensorValues)> {
    let device = select_device(device, cuda)?;
    use_own_stream(device)?;
    let (precision, kind) = select_precision(precision, device)?;
    let &TenSteps { size, batch, steps, .. } = bench;
    let config = plain_config(bench, precision);
    let initial = initial_model(bench.width, size, None, config.seed);
    let mut learner = Learner::new(&config, &initial.tensors, CrossEntropy::plain(), device, kind)?;
    if let Device::Cuda(number) = device {
        reset_gpu_peak(number)?;
    }
    let mut replay: Box<dyn Replay> = if captured { Box::new(Captured::new()) } else { Box::new(Eager) };
    let mut input = StepInput::new(batch, size, device)?;
    let (mut losses, mut gradient_norms, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..steps {
        input.draw(step)?;
        let start = Instant::now();
        learner.step(config.learning_rate, &[batch], &mut input, replay.as_mut())?;
        let result = learner.results(1)?[0];
        losses.push(result.loss_sum / batch as f64);
        gradient_norms.push(result.gradient_norm);
        seconds.push(start.elapsed().as_secs_f64());
        if let Some(reason) = replay.take_failure() {
            anyhow::bail!("steps cannot be captured: {reason}");
        }
    }
    let gpu_memory = if let Device::Cuda(number) = device { Some(gpu_memory(number)?) } else { None };
    let host_peak_bytes = host_memory::peak_bytes();
    let device = device_name(device);
    let weights = learner.values()?;
    Ok((TrainedSteps { device, precision, losses, gradient_norms, seconds, gpu_memory, host_peak_bytes }, weights))
}

/// The grey images and labels of a step, in the same memory in every step.
struct StepInput {
    /// N×1×S×S of f32, on the device.
    images: Tensor,
    /// N of i64, on the host and on the device.
    labels: [Tensor; 2],
}

impl StepInput {
    fn new(batch: usize, size: usize, device: Device) -> anyhow::Result<Self> {
        let (count, side) = (batch as i64, size as i64);
        let images = channels_last(&Tensor::f_zeros([count, 1, side, side], (Kind::Float, device))?)?;
        let labels = Tensor::f_arange(count, (Kind::Int64, Device::Cpu))?.f_remainder(4)?;
        Ok(Self { images, labels: [labels.f_to(device)?, labels] })
    }

    /// Draws the images of a step, always on the CPU, since each device has its own generator.
    fn draw(&mut self, step: u32) -> anyhow::Result<()> {
        tch::manual_seed(1000 + i64::from(step));
        let [_, labels] = &self.labels;
        // Each class has its own mean, so that there is something to learn.
        let means = labels.f_to_kind(Kind::Float)?.f_mul_scalar(0.1)?.f_reshape([-1, 1, 1, 1])?;
        let noise = Tensor::f_randn(self.images.size(), (Kind::Float, Device::Cpu))?;
        upload(&noise.f_mul_scalar(0.25)?.f_add(&means)?, &mut self.images)?;
        Ok(())
    }
}

impl BatchSource for StepInput {
    fn prepare(&mut self, _count: usize) -> Result<(), TchError> {
        Ok(())
    }

    fn batch(&self, _count: usize) -> Result<Batch, TchError> {
        let [labels, _] = &self.labels;
        Ok(Batch { images: self.images.shallow_clone(), labels: labels.shallow_clone(), targets: None })
    }
}

/// The reference's gradient descent without dropout and augmentation.
fn plain_config(bench: &TenSteps, precision: Precision) -> TrainingConfig {
    let seed = Preset::named("seed").expect("a preset that comes with the program").config;
    let &TenSteps { size, width, batch: batch_size, .. } = bench;
    TrainingConfig {
        size,
        width,
        batch_size,
        precision,
        learning_rate: LEARNING_RATE,
        dropout: 0.0,
        augment: false,
        ..seed
    }
}

fn largest_difference(ours: &TensorValues, theirs: &TensorValues) -> Option<(f64, String)> {
    ours.iter()
        .map(|(name, values)| {
            let pairs = values.iter().zip(theirs.get(name).into_iter().flatten());
            let largest = pairs.map(|(&a, &b)| f64::from(a - b).abs()).max_by(f64::total_cmp).unwrap_or(f64::NAN);
            (largest, name.clone())
        })
        .max_by(|left, right| left.0.total_cmp(&right.0))
}
