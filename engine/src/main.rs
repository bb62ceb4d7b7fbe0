//! The `mammoscope-engine` program.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use mammoscope::domain::compute_options::DeviceChoice;
use mammoscope::domain::engine_facts::CudaFacts;
use mammoscope_engine::bench::augmentation::{AugmentationBench, AugmentationTiming, augmentation};
use mammoscope_engine::bench::forward::{ForwardBench, ForwardTiming, forward};
use mammoscope_engine::learning::{device, host_memory};
use mammoscope_engine::thread::serve::serve;

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
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
    /// Print what libtorch, CUDA and the CPU offer, as JSON
    Probe,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Time the forward pass of the network at width 1
    Forward(ForwardArguments),
    /// Time the way from decoded images to augmented batches
    Augmentation(AugmentationArguments),
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AugmentationArguments {
    /// Sizes of the images
    #[arg(long, value_name = "PX", value_delimiter = ',', default_values_t = [650, 128])]
    sizes: Vec<usize>,
    /// Images a batch
    #[arg(long, value_name = "N", default_value_t = 4)]
    batch: usize,
    /// Where to compute: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    host_memory::keep_freed_memory();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve => serve(device::load_cuda),
        Command::Bench(Bench::Forward(arguments)) => bench_forward(arguments, &device::load_cuda()),
        Command::Bench(Bench::Augmentation(arguments)) => bench_augmentation(arguments, &device::load_cuda()),
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
    let ForwardArguments { sizes, batches, device, json } = arguments;
    let report = forward(&ForwardBench { sizes, batches, device }, cuda)?;
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

fn bench_augmentation(arguments: AugmentationArguments, cuda: &CudaFacts) -> anyhow::Result<()> {
    let AugmentationArguments { sizes, batch, device, json } = arguments;
    let report = augmentation(&AugmentationBench { sizes, batch, device }, cuda)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("batches on {}, {} CPU threads", report.device, report.threads);
    for AugmentationTiming { size, batch, precision, img_per_s, .. } in report.results {
        println!("{size:>5} px  batch {batch:>3}  {precision:<5} {img_per_s:>9.2} images/s");
    }
    Ok(())
}
