//! `mammoscope-engine bench ten-steps`: a short training on random images, on one device beside another.

use std::time::Instant;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::models::model_file::TensorValues;
use serde::Serialize;
use tch::{Device, Kind, Tensor};

use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::host_memory;
use crate::learning::initial_weights::initial_model;
use crate::learning::learner::{Batch, Learner};
use crate::learning::libtorch_ext::channels_last;
use crate::learning::libtorch_ext::gpu_memory::{GpuMemory, choose_cudnn_algorithms, gpu_memory, reset_gpu_peak};
use crate::learning::loss::CrossEntropy;

/// A thousandth of the reference's: with that, batches of four random images let rounding grow tenfold at each step, and
/// after five steps no two devices (nor one and two threads) agree in the first digit.
const LEARNING_RATE: f64 = 1e-5;

/// What to compute.
#[derive(Clone, Copy, Debug)]
pub struct TenSteps {
    /// Where.
    pub device: DeviceChoice,
    /// In what precision.
    pub precision: Precision,
    /// Where to compute the same once more, in f32 without TF32.
    pub against: Option<DeviceChoice>,
    /// Input height and width in pixels.
    pub size: usize,
    /// Factor on all numbers of channels.
    pub width: WidthFactor,
    /// Images a step.
    pub batch: usize,
    /// Steps of gradient descent.
    pub steps: u32,
    /// Whether cuDNN tries its algorithms out and keeps the fastest.
    pub cudnn_benchmark: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TenStepsReport {
    /// What was asked for.
    pub run: TrainedSteps,
    /// The same on the other device, where one was asked for.
    pub against: Option<TrainedSteps>,
    /// Largest difference between the two in any loss.
    pub largest_loss_difference: Option<f64>,
    /// Largest difference between the two in any weight or moving statistic, and where.
    pub largest_weight_difference: Option<(f64, String)>,
}

/// A few steps on one device.
#[derive(Clone, Debug, Serialize)]
pub struct TrainedSteps {
    /// The device in words.
    pub device: String,
    /// The precision in use.
    pub precision: Precision,
    /// Mean loss of each step, before its update.
    pub losses: Vec<f64>,
    /// Norm of the gradient of each step.
    pub gradient_norms: Vec<f64>,
    /// Seconds of each step, the wait for its loss included; the first one builds everything up.
    pub seconds: Vec<f64>,
    /// The GPU's memory at the end, with the peaks of these steps.
    pub gpu_memory: Option<GpuMemory>,
    /// The most that this process has held so far, in bytes.
    pub host_peak_bytes: Option<u64>,
}

/// Trains the network for a few steps on random images, the same on every device and in every run.
pub fn ten_steps(asked: &TenSteps, cuda: &CudaFacts) -> anyhow::Result<TenStepsReport> {
    choose_cudnn_algorithms(asked.cudnn_benchmark, false)?;
    let (run, weights) = train(asked, asked.device, asked.precision, cuda)?;
    let Some(other) = asked.against else {
        let (largest_loss_difference, largest_weight_difference) = (None, None);
        return Ok(TenStepsReport { run, against: None, largest_loss_difference, largest_weight_difference });
    };
    let (against, other_weights) = train(asked, other, Precision::F32Strict, cuda)?;
    let losses = run.losses.iter().zip(&against.losses).map(|(ours, theirs)| (ours - theirs).abs());
    Ok(TenStepsReport {
        largest_loss_difference: losses.max_by(f64::total_cmp),
        largest_weight_difference: largest_difference(&weights, &other_weights),
        run,
        against: Some(against),
    })
}

fn train(
    asked: &TenSteps,
    device: DeviceChoice,
    precision: Precision,
    cuda: &CudaFacts,
) -> anyhow::Result<(TrainedSteps, TensorValues)> {
    let device = select_device(device, cuda)?;
    let (precision, kind) = select_precision(precision, device)?;
    let &TenSteps { size, batch, steps, .. } = asked;
    let config = plain_config(asked, precision);
    let initial = initial_model(asked.width, size, None, config.seed);
    let mut learner = Learner::new(&config, &initial.tensors, CrossEntropy::plain(), device, kind)?;
    if let Device::Cuda(number) = device {
        reset_gpu_peak(number)?;
    }
    let (mut losses, mut gradient_norms, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..steps {
        let input = random_batch(step, batch, size, device)?;
        let start = Instant::now();
        let result = learner.step(config.learning_rate, batch, std::iter::once(Ok(input)))?;
        losses.push(f64::try_from(result.loss_sum)? / batch as f64);
        gradient_norms.push(f64::try_from(result.gradient_norm)?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    let gpu_memory = if let Device::Cuda(number) = device { Some(gpu_memory(number)?) } else { None };
    let host_peak_bytes = host_memory::peak_bytes();
    let device = device_name(device);
    let weights = learner.values()?;
    Ok((TrainedSteps { device, precision, losses, gradient_norms, seconds, gpu_memory, host_peak_bytes }, weights))
}

/// Images and labels of a step. They are drawn on the CPU, whatever the device: each device has its own generator.
fn random_batch(step: u32, batch: usize, size: usize, device: Device) -> anyhow::Result<Batch> {
    tch::manual_seed(1000 + i64::from(step));
    let (count, side) = (batch as i64, size as i64);
    let labels = Tensor::f_arange(count, (Kind::Int64, Device::Cpu))?.f_remainder(4)?;
    // Each class has a mean of its own, so that there is something to learn.
    let means = labels.f_to_kind(Kind::Float)?.f_mul_scalar(0.1)?.f_reshape([-1, 1, 1, 1])?;
    let images =
        Tensor::f_randn([count, 3, side, side], (Kind::Float, Device::Cpu))?.f_mul_scalar(0.25)?.f_add(&means)?;
    Ok(Batch { images: channels_last(&images.f_to(device)?)?, labels: labels.f_to(device)? })
}

/// The reference's gradient descent and nothing besides.
fn plain_config(asked: &TenSteps, precision: Precision) -> TrainingConfig {
    let seed = Preset::named("seed").expect("a preset that comes with the program").config;
    let &TenSteps { size, width, batch: batch_size, .. } = asked;
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
