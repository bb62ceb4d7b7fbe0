//! The job of a run in Slurm, and its end: a task that waits is cancelled, since no trainer could read a request.

use anyhow::Context as _;
use chrono::Utc;

use crate::resumption::lock_when_free;
use mammoscope_cluster::cluster_view::{ClusterView, JobEvidence};
use mammoscope_cluster::controller::cancel;
use mammoscope_cluster::job_state::JobState;
use mammoscope_cluster::submitted_runs::SubmittedRuns;
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};
use mammoscope_storage::runs::workspace::Workspace;

/// The task of a run, and what Slurm says about it; `None` if the run was not submitted.
fn task_of(run: &RunDir) -> anyhow::Result<Option<(ClusterView, TaskId, JobEvidence)>> {
    let Some(path) = run.workspace() else { return Ok(None) };
    let workspace = Workspace::open_to_read(Some(&path))?;
    let Some(task) = SubmittedRuns::read(&workspace).find(&run.name()).map(|found| found.task) else {
        return Ok(None);
    };
    let view = ClusterView::new(&workspace);
    let evidence = view
        .evidence(&[task])
        .with_context(|| format!("{} was submitted to Slurm as {task}", printable(&run.name())))?
        .remove(&task)
        .unwrap_or(JobEvidence::Unknown);
    Ok(Some((view, task, evidence)))
}

/// The task of a run that waits or runs in Slurm; `None` if the run was not submitted or its job has ended. Fails if Slurm
/// cannot be asked about a run that was submitted.
pub fn live_job(run: &RunDir) -> anyhow::Result<Option<TaskId>> {
    Ok(task_of(run)?.filter(|(_, _, evidence)| evidence.is_live()).map(|(_, task, _)| task))
}

/// Stops a run that waits in Slurm, and returns its task and what was done, which continues a sentence. `None` if it does not wait there:
/// a request reaches its trainer, if it has one.
pub fn stop_waiting(run: &RunDir) -> anyhow::Result<Option<(TaskId, String)>> {
    let status = read_status(&run.status())?;
    if matches!(status.state, RunPhase::Completed | RunPhase::Stopped | RunPhase::Failed) {
        return Ok(None);
    }
    let Some((view, task, evidence)) = task_of(run)? else { return Ok(None) };
    let waits = |state: &JobState| state.is_waiting() || *state == JobState::Configuring;
    if evidence.is_live() && evidence.state().is_some_and(waits) {
        cancel(&[task])?;
        view.forget();
        mark_stopped(run, status, format!("on request; Slurm {task} was cancelled"))?;
        return Ok(Some((task, format!("; Slurm {task} is cancelled"))));
    }
    let was_never_reached = status.state == RunPhase::Queued && status.pid.is_none();
    if was_never_reached && !evidence.is_live() {
        mark_stopped(run, status, format!("on request; Slurm {task} had ended"))?;
        let done = format!("; Slurm {task} had ended before, and the run is marked as stopped");
        return Ok(Some((task, done)));
    }
    Ok(None)
}

/// Cancels the job of a run, whatever it is doing, and returns its task; `None` if Slurm has none. A trainer gets SIGTERM
/// first.
pub fn cancel_job(run: &RunDir) -> anyhow::Result<Option<TaskId>> {
    match task_of(run)? {
        Some((view, task, evidence)) if evidence.is_live() => {
            cancel(&[task])?;
            view.forget();
            Ok(Some(task))
        }
        _ => Ok(None),
    }
}

fn mark_stopped(run: &RunDir, status: RunStatus, reason: String) -> anyhow::Result<()> {
    let _lock = lock_when_free(run)?;
    let (state, reason, step) = (RunPhase::Stopped, Some(reason), status.step);
    let kind = RunEventKind::Ended { state, reason: reason.clone(), step };
    EventLog::open(&run.events())
        .and_then(|mut log| log.append(&RunEvent { time: Utc::now(), kind }))
        .with_context(|| format!("write to {}", printable_path(&run.events())))?;
    let now = Utc::now();
    let stopped = RunStatus { state, reason, images_per_s: None, eta_s: None, heartbeat: now, updated: now, ..status };
    write_status(&run.status(), &stopped).with_context(|| format!("write to {}", printable_path(&run.status())))
}
