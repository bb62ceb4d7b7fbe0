//! `mammoscope train`: plans runs from a data set and a preset, and starts detached trainers.

pub(super) mod planning;
mod study_arguments;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{ArgGroup, Args};

use self::study_arguments::StudyArguments;
use super::console::{Console, Interrupted, Outcome, WrongUse, print_result};
use super::data_arguments::DataArguments;
use super::interruption::Interruption;
use super::placement::choose_placement;
use super::trainer_start::{
    FollowArguments, StartedTrainersExt as _, print_folders, print_paths, started_without_output,
};
use mammoscope_dataset::split_table::FoldChoice;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::DeviceList;
use mammoscope_domain::training::placement_limits::JobCount;
use mammoscope_domain::training::training_changes::TrainingChanges;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_runs::foreground_trainer::become_trainer;
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
///
/// With --folds, --sweep or --seeds the runs make a study: `mammoscope runs --study ID` shows its progress and ranks its
/// points, `evaluate ID` pools the images that were held out, `resume ID` continues what failed.
#[derive(Debug, Args)]
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
  A cross-validation of all four views, 20 runs:
    mammoscope train --data DIR --view all --preset modern --folds 5
  Six recipes, each with three seeds:
    mammoscope train --data DIR --view CC_R --preset modern --seeds 3 \\
      --sweep learning_rate=0.003,0.01,0.03 --sweep batch_size=4,8
  Twenty recipes drawn at random:
    mammoscope train --data DIR --view CC_R --preset modern --random 20 \\
      --sweep learning_rate=0.001..0.1 --sweep dropout=0..0.6
  Can the network overfit these images?
    mammoscope train --data DIR --view CC_R --preset seed --all-as-train \\
      --set augment=false,dropout=0")]
pub(super) struct TrainArguments {
    #[command(flatten)]
    pub(super) plan: PlanArguments,
    /// Runs side by side on each device: a number, or auto to time what is fastest
    #[arg(long, value_name = "auto|N", default_value = "auto")]
    jobs: JobCount,
    #[command(flatten)]
    follow: FollowArguments,
    /// Print one JSON document of the runs instead of their folders
    #[arg(long, requires = "detach")]
    json: bool,
}

/// What is to be trained: everything but what happens once the runs are planned.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("fold_source").args(["splits", "folds"]))]
pub(super) struct PlanArguments {
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
    /// A command for the shell, run when a run ends, waits or stalls, with the event as JSON on its stdin
    #[arg(long, value_name = "COMMAND")]
    on_event: Option<String>,
    /// If a file of a run cannot be written, as on a full disk: wait until it can, or stop [default: wait]
    #[arg(long, value_name = "wait|stop", value_parser = ["wait", "stop"])]
    on_full: Option<String>,
    /// Devices: auto, cpu, cuda:0,cuda:1 and so on, or cuda:all; views are assigned in turn
    #[arg(long, value_name = "DEVICE,…", default_value = "auto")]
    pub(super) device: DeviceList,
    /// The last part of the runs' names, after time and view [default: the preset's name]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// A CSV file with the columns subject and split, to replace the data's own splits, or subject and fold
    #[arg(long, value_name = "FILE", conflicts_with = "all_as_train")]
    splits: Option<PathBuf>,
    /// The fold of --splits or --folds to hold out as the test images; the next one, after the last the first, is for validation
    /// and the others are for training. `test` holds out the subjects that are in no fold
    #[arg(long, value_name = "N", requires = "fold_source")]
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
    pub(super) study: StudyArguments,
}

pub(super) fn run(arguments: &TrainArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let engine = locate_engine()?.path;
    let mut plan = planning::plan_runs(&arguments.plan, console)?;
    let gpus = count_gpus(&arguments.plan.device, &engine).map_err(|error| match error {
        DeviceShortage::Probe(_) => anyhow::Error::new(error),
        shortage => anyhow::Error::new(shortage).context("--device"),
    })?;
    let workspace = Workspace::open(workspace)?;
    check_disk(&plan, &workspace)?;
    // The first configuration stands for the others of a sweep.
    let config = plan.runs.first().map(|run| run.config.clone()).context("nothing to train")?;
    let jobs = jobs(arguments)?;
    let request = PlacementRequest {
        runs: plan.runs.len(),
        ..PlacementRequest::new(&arguments.plan.device, gpus, jobs, &config, &plan.manifests)
    };
    let placement = choose_placement(&request, &engine, console)?;
    plan.shares = arguments.plan.device.assign_side_by_side(plan.runs.len(), gpus, placement.jobs);
    plan.place(placement);
    for (device, share) in &plan.shares {
        console.note(format!("{} on {device}", share_text(&plan, share)));
    }
    start(&plan, &workspace, &engine, arguments, console)
}

/// The requested number of runs side by side; this process can only train one at a time.
fn jobs(arguments: &TrainArguments) -> anyhow::Result<JobCount> {
    if !arguments.follow.in_foreground() {
        return Ok(arguments.jobs);
    }
    match arguments.jobs.fixed() {
        None | Some(1) => Ok(JobCount::Fixed(NonZeroUsize::MIN)),
        Some(jobs) => {
            Err(WrongUse(format!("--foreground trains one run after another, and --jobs asks for {jobs}")).into())
        }
    }
}

/// Creates the runs, starts their trainers, and follows them if requested.
fn start(
    plan: &TrainingPlan,
    workspace: &Workspace,
    engine: &Path,
    arguments: &TrainArguments,
    console: &Console,
) -> anyhow::Result<Outcome> {
    if arguments.follow.in_foreground() {
        let planned = plan.create(workspace)?;
        if let Err(error) = print_folders(&planned.runs) {
            planned.remove(&planned.runs);
            return Err(error.context("nothing was started: print the folders of the runs"));
        }
        let error = become_trainer(engine, &planned.runs, &TrainingChanges::default());
        planned.remove(&planned.runs);
        return Err(error).with_context(|| format!("start the engine {}", printable_path(engine)));
    }
    let interruption = Interruption::watch()?;
    let mut printed = Ok(());
    // Printed as soon as the directories exist and their trainers have started; failures are reported after that.
    let mut print_runs = |planned: &PlannedRuns, runs: &[RunDir]| {
        if arguments.json && !runs.is_empty() {
            printed = to_json(planned, plan)
                .and_then(|text| print_result(&text))
                .map_err(|error| started_without_output(error, runs));
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

/// The views of a trainer's runs, or their number if views repeat.
fn share_text(plan: &TrainingPlan, share: &[usize]) -> String {
    if plan.study.is_some() {
        return counted(share.len(), "run");
    }
    share.iter().map(|&place| plan.view(&plan.runs[place]).name()).collect::<Vec<_>>().join(", then ")
}

fn to_json(planned: &PlannedRuns, plan: &TrainingPlan) -> anyhow::Result<String> {
    let runs: Vec<_> = planned
        .runs
        .iter()
        .zip(&plan.runs)
        .map(|(run, requested)| {
            let mut document = serde_json::json!({
                "path": run.path().to_string_lossy(),
                "view": plan.view(requested),
            });
            if let Some(member) = &requested.member {
                document["study"] = serde_json::json!(member);
            }
            document
        })
        .collect();
    let document = serde_json::json!({ "schema": 1, "group": planned.group, "runs": runs });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
