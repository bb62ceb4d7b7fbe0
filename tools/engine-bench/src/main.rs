//! `mammoscope-engine-bench`: timings of the engine, and a comparison of two devices.

mod augmentation;
mod cases;
mod forward;
mod gradcam;
mod ten_steps;
mod timing;

use std::process::ExitCode;

use augmentation::{AugmentationBench, AugmentationTiming, augmentation};
use cases::Cases;
use clap::{Args, Parser};
use forward::forward;
use gradcam::gradcam;
use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine::learning::{device, host_memory};
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use ten_steps::{TenSteps, ten_steps};

/// Timings of mammoscope's engine, for `cargo xtask bench` and `cargo xtask gpu-check`.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
enum Bench {
    /// Time the forward pass of the network at width 1
    Forward(Cases),
    /// Time Grad-CAM of the network at width 1
    #[command(name = "gradcam")]
    GradCam(Cases),
    /// Time the path from decoded images to augmented batches
    Augmentation(AugmentationArguments),
    /// Train for a few steps on random images, optionally on a second device for comparison, and print JSON
    TenSteps(TenStepsArguments),
}

#[derive(Debug, Args)]
struct AugmentationArguments {
    /// Image sizes
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650, 128], value_parser = positive)]
    sizes: Vec<usize>,
    /// Images per batch
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    batch: usize,
    /// Device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct TenStepsArguments {
    /// Device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// f32 (TF32 on a GPU), f32-strict, bf16 or auto
    #[arg(long, value_name = "PRECISION", default_value = "f32-strict")]
    precision: Precision,
    /// Repeat the steps on this device in f32-strict and print the largest differences
    #[arg(long, value_name = "DEVICE")]
    against: Option<DeviceChoice>,
    /// Input size
    #[arg(long, value_name = "PX", default_value_t = REFERENCE_SIZE, value_parser = positive)]
    size: usize,
    /// Factor on all channel counts
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = width)]
    width: WidthFactor,
    /// Images per step
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    batch: usize,
    /// Number of steps
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Let cuDNN benchmark its algorithms and keep the fastest
    #[arg(long)]
    cudnn_benchmark: bool,
    /// Restrict cuDNN to algorithms that give the same bits in every run
    #[arg(long)]
    deterministic: bool,
    /// Record the steps as CUDA graphs and replay them, as a training does
    #[arg(long)]
    captured: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "expected a whole number of at least 1".to_owned())
}

fn width(text: &str) -> Result<WidthFactor, String> {
    let factor = text.parse().map_err(|_| "expected a number".to_owned())?;
    WidthFactor::new(factor).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    host_memory::keep_freed_memory();
    let bench = Bench::parse();
    match run(&bench, &device::load_cuda()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(bench: &Bench, cuda: &CudaFacts) -> anyhow::Result<()> {
    match bench {
        Bench::Forward(cases) => forward(cases, cuda)?.print(cases.json, "forward pass", "images"),
        Bench::GradCam(cases) => gradcam(cases, cuda)?.print(cases.json, "Grad-CAM", "maps"),
        Bench::Augmentation(arguments) => time_augmentation(arguments, cuda),
        Bench::TenSteps(arguments) => run_ten_steps(arguments, cuda),
    }
}

fn time_augmentation(arguments: &AugmentationArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let &AugmentationArguments { ref sizes, batch, device, json } = arguments;
    let report = augmentation(&AugmentationBench { sizes: sizes.clone(), batch, device }, cuda)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("augmented batches on {}, {} CPU threads", report.device, report.threads);
    for AugmentationTiming { size, batch, precision, img_per_s, .. } in report.results {
        println!("{size:>5} px  batch {batch:>3}  {precision:<5} {img_per_s:>9.2} images/s");
    }
    Ok(())
}

fn run_ten_steps(arguments: &TenStepsArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let &TenStepsArguments {
        device,
        precision,
        against,
        size,
        width,
        batch,
        steps,
        cudnn_benchmark,
        deterministic,
        captured,
    } = arguments;
    let steps =
        TenSteps { device, precision, against, size, width, batch, steps, cudnn_benchmark, deterministic, captured };
    let report = ten_steps(&steps, cuda)?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
