//! The `mammoscope-engine` program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine::bench::augmentation::{AugmentationBench, AugmentationTiming, augmentation};
use mammoscope_engine::bench::forward::{ForwardBench, ForwardTiming, forward};
use mammoscope_engine::bench::gradcam::{GradCamBench, GradCamTiming, gradcam};
use mammoscope_engine::bench::ten_steps::{TenSteps, ten_steps};
use mammoscope_engine::learning::{device, host_memory};
use mammoscope_engine::thread::serve::serve;
use mammoscope_engine::thread::train::train;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::runs::run_dir::RunDir;

/// The libtorch engine of mammoscope. `mammoscope` starts it; there is no need to call it yourself.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the commands of a `mammoscope` on stdin, in frames
    Serve,
    /// Train runs one after the other, detached from the terminal; each run's log.txt tells how it goes
    Train(TrainArguments),
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
    /// Print what libtorch, CUDA and the CPU offer, as JSON
    Probe,
}

#[derive(Debug, Args)]
struct TrainArguments {
    /// Run directories, in the order of their turn
    #[arg(value_name = "RUN_DIR", required = true)]
    runs: Vec<PathBuf>,
    /// Epochs to train to, in place of what the runs were asked for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Time the forward pass of the network at width 1
    Forward(ForwardArguments),
    /// Time Grad-CAM of the network at width 1
    #[command(name = "gradcam")]
    GradCam(GradCamArguments),
    /// Time the way from decoded images to augmented batches
    Augmentation(AugmentationArguments),
    /// Train a few steps on random images, on one device beside another, and print JSON
    TenSteps(TenStepsArguments),
}

#[derive(Debug, Args)]
struct ForwardArguments {
    /// Input sizes
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650, 128])]
    sizes: Vec<i64>,
    /// Batch sizes
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [4, 1])]
    batches: Vec<i64>,
    /// Where to compute: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Precisions: f32 (with TF32 on a GPU), f32-strict, bf16
    #[arg(long, value_name = "PRECISION", value_delimiter = ',', default_values_t = [Precision::F32, Precision::Bf16])]
    precisions: Vec<Precision>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct GradCamArguments {
    /// Input sizes
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650])]
    sizes: Vec<i64>,
    /// Batch sizes
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 4])]
    batches: Vec<i64>,
    /// Where to compute: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Precisions: f32 (with TF32 on a GPU), f32-strict, bf16
    #[arg(long, value_name = "PRECISION", value_delimiter = ',', default_values_t = [Precision::F32, Precision::Bf16])]
    precisions: Vec<Precision>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AugmentationArguments {
    /// Sizes of the images
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650, 128], value_parser = positive)]
    sizes: Vec<usize>,
    /// Images a batch
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    batch: usize,
    /// Where to compute: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct TenStepsArguments {
    /// Where to compute: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// f32 (with TF32 on a GPU), f32-strict, bf16 or auto
    #[arg(long, value_name = "PRECISION", default_value = "f32-strict")]
    precision: Precision,
    /// Compute the same there in f32-strict, and print the largest differences
    #[arg(long, value_name = "DEVICE")]
    against: Option<DeviceChoice>,
    /// Input size
    #[arg(long, value_name = "PX", default_value_t = REFERENCE_SIZE, value_parser = positive)]
    size: usize,
    /// Factor on all numbers of channels
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = width)]
    width: WidthFactor,
    /// Images a step
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = positive)]
    batch: usize,
    /// How many steps
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Let cuDNN try its algorithms out and keep the fastest
    #[arg(long)]
    cudnn_benchmark: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "a whole number from 1 is wanted".to_owned())
}

fn width(text: &str) -> Result<WidthFactor, String> {
    let factor = text.parse().map_err(|_| "a number is wanted".to_owned())?;
    WidthFactor::new(factor).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    host_memory::keep_freed_memory();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Train(TrainArguments { runs, epochs }) => {
            match train(runs.into_iter().map(RunDir::new).collect(), epochs, device::load_cuda) {
                Ok(true) => Ok(()),
                // Why stands in the runs' own records.
                Ok(false) => return ExitCode::FAILURE,
                Err(error) => Err(error),
            }
        }
        Command::Serve => serve(device::load_cuda),
        Command::Bench(Bench::Forward(arguments)) => bench_forward(arguments, &device::load_cuda()),
        Command::Bench(Bench::GradCam(arguments)) => bench_gradcam(arguments, &device::load_cuda()),
        Command::Bench(Bench::Augmentation(arguments)) => bench_augmentation(arguments, &device::load_cuda()),
        Command::Bench(Bench::TenSteps(arguments)) => bench_ten_steps(&arguments, &device::load_cuda()),
        Command::Probe => serde_json::to_string(&device::probe(device::load_cuda()))
            .map(|json| println!("{json}"))
            .map_err(Into::into),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bench_forward(arguments: ForwardArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let ForwardArguments { sizes, batches, device, precisions, json } = arguments;
    let report = forward(&ForwardBench { sizes, batches, device, precisions }, cuda)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("forward pass on {}, {} CPU threads", report.device, report.threads);
    for ForwardTiming { size, batch, precision, img_per_s, .. } in report.results {
        println!("{size:>5} px  batch {batch:>3}  {precision:<5} {img_per_s:>9.2} images/s");
    }
    Ok(())
}

fn bench_gradcam(arguments: GradCamArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let GradCamArguments { sizes, batches, device, precisions, json } = arguments;
    let report = gradcam(&GradCamBench { sizes, batches, device, precisions }, cuda)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("Grad-CAM on {}, {} CPU threads", report.device, report.threads);
    for GradCamTiming { size, batch, precision, img_per_s, .. } in report.results {
        println!("{size:>5} px  batch {batch:>3}  {precision:<5} {img_per_s:>9.2} maps/s");
    }
    Ok(())
}

fn bench_augmentation(arguments: AugmentationArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let AugmentationArguments { sizes, batch, device, json } = arguments;
    let report = augmentation(&AugmentationBench { sizes, batch, device }, cuda)?;
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

fn bench_ten_steps(arguments: &TenStepsArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let &TenStepsArguments { device, precision, against, size, width, batch, steps, cudnn_benchmark } = arguments;
    let report = ten_steps(&TenSteps { device, precision, against, size, width, batch, steps, cudnn_benchmark }, cuda)?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
