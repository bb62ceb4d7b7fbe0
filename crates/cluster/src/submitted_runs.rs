//! The runs of a workspace that were submitted to Slurm.

use std::collections::HashMap;

use crate::cluster_view::{ClusterView, JobEvidence};
use crate::slurm_program::SlurmError;
use crate::submission::{Submission, SubmittedTask};
use crate::submission_files::list_submissions;
use crate::task_id::TaskId;
use mammoscope_storage::runs::workspace::Workspace;

/// The tasks of runs by the runs' names. A run that was submitted again has the task of its newest submission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubmittedRuns(HashMap<String, SubmittedRun>);

/// The task of a run, and the submission that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedRun {
    pub task: TaskId,
    pub submission: String,
}

impl SubmittedRuns {
    /// Reads the submissions of a workspace. One whose record cannot be read has no runs here.
    #[must_use]
    pub fn read(workspace: &Workspace) -> Self {
        Self::of(&list_submissions(workspace).0)
    }

    /// The runs of these submissions, newest first.
    #[must_use]
    pub fn of(submissions: &[Submission]) -> Self {
        let mut runs = HashMap::new();
        for submission in submissions {
            for (task, work) in submission.ids() {
                if let SubmittedTask::Run(name) = work {
                    let run = || SubmittedRun { task, submission: submission.id.clone() };
                    runs.entry(name.clone()).or_insert_with(run);
                }
            }
        }
        Self(runs)
    }

    /// True if no run was submitted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn find(&self, run: &str) -> Option<&SubmittedRun> {
        self.0.get(run)
    }

    /// What Slurm says about some runs; those that were not submitted are left out.
    pub fn evidence<'r>(
        &self,
        runs: impl IntoIterator<Item = &'r str>,
        view: &ClusterView,
    ) -> Result<HashMap<String, (TaskId, JobEvidence)>, SlurmError> {
        let tasks: Vec<(&str, TaskId)> = runs.into_iter().filter_map(|run| Some((run, self.find(run)?.task))).collect();
        let evidence = view.evidence(&tasks.iter().map(|(_, task)| *task).collect::<Vec<_>>())?;
        let found = |(run, task): (&str, TaskId)| Some((run.to_owned(), (task, evidence.get(&task)?.clone())));
        Ok(tasks.into_iter().filter_map(found).collect())
    }
}
