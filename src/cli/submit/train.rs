//! `mammoscope submit train`: one task per run.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::cluster_arguments::ClusterArguments;
use super::submitter::{DependentCommand, Work, print_scripts, refuse_repetition, report, require_slurm, submit};
use crate::cli::console::{Console, Outcome, WrongUse};
use crate::cli::train::PlanArguments;
use crate::cli::train::planning::plan_runs;
use mammoscope_cluster::submission::{SubmissionKind, SubmittedTask};
use mammoscope_domain::training::compute_options::{DeviceChoice, DeviceList};
use mammoscope_runs::submitted_run::mark_submitted;
use mammoscope_runs::training_plan::{PlannedRuns, TrainingPlan};
use mammoscope_runs::training_start::check_disk;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Train runs on a Slurm cluster, each as a task of a job array
///
/// Takes the options of `mammoscope train`. The runs are created here, without libtorch or a GPU, and wait in the
/// workspace, which the nodes must share. Before a task reaches its time limit, its trainer writes a checkpoint and
/// requeues it. Once all tasks have ended, another job evaluates their runs together, into the folder `evaluation` of the
/// submission.
#[derive(Debug, Args)]
#[command(override_usage = "\
mammoscope submit train [OPTIONS] --data <DIR> --view <V,…> \\
           --preset <NAME>")]
#[command(after_help = "\
Examples:
  A cross-validation of four views, four hours a task, ten tasks at a time:
    mammoscope submit train --data DIR --view all --preset modern --folds 5 \\
      --partition gpu --gres gpu:1 --time 04:00:00 --cpus 8 --array-limit 10
  The scripts of a submission, without submitting:
    mammoscope submit train --data DIR --view CC_R --preset quick --dry-run
  Another option of sbatch:
    mammoscope submit train --data DIR --view CC_R --preset modern \\
      --partition gpu --gres gpu:1 --sbatch-arg --qos=long")]
pub(super) struct SubmitTrainArguments {
    #[command(flatten)]
    plan: PlanArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
}

pub(super) fn run(
    arguments: &SubmitTrainArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let cluster = &arguments.cluster;
    require_slurm(cluster)?;
    cluster.options(true)?;
    let device = device(&arguments.plan.device, cluster)?;
    let mut plan = plan_runs(&arguments.plan, console)?;
    plan.shares = vec![(device, (0..plan.runs.len()).collect())];
    let fingerprint = fingerprint(&plan)?;
    let workspace = Workspace::open(workspace)?;
    check_disk(&plan, &workspace)?;
    refuse_repetition(&workspace, &fingerprint, cluster, console)?;
    if cluster.dry_run {
        // Only for the names of the runs.
        let elsewhere = tempfile::tempdir().context("make a temporary folder")?;
        let planned = plan.create(&Workspace::open(Some(elsewhere.path()))?)?;
        print_scripts(&work(&plan, &planned, &workspace, fingerprint), &workspace, cluster)?;
        return Ok(Outcome::Done);
    }
    let planned = plan.create(&workspace)?;
    let work = work(&plan, &planned, &workspace, fingerprint);
    let submitted = submit(&work, &workspace, cluster, |submission| {
        for (run, (task, _)) in planned.runs.iter().zip(submission.ids()) {
            mark_submitted(run, task)?;
        }
        Ok(())
    });
    if submitted.is_err() {
        planned.remove(&planned.runs);
    }
    report(&submitted?, console)
}

/// The device of every run: each task has the GPU that Slurm gave it, or none.
fn device(devices: &DeviceList, cluster: &ClusterArguments) -> anyhow::Result<DeviceChoice> {
    match devices {
        // A task that got no GPU must fail, rather than train for days on the CPU.
        DeviceList::Named(devices) if devices == &[DeviceChoice::Auto] && cluster.asks_for_gpu() => {
            Ok(DeviceChoice::Cuda(0))
        }
        DeviceList::Named(devices) if devices.len() == 1 => Ok(devices[0]),
        DeviceList::Named(_) | DeviceList::AllCuda => {
            Err(WrongUse("--device: each task trains one run, so give one device or leave it out".to_owned()).into())
        }
    }
}

fn work(plan: &TrainingPlan, planned: &PlannedRuns, workspace: &Workspace, fingerprint: String) -> Work {
    Work {
        kind: SubmissionKind::Train,
        label: plan.label.clone(),
        tasks: planned.runs.iter().map(RunDir::name).map(SubmittedTask::Run).collect(),
        shards: None,
        resume_options: Vec::new(),
        dependent: DependentCommand::Evaluate(planned.group.clone()),
        directory: workspace.path().to_owned(),
        fingerprint,
    }
}

/// Everything that decides what is trained: images, splits, configurations.
fn fingerprint(plan: &TrainingPlan) -> anyhow::Result<String> {
    let runs: Vec<_> = plan.runs.iter().map(|run| json!({ "images": run.manifest, "config": run.config })).collect();
    let all = json!({ "kind": "train", "data": plan.data, "manifests": plan.manifests, "runs": runs });
    Ok(sha256_hex(&serde_json::to_vec(&all)?))
}
