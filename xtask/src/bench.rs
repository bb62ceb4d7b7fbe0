//! `cargo xtask bench`: the engine measured in turns with its peers, PyTorch and Keras.

mod ours;
mod peers;
mod pipeline;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::ValueEnum;

use crate::checkout::{Checkout, exit_code, run_to_end};
use crate::setup;
use ours::Ours;
use peers::Peers;
use pipeline::ImageFolder;
use table::markdown_table;

/// Arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArguments {
    /// A folder with the virtual environments `torch` and `keras`; a missing one is skipped
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// The folder with the peers' scripts, `bench_torch.py` and `bench_keras.py`
    #[arg(long, value_name = "DIR", default_value = "../shared/peers")]
    scripts: PathBuf,
    /// Images to train on: folders A to D anywhere below [default: the reference's test set, else testset/]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The kinds of work to measure
    #[arg(long, value_name = "WORK,…", value_delimiter = ',', default_values = ["forward", "train", "pipeline"])]
    only: Vec<Work>,
    /// Heights and widths of the images, in pixels
    #[arg(long, value_name = "PX,…", value_delimiter = ',', default_values_t = [650, 128])]
    sizes: Vec<u32>,
    /// The number of rounds, each of which measures all in turns: ours, theirs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Threads for all [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// A kind of work, for our programs and the peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Work {
    /// The forward pass
    Forward,
    /// Grad-CAM at the last layer, one image at a time; always at 650 pixels
    #[value(name = "gradcam")]
    GradCam,
    /// The same, compared with the peer's hand-written gradient of the head
    #[value(skip)]
    GradCamByHand,
    /// Training steps on images in memory
    Train,
    /// Training from image files, with augmentation
    Pipeline,
    /// Its first epoch, including everything before it
    #[value(skip)]
    FirstEpoch,
}

/// One measurement of one case.
#[derive(Clone, Debug)]
struct Figure {
    work: Work,
    /// Height and width of the images in pixels.
    size: u32,
    /// Images per pass.
    batch: u32,
    /// Our precision, or the peer's name and memory layout (peers compute in f32).
    variant: String,
    /// Images per second.
    img_per_s: f64,
    /// The peak memory of the process, if known.
    peak_bytes: Option<u64>,
}

/// The conditions that all measurements share.
#[derive(Debug)]
struct Conditions {
    sizes: Vec<u32>,
    threads: String,
    images: ImageFolder,
}

/// Images per training step and per pass, as in the reference.
const BATCH: u32 = 4;

/// Builds the release binaries, measures and prints a Markdown table with the median of the rounds.
pub(crate) fn run(checkout: &Checkout, arguments: &BenchArguments) -> anyhow::Result<ExitCode> {
    setup::ensure(&checkout.root)?;
    let built = run_to_end(&mut checkout.cargo(["build", "--release", "--workspace"]))?;
    if !built.success() {
        return Ok(exit_code(built));
    }
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let conditions = Conditions {
        sizes: arguments.sizes.clone(),
        threads: arguments.threads.unwrap_or(cores).to_string(),
        images: ImageFolder::make(checkout, arguments.images.as_deref())?,
    };
    let peers = if let Some(environments) = &arguments.peers {
        Peers::find(environments, &checkout.root.join(&arguments.scripts))?
    } else {
        eprintln!("skipped: PyTorch and Keras (--peers DIR names their environments)");
        Peers::default()
    };
    let ours = Ours::find(checkout)?;
    let (mut our_figures, mut their_figures) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        for &work in &arguments.only {
            eprintln!("round {round} of {}: {}", arguments.rounds, work.name());
            our_figures.extend(ours.measure(work, &conditions)?);
            their_figures.extend(peers.measure(work, &conditions)?);
        }
    }
    println!("{}", markdown_table(&our_figures, &their_figures));
    Ok(ExitCode::SUCCESS)
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::GradCam => "Grad-CAM, peer's package",
            Self::GradCamByHand => "Grad-CAM, peer by hand",
            Self::Train => "train step",
            Self::Pipeline => "from files",
            Self::FirstEpoch => "from files, first epoch",
        }
    }
}
