//! The conditions of submitted runs, joined with what Slurm says about their jobs.

use std::collections::HashMap;

use mammoscope_cluster::cluster_view::{ClusterView, JobEvidence};
use mammoscope_cluster::condition_text::{condition_text, phase_in_cluster};
use mammoscope_cluster::slurm_program::SlurmError;
use mammoscope_cluster::submitted_runs::SubmittedRuns;
use mammoscope_cluster::task_id::TaskId;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::workspace::Workspace;

/// What Slurm says about runs, by their names.
pub type RunEvidence = HashMap<String, (TaskId, JobEvidence)>;

/// Asks Slurm about the runs of a workspace, at most every few seconds.
#[derive(Debug)]
pub struct ClusterConditions {
    workspace: Workspace,
    view: ClusterView,
}

impl ClusterConditions {
    #[must_use]
    pub fn new(workspace: &Workspace) -> Self {
        Self { workspace: workspace.clone(), view: ClusterView::new(workspace) }
    }

    /// What Slurm says about the submitted runs among these that are unfinished: one question for all of them, or none if
    /// there are none. Fails if Slurm does not answer.
    pub fn evidence<'r>(
        &self,
        runs: impl IntoIterator<Item = (&'r str, &'r RunCondition)>,
    ) -> Result<RunEvidence, SlurmError> {
        let unfinished: Vec<&str> =
            runs.into_iter().filter(|(_, condition)| may_have_job(condition)).map(|(run, _)| run).collect();
        if unfinished.is_empty() {
            return Ok(HashMap::new());
        }
        SubmittedRuns::read(&self.workspace).evidence(unfinished, &self.view)
    }

    /// The view of the queue.
    #[must_use]
    pub fn view(&self) -> &ClusterView {
        &self.view
    }
}

/// Joins a run's condition with the evidence for it.
pub fn amend(condition: &mut RunCondition, run: &str, evidence: &RunEvidence) {
    let Some((task, evidence)) = evidence.get(run) else { return };
    condition.job = condition_text(condition, *task, evidence);
    if let Some(phase) = phase_in_cluster(condition, evidence) {
        (condition.phase, condition.stale) = (phase, None);
    }
}

/// False for runs with which Slurm has no more to do.
fn may_have_job(condition: &RunCondition) -> bool {
    !matches!(condition.phase, RunPhase::Completed | RunPhase::Stopped | RunPhase::Failed)
}
