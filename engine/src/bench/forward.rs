//! `mammoscope-engine bench forward`: images per second of the forward pass.

use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use serde::Serialize;
use tch::{Device, Kind, Tensor, no_grad};

use super::timing::{Timing, time};
use crate::learning::device::{cpu_has_bf16, device_name, select_device, select_precision};
use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::initial_weights::initial_model;
use crate::learning::libtorch_ext::channels_last;
use crate::learning::resnet::ResNet;

/// What to measure.
#[derive(Clone, Debug)]
pub struct ForwardBench {
    /// Input heights and widths in pixels.
    pub sizes: Vec<i64>,
    /// Batch sizes.
    pub batches: Vec<i64>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Precisions; bf16 is left out where the CPU has no instructions for it.
    pub precisions: Vec<Precision>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct ForwardReport {
    /// The device in words.
    pub device: String,
    /// CPU threads.
    pub threads: i32,
    /// One entry a size, batch and precision.
    pub results: Vec<ForwardTiming>,
}

/// The time of one case.
#[derive(Clone, Debug, Serialize)]
pub struct ForwardTiming {
    /// `forward`, or `forward_b1` for batches of one.
    pub name: &'static str,
    /// Input height and width in pixels.
    pub size: i64,
    /// Images a pass.
    pub batch: i64,
    /// f32 or bf16.
    pub precision: Precision,
    /// Median over the passes, in seconds.
    pub median_s: f64,
    /// The fastest pass, in seconds.
    pub min_s: f64,
    /// Images a second, by the median.
    pub img_per_s: f64,
}

/// Times the folded network at width 1 with random weights, input and weights on the device already.
pub fn forward(bench: &ForwardBench, cuda: &CudaFacts) -> anyhow::Result<ForwardReport> {
    let device = select_device(bench.device, cuda)?;
    let network = no_grad(|| ResNet::from_model(&initial_model(WidthFactor::ONE, REFERENCE_SIZE, None, 1), device))?;
    let has_bf16 = device.is_cuda() || cpu_has_bf16();
    let mut report =
        ForwardReport { device: device_name(device), threads: tch::get_num_threads(), results: Vec::new() };
    for &precision in &bench.precisions {
        if precision == Precision::Bf16 && !has_bf16 {
            eprintln!("skipped: bf16, for which this CPU has no instructions");
            continue;
        }
        let (_, kind) = select_precision(precision, device)?;
        let folded = no_grad(|| FoldedResNet::new(&network, kind))?;
        for &size in &bench.sizes {
            for &batch in &bench.batches {
                report.results.push(time_one(&folded, size, batch, precision, device)?);
            }
        }
    }
    Ok(report)
}

fn time_one(
    network: &FoldedResNet,
    size: i64,
    batch: i64,
    precision: Precision,
    device: Device,
) -> anyhow::Result<ForwardTiming> {
    let input = channels_last(&(Tensor::f_randn([batch, 3, size, size], (Kind::Float, device))? * 0.25))?;
    let Timing { median_s, min_s } = time(size, || {
        let logits = no_grad(|| network.forward(&input))?;
        // Reading a value waits until the device is done.
        logits.f_to(Device::Cpu).map(drop)
    })?;
    let name = if batch == 1 { "forward_b1" } else { "forward" };
    Ok(ForwardTiming { name, size, batch, precision, median_s, min_s, img_per_s: batch as f64 / median_s })
}
