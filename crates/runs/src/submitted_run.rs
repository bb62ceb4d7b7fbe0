//! Runs that wait for a job of the cluster.

use anyhow::Context as _;
use chrono::Utc;

use mammoscope_cluster::condition_text::submitted_reason;
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};

/// Records that a run waits for a task in Slurm. No process has it until then.
pub fn mark_submitted(run: &RunDir, task: TaskId) -> anyhow::Result<()> {
    let status = read_status(&run.status())?;
    let now = Utc::now();
    let queued = RunStatus {
        state: RunPhase::Queued,
        reason: Some(submitted_reason(task)),
        pid: None,
        host: None,
        boot_id: None,
        images_per_s: None,
        eta_s: None,
        heartbeat: now,
        updated: now,
        ..status
    };
    write_status(&run.status(), &queued).with_context(|| format!("write {}", printable_path(&run.status())))
}

/// Puts back the status of a run whose submission failed.
pub fn restore_status(run: &RunDir, status: Option<&RunStatus>) {
    if let Some(status) = status {
        // Otherwise the run is shown as queued for a job that does not exist, which `submit resume` repairs.
        let _ = write_status(&run.status(), status);
    }
}
