//! `mammoscope predict`: class probabilities of images.

mod calibrated;
mod comparing;
mod group_job;
mod members;
mod merging;
mod passes;
mod prediction;
mod report;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::chosen_images::{ChosenImages, ImageChoice};
use super::console::{Console, Outcome, WrongUse};
use super::data_arguments::DataArguments;
use super::engine_start::start_engine;
use super::interruption::Interruption;
use super::sharding::{ShardArguments, conditions_of_choice, name_device, prepare_output};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_storage::shards::prediction_shard::PredictionShard;
use mammoscope_storage::shards::shard_record::{ShardFile, ShardRecord};
use mammoscope_storage::tables::fused_table::remove_fused_table;
use mammoscope_storage::tables::prediction_table::{FILE_NAME, PredictionWriter, columns_file_name};

use calibrated::Temperatures;
use members::Members;
pub(super) use merging::{PredictMerge, merge};
use passes::MAX_COPIES;
use prediction::Prediction;
use report::{NOTES_FILE, Report, Sources, warn_of_replaced};

/// Predict the density class of images with trained models
///
/// Writes `predictions.csv` (one line per image, with the probabilities of A to D) and, beside it,
/// `predictions_<VIEW>.txt`, the reference's four columns in the same order. Earlier predictions in the folder are
/// replaced. Images that cannot be read are listed and left out; the exit status is then 1. `mammoscope evaluate DIR`
/// reads the result.
///
/// With --shard I/N, N processes share the work, on one machine or on many; `mammoscope predict merge` then makes of their
/// outputs what one process would have written, byte by byte.
///
/// In data without split folders, --split uses the splits that each model was trained with, from its run's manifest or
/// its metadata.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope predict --model models/ --data testset --out predictions
  mammoscope predict --model models/ --data TestSet --view CC_R --out right
  mammoscope predict --model cc_r.safetensors --data 124_1_A_CC_R.png --out one
  The four models of the newest group, on its held-out test images:
    mammoscope predict --model latest --data DIR --split test --out test
  Calibrated probabilities, after `mammoscope evaluate latest --calibrate`:
    mammoscope predict --model latest --data NEW --calibrated --out new
  All networks of a study, each on five copies of the images:
    mammoscope predict --model STUDY --data NEW --tta 5 --out new
  In two processes:
    mammoscope predict --model M --data DIR --shard 1/2 --out part1
    mammoscope predict --model M --data DIR --shard 2/2 --out part2
    mammoscope predict merge part1 part2 --out predictions")]
pub(super) struct PredictArguments {
    /// A model file, a folder with one model per view, or a run or group (its best checkpoints); of a study of several
    /// seeds or folds, the mean of all its networks
    #[arg(long, value_name = "M")]
    pub(super) model: PathBuf,
    /// An image, a folder of images, or a tree `<VIEW>/[split/]<CLASS>/*`
    #[arg(long, value_name = "PATH")]
    pub(super) data: PathBuf,
    /// Views to predict, separated by commas, or all
    #[arg(long, value_name = "V,…", default_value = "all")]
    pub(super) view: ViewSelection,
    /// The split to predict: train, validation, test or all
    #[arg(long, value_name = "SPLIT", default_value = "all")]
    pub(super) split: SplitSelection,
    #[command(flatten)]
    pub(super) data_options: DataArguments,
    /// The folder to write to; created if missing
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) sharding: ShardArguments,
    /// The device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: DeviceChoice,
    /// f32, f32-strict (no TF32 on a GPU), bf16 (about twice as fast on hardware that supports it) or auto
    #[arg(long, value_name = "PRECISION", default_value = "f32")]
    pub(super) precision: Precision,
    /// Images per batch [default: 32 on a GPU, 4 on a CPU, 1 there above 400 pixels]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) batch_size: Option<u16>,
    /// CPU threads, for computation and decoding [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// The point of a study with several, whose networks predict together
    #[arg(long, value_name = "N")]
    pub(super) point: Option<u32>,
    /// Predict N copies of each image, itself and others transformed at random as in training, and take the mean
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_COPIES), conflicts_with = "shard")]
    pub(super) tta: Option<u32>,
    /// Apply the temperatures that `evaluate --calibrate` has fitted to the runs of --model
    #[arg(long, conflicts_with_all = ["shard", "tta"])]
    pub(super) calibrated: bool,
    /// Print one JSON document with the outcome for the images
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(
    arguments: &PredictArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let members = Members::open(&arguments.model, arguments.point, workspace, console).context("--model")?;
    if members.is_ensemble() {
        refuse_with_ensemble(arguments)?;
    }
    let choice = ImageChoice {
        models: &members.all[0].models,
        data: &arguments.data,
        data_options: &arguments.data_options,
        view: &arguments.view,
        split: arguments.split,
    };
    let mut chosen = choice.choose(console)?;
    let shard = arguments.sharding.shard;
    let mut conditions = BTreeMap::new();
    if let Some(shard) = shard {
        conditions = conditions_of_choice(&chosen)?;
        conditions.insert("the grey range".to_owned(), arguments.data_options.grey.range().to_string());
        chosen.keep(shard);
    }
    if members.is_ensemble() {
        members.check_images(&chosen, arguments.data_options.grey.range())?;
    }
    let ChosenImages { groups, left_out, grey, .. } = &chosen;
    let mut temperatures = if arguments.calibrated { Some(Temperatures::of(groups, console)?) } else { None };
    let passes = groups.iter().map(|group| passes::passes_of(&members, arguments.tta.unwrap_or(1), group));
    let passes = passes.collect::<anyhow::Result<Vec<_>>>()?;
    let mut report = Report::new(*left_out);
    warn_of_replaced(&arguments.out, groups.iter().map(|group| group.view), console);
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    // A shard may have no images.
    let has_images = groups.iter().any(|group| !group.samples.is_empty());
    let mut engine = has_images.then(|| start_engine(Cancellation::new(&interrupted))).transpose()?;
    prepare_output(&arguments.out, shard)?;
    let write_to = || format!("write to {}", printable_path(&arguments.out));
    let mut prediction = Prediction {
        arguments,
        console,
        members: &members,
        writer: PredictionWriter::create(&arguments.out).with_context(write_to)?,
        report: &mut report,
        temperatures: temperatures.as_mut(),
        alternatives: Vec::new(),
        rows: Vec::new(),
        jobs: 0,
    };
    prediction.plan_comparisons();
    let mut views = Vec::new();
    for (group, passes) in groups.iter().zip(&passes) {
        let mut view = group_job::record_of(group);
        if let (Some(engine), false) = (&mut engine, group.samples.is_empty()) {
            let done = prediction.predict(group, passes, engine, Cancellation::new(&interrupted))?;
            view.images = done.images;
            conditions.extend(done.conditions);
        }
        views.push(view);
    }
    let comparisons = prediction.compare()?;
    let writer = prediction.writer;
    let method = prediction::method_notes(arguments, &members, temperatures.as_ref(), comparisons);
    let sources = Sources { views: &views, grey_range: arguments.data_options.grey.range(), white: grey.white, method };
    remove_fused_table(&arguments.out).with_context(write_to)?;
    let outcome = report.finish(&arguments.out, writer, &sources, shard.is_some(), console)?;
    if let Some(temperatures) = &temperatures {
        temperatures.write_fused(&arguments.out, console)?;
    }
    if let Some(shard) = shard {
        name_device(&mut conditions)?;
        let results = PredictionShard {
            grey_range: arguments.data_options.grey.range(),
            white: grey.white,
            left_out: *left_out,
            views,
        };
        write_record(&arguments.out, ShardRecord::new("predict", shard, conditions, results)).with_context(write_to)?;
        note_next(arguments, shard, console);
    } else {
        report.note_next(&arguments.out, console);
    }
    if arguments.json {
        report.print(&arguments.out)?;
    }
    Ok(outcome)
}

/// Refuses options that are for one network for each view.
fn refuse_with_ensemble(arguments: &PredictArguments) -> Result<(), WrongUse> {
    let study = printable_path(&arguments.model);
    if arguments.calibrated {
        return Err(WrongUse(format!(
            "--calibrated is for single networks: no temperature was fitted to the mean of those of {study}; name a run or \
             a group"
        )));
    }
    if arguments.sharding.shard.is_some() {
        return Err(WrongUse(format!(
            "--shard is for single networks, and {study} is an ensemble; name a run or a group"
        )));
    }
    Ok(())
}

/// Writes the record of a shard with all its outputs.
fn write_record(out: &Path, mut record: ShardRecord<PredictionShard>) -> std::io::Result<()> {
    let tables = record.results.views.iter().map(|view| columns_file_name(view.view));
    let names: Vec<String> = [FILE_NAME.to_owned(), NOTES_FILE.to_owned()].into_iter().chain(tables).collect();
    for name in names.into_iter().filter(|name| out.join(name).exists()) {
        record.files.push(ShardFile::of(out, &name)?);
    }
    record.write(out)
}

fn note_next(arguments: &PredictArguments, shard: Shard, console: &Console) {
    console.note(format!(
        "shard {shard} is done: {}; when all are: mammoscope predict merge DIR… --out DIR",
        printable_path(&arguments.out)
    ));
}
