//! `mammoscope explain`: pictures, maps and scores of where a network looks.

mod announcement;
mod contact_sheets;
mod epoch_document;
mod epoch_films;
mod explained;
mod files;
mod group_maps;
mod kept_models;
mod merging;
mod over_epochs;
mod report;
mod sanity;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::chosen_images::ImageChoice;
use super::console::{Console, Outcome, WrongUse};
use super::data_arguments::DataArguments;
use super::engine_start::start_engine;
use super::interruption::Interruption;
use super::model_choice::open_models_and_faulty;
use super::sharding::{ShardArguments, conditions_of_choice, name_device, prepare_output};
use super::terminal_picture::{Graphics, PicturePrinter};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::map_look::MapLook;
use mammoscope_storage::shards::explanation_shard::{ExplainedView, ExplanationShard};
use mammoscope_storage::shards::shard_record::ShardRecord;
use mammoscope_storage::tables::score_table::ScoreWriter;

use explained::Done;
use files::ExplanationFiles;
use group_maps::{GroupMaps, Job};
pub(super) use merging::{ExplainMerge, merge};
use report::Report;

/// The class that maps explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WantedClass {
    /// The predicted class
    Predicted,
    /// The class of the image's folder
    True,
    #[value(name = "A")]
    A,
    #[value(name = "B")]
    B,
    #[value(name = "C")]
    C,
    #[value(name = "D")]
    D,
}

impl WantedClass {
    /// The class, if it is the same for all images.
    fn fixed(self) -> Option<DensityClass> {
        match self {
            Self::Predicted | Self::True => None,
            Self::A => Some(DensityClass::A),
            Self::B => Some(DensityClass::B),
            Self::C => Some(DensityClass::C),
            Self::D => Some(DensityClass::D),
        }
    }
}

/// Map where models look in images, and score the maps
///
/// Writes for each image, below `<VIEW>/<CLASS>/` in --out, the map as `<stem>_map.npy` (f32, as large as the network's
/// input) and four pictures, `<predicted>_<stem>_<size>.png`, `…_map.png`, `…_overlay.png` and `…_contours.png`; also
/// `scores.csv` (the share of the map in the breast, in dense tissue, along the skin, outside) and a contact sheet per
/// class. Dense tissue is taken from the masks of the data set, `masks/<stem>_dense.png` beside the images, or else
/// found by a rule. A degenerate map is counted and never painted.
///
/// With --shard I/N, N processes share the work; `mammoscope explain merge` then makes of their outputs what one process
/// would have written, byte by byte.
///
/// With --over-epochs RUN, the maps of each image at all epochs whose models the run has kept: `<stem>_epochs.png`, a strip
/// on one colour scale, `<stem>_epochs.apng`, an animation, `scores_over_epochs.csv` and `over_epochs.json`.
///
/// Every score is printed with that of a random map of the same image. --sanity tests whether the maps can be trusted:
/// do they change when the weights are replaced by random ones, do they repeat, and do they find dense tissue better
/// than random maps do? docs/explanations.md explains the methods, the scores and the rule of the verdict.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "\
Examples:
  mammoscope explain --model models/ --data testset --out maps
  mammoscope explain --model models/ --data testset --class true --out maps
  mammoscope explain --model models/ --data testset --method layer-cam \\
      --layer stage3 --out early
  mammoscope explain --model latest --data DIR --split test --sanity \\
      --out checked
  mammoscope explain --over-epochs RUN --data DIR --split test \\
      --class true --out film
  In two processes:
    mammoscope explain --model M --data DIR --shard 1/2 --out part1
    mammoscope explain --model M --data DIR --shard 2/2 --out part2
    mammoscope explain merge part1 part2 --out maps")]
pub(super) struct ExplainArguments {
    /// A model file, a folder with one model per view, or a run or group (its best checkpoints)
    #[arg(long, value_name = "M", required_unless_present = "over_epochs")]
    model: Option<PathBuf>,
    /// In place of a model, a run that was trained with --set `keep_every=N`: a filmstrip, an animation and the scores of
    /// the maps at each epoch whose model it has kept
    #[arg(long, value_name = "RUN", conflicts_with = "model")]
    over_epochs: Option<PathBuf>,
    /// An image, a folder of images, or a tree `<VIEW>/[split/]<CLASS>/*`
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Views to explain, separated by commas, or all
    #[arg(long, value_name = "V,…", default_value = "all")]
    view: ViewSelection,
    /// The split to explain: train, validation, test or all
    #[arg(long, value_name = "SPLIT", default_value = "all")]
    split: SplitSelection,
    /// grad-cam, grad-cam++, hires-cam, layer-cam, eigen-cam, smooth-grad, occlusion or random
    #[arg(long, value_name = "NAME", default_value_t)]
    method: ExplanationMethod,
    #[arg(
        long,
        value_name = "NAME",
        default_value_t,
        help = "The layer: add_1 to add_12 (the sums of the blocks), or stage1 to stage4"
    )]
    layer: ExplainedLayer,
    /// The class that maps explain [default: predicted; with --sanity D, since the question is what makes a breast
    /// dense]
    #[arg(long, value_enum, value_name = "CLASS")]
    class: Option<WantedClass>,
    /// Grad-CAM exactly as keras-vis 0.5 computes it
    #[arg(long)]
    parity: bool,
    /// Test whether the maps can be trusted; prints a verdict and writes sanity.json
    #[arg(long)]
    sanity: bool,
    /// Measure how fast the class's probability rises and falls as pixels are added and removed in the order of the
    /// map, in some forty passes per image; --sanity always does
    #[arg(long)]
    curves: bool,
    /// Draw each overlay in the terminal
    #[arg(long)]
    show: bool,
    /// Protocol for the pictures of --show; unsupported ones fall back to half-blocks
    #[arg(long, value_enum, default_value_t = Graphics::Auto, value_name = "MODE")]
    graphics: Graphics,
    /// The colours of maps: inferno, viridis, grey, or the reference's seismic
    #[arg(long, value_name = "NAME", default_value_t)]
    colormap: Colormap,
    /// Opacity of the strongest colour, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.6, value_parser = share)]
    opacity: f32,
    /// The map value that gets the full colour, so that pictures can be compared [default: each map's largest]
    #[arg(long, value_name = "VALUE", value_parser = positive)]
    full: Option<f32>,
    /// How pictures draw the positions of a map: cells, smooth (interpolated), or auto: cells if there are at most
    /// 7 × 7, where interpolation would show hot spots that are not there [default: auto; with --parity smooth]
    #[arg(long, value_name = "LOOK")]
    map_look: Option<MapLook>,
    #[command(flatten)]
    data_options: DataArguments,
    /// The folder to write to; created if missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    sharding: ShardArguments,
    /// The device: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceChoice,
    /// f32, f32-strict, bf16 or auto
    #[arg(long, value_name = "PRECISION", default_value = "f32")]
    precision: Precision,
    /// Images per batch [default: 32 on a GPU, 4 on a CPU, 1 there above 400 pixels]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch_size: Option<u16>,
    /// CPU threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Seed of random weights, noise and random maps
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Print one JSON document instead of the table
    #[arg(long)]
    json: bool,
}

impl ExplainArguments {
    /// The requested class. A class between the fattiest and the densest is also recognised by what is absent, so
    /// whether a network looks at dense tissue can only be tested with the evidence for D.
    fn wanted_class(&self) -> WantedClass {
        self.class.unwrap_or(if self.sanity { WantedClass::D } else { WantedClass::Predicted })
    }

    /// How positions are drawn; the reference interpolates.
    fn map_look(&self) -> MapLook {
        self.map_look.unwrap_or(if self.parity { MapLook::Smooth } else { MapLook::Auto })
    }

    fn measures_curves(&self) -> bool {
        self.curves || self.sanity
    }

    /// The options that change maps, scores or pictures, by which shards are compared.
    fn conditions(&self) -> [(String, String); 11] {
        [
            ("the grey range", self.data_options.grey.range().to_string()),
            ("--method", self.method.to_string()),
            ("--layer", self.layer.to_string()),
            ("--class", format!("{:?}", self.wanted_class())),
            ("--parity", self.parity.to_string()),
            ("--curves", self.curves.to_string()),
            ("--colormap", self.colormap.to_string()),
            ("--opacity", self.opacity.to_string()),
            ("--full", self.full.map_or_else(|| "each map's largest".to_owned(), |full| full.to_string())),
            ("--map-look", self.map_look().to_string()),
            ("--seed", self.seed.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}

fn share(text: &str) -> Result<f32, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share from 0 to 1".to_owned())
}

fn positive(text: &str) -> Result<f32, String> {
    let is_good = |value: &f32| value.is_finite() && *value > 0.0;
    text.parse().ok().filter(is_good).ok_or_else(|| "expected a value above 0".to_owned())
}

pub(super) fn run(
    arguments: &ExplainArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    if let Some(requested) = &arguments.over_epochs {
        return over_epochs::run(arguments, requested, workspace, console);
    }
    let model = arguments.model.as_deref().ok_or_else(|| WrongUse("--model is missing".to_owned()))?;
    if arguments.parity && (arguments.method != ExplanationMethod::GradCam || !arguments.layer.is_last()) {
        return Err(WrongUse("--parity is keras-vis's Grad-CAM of add_12: omit --method and --layer".to_owned()).into());
    }
    if arguments.sanity && arguments.sharding.shard.is_some() {
        return Err(WrongUse(
            "--sanity judges images spread over the whole cohort: explain those in one process, without --shard"
                .to_owned(),
        )
        .into());
    }
    let models = open_models_and_faulty(model, workspace, console).context("--model")?;
    let choice = ImageChoice {
        models: &models,
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
        conditions.extend(arguments.conditions());
        chosen.keep(shard);
    }
    let groups = &chosen.groups;
    prepare_output(&arguments.out, shard)?;
    let out = || format!("write to {}", printable_path(&arguments.out));
    let mut files = ExplanationFiles::create(arguments).with_context(out)?;
    let mut table = ScoreWriter::create(&arguments.out).with_context(out)?;
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    // A shard may have no images.
    let has_images = groups.iter().any(|group| !group.samples.is_empty());
    let mut engine = has_images.then(|| start_engine(Cancellation::new(&interrupted))).transpose()?;
    let mut printer = arguments.show.then(|| PicturePrinter::new(arguments.graphics, console)).flatten();
    let mut job = Job::default();
    let mut report = Report::new(chosen.left_out);
    let mut views: Vec<ExplainedView> = Vec::new();
    for group in groups {
        let maps = GroupMaps { arguments, console, group };
        let Some(engine) = engine.as_mut().filter(|_| !group.samples.is_empty()) else {
            views.push(Done::default().recorded(group));
            continue;
        };
        if let Some(text) = maps.coarse().and_then(|coarse| report.caution(coarse.to_string())) {
            console.warn(text);
        }
        maps.announce(engine, &mut job, Cancellation::new(&interrupted))?;
        let mut done = maps.compute(engine, &mut job, Cancellation::new(&interrupted), &mut |one, image| {
            files.write(one, image).with_context(out)?;
            table.write(&one.row).with_context(out)?;
            if let (Some(printer), true) = (&mut printer, image.status.is_sound()) {
                files.show(printer, one, image)?;
            }
            Ok(())
        })?;
        if shard.is_some() {
            views.push(done.recorded(group));
            conditions.extend(std::mem::take(&mut done.conditions));
        }
        report.add(group, done);
    }
    if shard.is_none() {
        report.check_any()?;
    }
    let checked = match &mut engine {
        Some(engine) if arguments.sanity => {
            let cancellation = Cancellation::new(&interrupted);
            Some(sanity::check(arguments, console, groups, &report.explained, engine, &mut job, cancellation)?)
        }
        _ => None,
    };
    table.finish().with_context(out)?;
    let title = files.title().to_owned();
    files.finish().with_context(out)?;
    if let Some(checked) = &checked {
        checked.write(&arguments.out).with_context(out)?;
    }
    if let Some(shard) = shard {
        name_device(&mut conditions)?;
        let results = ExplanationShard { title, left_out: chosen.left_out, coarse: report.coarse.clone(), views };
        merging::write_record(&arguments.out, ShardRecord::new("explain", shard, conditions, results))
            .with_context(out)?;
    }
    report.print(&arguments.out, arguments.json, checked.as_ref())?;
    let outcome = report.summarise(&arguments.out, console);
    if let Some(shard) = shard {
        let folder = printable_path(&arguments.out);
        console.note(format!("shard {shard} is done: {folder}; when all are: mammoscope explain merge DIR… --out DIR"));
    }
    Ok(outcome)
}
