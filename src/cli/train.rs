//! `mammoscope train`: plans runs from a data set and a preset, and starts detached trainers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use super::console::{Console, Interrupted, Outcome, WrongUse, print_result};
use super::data_arguments::DataArguments;
use super::interruption::Interruption;
use super::placement::choose_placement;
use super::preset;
use super::split_file::read_splits;
use super::trainer_start::{FollowArguments, StartedTrainersExt as _, print_paths};
use mammoscope_dataset::copied_images::{CopiedImages, copied_files};
use mammoscope_dataset::manifest::{ManifestSet, build_manifests, use_reader_votes};
use mammoscope_dataset::split::SplitPlan;
use mammoscope_dataset::split_table::FoldChoice;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::training::compute_options::DeviceList;
use mammoscope_domain::training::placement_limits::JobCount;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::placement_choice::PlacementRequest;
use mammoscope_runs::training_plan::{PlannedRuns, TrainingPlan};
use mammoscope_runs::training_start::{DeviceShortage, StartError, check_disk, count_gpus, start_plan};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Train a model for each view, in runs that do not need the terminal
///
/// Creates a run directory for each view, and starts trainers that work through them: on each device as many side by
/// side as are fastest together, which a few seconds of training steps show. Closing the terminal does not affect them:
/// `mammoscope runs`, `status`, `follow` and `control` monitor and control runs, `resume` continues an interrupted one,
/// `evaluate` measures the result. Splits are the data's own folders, or else 80 : 10 : 10 by subject, drawn from the
/// seed, the same for all views; `mammoscope split` writes others.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(after_help = "\
Examples:
  The reference's recipe, all four views:
    mammoscope train --data DIR --view all --preset seed
  Another batch size and learning rate, in the background:
    mammoscope train --data DIR --view CC_R --preset modern --detach \\
      --set batch_size=16,learning_rate=0.02
  Two GPUs, two views each:
    mammoscope train --data DIR --view all --preset modern --device cuda:0,1
  Two runs at a time, each with four CPU threads:
    mammoscope train --data DIR --view all --preset modern --jobs 2 \\
      --set threads=4
  One run of a cross-validation, after `mammoscope split DIR --folds 5 …`:
    mammoscope train --data DIR --view all --preset modern \\
      --splits folds.csv --fold 1
  Can the network overfit these images?
    mammoscope train --data DIR --view CC_R --preset seed --all-as-train \\
      --set augment=false,dropout=0")]
pub(super) struct TrainArguments {
    /// A tree of images, `<VIEW>/[split/]<CLASS>/*`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Views to train, separated by commas, or all
    #[arg(long, value_name = "V,…")]
    view: ViewSelection,
    /// The configuration to start from: seed, modern, quick, or a file NAME.toml
    #[arg(long, value_name = "NAME")]
    preset: String,
    /// Override keys of the configuration; `mammoscope preset show` explains them
    #[arg(long, value_name = "KEY=VALUE,…")]
    set: Vec<String>,
    /// Devices: auto, cpu, cuda:0,cuda:1 and so on, or cuda:all; views are assigned in turn
    #[arg(long, value_name = "DEVICE,…", default_value = "auto")]
    device: DeviceList,
    /// Runs side by side on each device: a number, or auto to time what is fastest
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    jobs: JobCount,
    /// The last part of the runs' names, after time and view [default: the preset's name]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// A CSV file with the columns subject and split, to replace the data's own splits, or subject and fold
    #[arg(long, value_name = "FILE", conflicts_with = "all_as_train")]
    splits: Option<PathBuf>,
    /// The fold of --splits to hold out as the test images; the next one, after the last the first, is for validation
    /// and the others are for training. `test` holds out the subjects that are in no fold
    #[arg(long, value_name = "N", requires = "splits")]
    fold: Option<FoldChoice>,
    /// Train on every image and validate on the same ones, to see whether they can be learnt at all
    #[arg(long)]
    all_as_train: bool,
    #[command(flatten)]
    data_options: DataArguments,
    /// Train on the shares of the readers that chose each class, instead of the majority's class
    #[arg(long, requires = "labels")]
    soft_labels: bool,
    /// Allow the same pixels or subject in two splits, although the network is then tested on what it was trained on
    #[arg(long)]
    allow_duplicates: bool,
    #[command(flatten)]
    follow: FollowArguments,
    /// Print one JSON document of the runs instead of their folders
    #[arg(long, requires = "detach")]
    json: bool,
}

pub(super) fn run(arguments: &TrainArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let mut config = configuration(arguments)?;
    let engine = locate_engine()?.path;
    let manifests = manifests(arguments, &config, console)?;
    let gpus = count_gpus(&arguments.device, &engine).map_err(|error| match error {
        DeviceShortage::Probe(_) => anyhow::Error::new(error),
        shortage => anyhow::Error::new(shortage).context("--device"),
    })?;
    let data = manifests.first().map(|manifest| manifest.root.clone()).context("no view to train")?;
    let workspace = Workspace::open(workspace)?;
    check_disk(&config, &manifests, &workspace)?;
    let request = PlacementRequest::new(&arguments.device, gpus, arguments.jobs, &config, &manifests);
    let placement = choose_placement(&request, &engine, console)?;
    config.threads = placement.threads;
    let shares = arguments.device.assign_side_by_side(manifests.len(), gpus, placement.jobs);
    let plan = TrainingPlan {
        preset: arguments.preset.clone(),
        label: arguments.name.clone().unwrap_or_else(|| label(arguments)),
        data,
        config,
        manifests,
        shares,
        placement: Some(placement),
    };
    for (device, share) in &plan.shares {
        let views: Vec<_> = share.iter().map(|&place| plan.manifests[place].view.name()).collect();
        console.note(format!("{} on {device}", views.join(", then ")));
    }
    start(&plan, &workspace, &engine, arguments, console)
}

/// Creates the runs, starts their trainers, and follows them if requested.
fn start(
    plan: &TrainingPlan,
    workspace: &Workspace,
    engine: &Path,
    arguments: &TrainArguments,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let interruption = Interruption::watch()?;
    let mut printed = Ok(());
    // Printed as soon as the directories exist and their trainers have started; failures are reported after that.
    let mut print_runs = |planned: &PlannedRuns, runs: &[RunDir]| {
        if arguments.json && !runs.is_empty() {
            printed = to_json(planned, plan).and_then(|text| print_result(&text));
        } else if !arguments.follow.follows() {
            printed = print_paths(runs);
        }
    };
    let started =
        match start_plan(plan, workspace, engine, Cancellation::new(&|| interruption.requested()), &mut print_runs) {
            Err(StartError::Interrupted) => return Err(Interrupted.into()),
            other => other?,
        };
    started.report_failures(console);
    printed?;
    if started.running.is_empty() {
        bail!("no run was started, and nothing was kept");
    }
    let followed = started.follow(arguments.follow, console)?;
    Ok(if started.failed.is_empty() { followed } else { Outcome::Failed })
}

fn configuration(arguments: &TrainArguments) -> anyhow::Result<TrainingConfig> {
    let mut config = preset::load(&arguments.preset)?.config;
    if !arguments.set.is_empty() {
        // All at once, so that a key given twice is found.
        config.set_all(&arguments.set.join(",")).map_err(|error| WrongUse(format!("--set: {error}")))?;
    }
    config.check().map_err(|error| WrongUse(format!("--set: {error}")))?;
    Ok(config)
}

fn manifests(
    arguments: &TrainArguments,
    config: &TrainingConfig,
    console: &Console,
) -> anyhow::Result<Vec<DatasetManifest>> {
    let scanned = arguments.data_options.scan(&arguments.data, console)?;
    let plan = split_plan(arguments, config, console)?;
    let ManifestSet { mut manifests, warnings } =
        build_manifests(&scanned, &arguments.view, plan, arguments.allow_duplicates)?;
    for warning in warnings {
        console.warn(warning);
    }
    if arguments.soft_labels {
        let images = use_reader_votes(&mut manifests, &scanned);
        if images == 0 {
            bail!(
                "--soft-labels: --labels has no readers for the training images; it needs columns reader_1, reader_2, … or \
                 a column reader"
            );
        }
        console.note(format!("{} trained on the shares of the readers", counted_as(images, "image is", "images are")));
    }
    let range = arguments.data_options.grey.range();
    let paths: Vec<PathBuf> = manifests.iter().flat_map(DatasetManifest::paths).collect();
    arguments.data_options.grey.check(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), console)?;
    for manifest in &mut manifests {
        refuse_copies(manifest, console)?;
        manifest.grey_range = range;
        let [train, validation, test] = Split::ALL.map(|split| manifest.of_split(split).count());
        console.note(format!("{}: {train} training, {validation} validation, {test} test images", manifest.view));
    }
    Ok(manifests)
}

/// Refuses copies of a file in two splits before anything is started. The trainer looks for other duplicates of a
/// picture.
fn refuse_copies(manifest: &DatasetManifest, console: &Console) -> anyhow::Result<()> {
    let interruption = Interruption::watch()?;
    let copies = copied_files(manifest, Cancellation::new(&|| interruption.requested())).ok_or(Interrupted)?;
    let Some(copies) = CopiedImages::some(copies) else { return Ok(()) };
    if !manifest.allow_duplicates {
        bail!("{}: {copies}; remove one of each, or say --allow-duplicates", manifest.view);
    }
    console.warn(format!("{}: {copies}", manifest.view));
    Ok(())
}

fn split_plan(arguments: &TrainArguments, config: &TrainingConfig, console: &Console) -> anyhow::Result<SplitPlan> {
    Ok(match &arguments.splits {
        Some(path) => {
            let table = read_splits(path, arguments.fold)?;
            let file = table.file();
            if let Some(fold) = file.fold {
                let place = file.folds.iter().position(|&other| other == fold).unwrap_or_default();
                let next = file.folds[(place + 1) % file.folds.len()];
                let roles = match file.folds.len() {
                    2 => format!("fold {next} trains, and no fold is left to validate"),
                    _ => format!("fold {next} validates, the others train"),
                };
                console.note(format!("fold {fold} of {} is held out, {roles}", file.folds.len()));
            }
            let set_aside = table.set_aside().len();
            if set_aside > 0 {
                let subjects = counted_as(set_aside, "subject is", "subjects are");
                console.note(format!("{subjects} kept for --fold test, and left out here"));
            }
            SplitPlan::Table(table)
        }
        None if arguments.all_as_train => SplitPlan::AllAsTrain,
        None => SplitPlan::FoldersOrDrawn { seed: config.seed },
    })
}

/// The preset's name, with that of the fold.
fn label(arguments: &TrainArguments) -> String {
    let preset = &arguments.preset;
    let preset =
        Path::new(preset).file_stem().map_or_else(|| preset.clone(), |stem| stem.to_string_lossy().into_owned());
    match arguments.fold {
        Some(FoldChoice::Fold(fold)) => format!("{preset}-fold{fold}"),
        Some(FoldChoice::Test) => format!("{preset}-test"),
        None => preset,
    }
}

fn to_json(planned: &PlannedRuns, plan: &TrainingPlan) -> anyhow::Result<String> {
    let runs: Vec<_> = planned
        .runs
        .iter()
        .zip(&plan.manifests)
        .map(|(run, manifest)| serde_json::json!({ "path": run.path().to_string_lossy(), "view": manifest.view }))
        .collect();
    let document = serde_json::json!({ "schema": 1, "group": planned.group, "runs": runs });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
