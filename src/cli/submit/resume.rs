//! `mammoscope submit resume`: unfinished runs as tasks of a job array.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::cluster_arguments::ClusterArguments;
use super::submitter::{DependentCommand, Work, print_scripts, refuse_repetition, report, require_slurm, submit};
use crate::cli::change_arguments::ChangeArguments;
use crate::cli::console::{Console, Outcome, WrongUse};
use crate::cli::interruption::Interruption;
use crate::cli::moved_data::MovedData;
use crate::cli::resume::of_selection;
use mammoscope_cluster::cluster_view::{ClusterView, JobEvidence};
use mammoscope_cluster::submission::{SubmissionKind, SubmittedTask};
use mammoscope_cluster::submitted_runs::SubmittedRuns;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::resumption::{Resumable, ResumeRequest, ResumedBy, resumable};
use mammoscope_runs::submitted_run::{mark_submitted, restore_status};
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::runs::run_catalog::{RunSelection, find_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_storage::runs::workspace::Workspace;

/// Resume runs on a Slurm cluster, each as a task of a job array
///
/// RUN is a run, or a group or a study, of which the runs that are complete, active or pending in Slurm are left alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope submit resume latest --partition gpu --gres gpu:1 --time 04:00:00
  Whatever failed or was interrupted in a study:
    mammoscope submit resume 2026-11-23T10-15-02_modern_7f3a \\
      --partition gpu --gres gpu:1 --time 04:00:00")]
pub(super) struct SubmitResumeArguments {
    /// A run's name or a prefix of it, its path, the id of a group or a study, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    changes: ChangeArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
}

pub(super) fn run(
    arguments: &SubmitResumeArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let cluster = &arguments.cluster;
    require_slurm(cluster)?;
    cluster.options(true)?;
    let request = arguments.changes.request()?;
    let new_root = arguments.changes.new_root()?;
    let workspace = Workspace::open_to_read(workspace)?;
    let selection = find_runs(&workspace, &arguments.run)?;
    let runs = runs_to_resume(&selection, arguments, &request, &workspace, console)?;
    let names: Vec<String> = runs.iter().map(RunDir::name).collect();
    let options = arguments.changes.options_of_job();
    let fingerprint = json!({ "kind": "resume", "runs": names, "options": options });
    let together = selection.study.clone().or_else(|| selection.group.clone());
    let work = Work {
        kind: SubmissionKind::Resume,
        label: "resume".to_owned(),
        tasks: names.into_iter().map(SubmittedTask::Run).collect(),
        shards: None,
        resume_options: options,
        dependent: together.map_or(DependentCommand::None, DependentCommand::Evaluate),
        directory: workspace.path().to_owned(),
        fingerprint: sha256_hex(fingerprint.to_string().as_bytes()),
    };
    refuse_repetition(&workspace, &work.fingerprint, cluster, console)?;
    let interruption = Interruption::watch()?;
    let moved =
        MovedData::verify(&runs, new_root.as_deref(), Cancellation::new(&|| interruption.requested()), console)?;
    if cluster.dry_run {
        print_scripts(&work, &workspace, cluster)?;
        return Ok(Outcome::Done);
    }
    moved.record(console)?;
    let before: Vec<_> = runs.iter().map(|run| read_status(&run.status()).ok()).collect();
    let submitted = submit(&work, &workspace, cluster, |submission| {
        for (run, (task, _)) in runs.iter().zip(submission.ids()) {
            mark_submitted(run, task)?;
        }
        Ok(())
    });
    if submitted.is_err() {
        for (run, status) in runs.iter().zip(&before) {
            restore_status(run, status.as_ref());
        }
    }
    report(&submitted?, console)
}

/// The runs that can be resumed and have no job in Slurm.
fn runs_to_resume(
    selection: &RunSelection,
    arguments: &SubmitResumeArguments,
    request: &ResumeRequest,
    workspace: &Workspace,
    console: &Console,
) -> anyhow::Result<Vec<RunDir>> {
    let names: Vec<String> = selection.runs.iter().map(RunDir::name).collect();
    let evidence = if arguments.cluster.dry_run {
        std::collections::HashMap::new()
    } else {
        let submitted = SubmittedRuns::read(workspace);
        submitted.evidence(names.iter().map(String::as_str), &ClusterView::new(workspace))?
    };
    let is_single = selection.runs.len() == 1;
    let (mut runs, mut complete, mut occupied) = (Vec::new(), 0, 0);
    for run in &selection.runs {
        let name = run.name();
        let live = evidence.get(&name).filter(|(_, evidence)| JobEvidence::is_live(evidence));
        let resumable = match live {
            Some((task, JobEvidence::Listed(job))) => {
                Resumable::Occupied { reason: format!("{} has a job: Slurm {task} is {job}", printable(&name)) }
            }
            _ => resumable(run, request, ResumedBy::Resubmission).map_err(|error| of_selection(error, selection))?,
        };
        match resumable {
            Resumable::Occupied { reason } if is_single => anyhow::bail!(reason),
            Resumable::Occupied { .. } => occupied += 1,
            Resumable::Complete { epochs, reason } if is_single => {
                let complete = Resumable::complete_text(epochs, reason.as_deref());
                let message = format!("{} is {complete}; --epochs asks for more", printable(&name));
                return Err(WrongUse(message).into());
            }
            Resumable::Complete { .. } => complete += 1,
            Resumable::On { .. } => runs.push(run.clone()),
        }
    }
    if complete > 0 {
        console.note(counted_as(complete, "run is complete", "runs are complete"));
    }
    if occupied > 0 {
        console.note(format!(
            "{} and left alone",
            counted_as(occupied, "run is active or pending", "runs are active or pending")
        ));
    }
    anyhow::ensure!(!runs.is_empty(), "there is nothing to resume in {}", printable(&arguments.run));
    Ok(runs)
}
