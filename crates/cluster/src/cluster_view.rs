//! What Slurm says about tasks, from one question for all of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::accounting::accounted_states;
use crate::job_queue::JobQueue;
use crate::job_state::JobState;
use crate::queued_job::QueuedJob;
use crate::slurm_program::SlurmError;
use crate::task_id::TaskId;
use mammoscope_storage::runs::workspace::Workspace;

/// What Slurm says about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEvidence {
    /// It is in the queue, or ended a few minutes ago.
    Listed(QueuedJob),
    /// It ended in this state according to the cluster's accounts.
    Ended(JobState),
    /// Neither the queue nor the accounts have it.
    NotListed,
    /// Slurm cannot be asked from here.
    Unknown,
}

impl JobEvidence {
    /// True if the task waits, runs or is about to: nothing else may work on its run.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Listed(job) if !job.state.is_over())
    }

    /// The state, if Slurm knows one.
    #[must_use]
    pub fn state(&self) -> Option<&JobState> {
        match self {
            Self::Listed(job) => Some(&job.state),
            Self::Ended(state) => Some(state),
            Self::NotListed | Self::Unknown => None,
        }
    }
}

/// Asks Slurm about tasks: the queue at most every few seconds, the accounts once for each job that left the queue.
#[derive(Debug)]
pub struct ClusterView {
    queue: JobQueue,
    accounts: Mutex<HashMap<u64, HashMap<TaskId, JobState>>>,
}

impl ClusterView {
    #[must_use]
    pub fn new(workspace: &Workspace) -> Self {
        Self { queue: JobQueue::new(workspace), accounts: Mutex::default() }
    }

    /// What Slurm says about these tasks. Fails if the queue cannot be read, after which nothing is known.
    pub fn evidence(&self, tasks: &[TaskId]) -> Result<HashMap<TaskId, JobEvidence>, SlurmError> {
        if tasks.is_empty() {
            return Ok(HashMap::new());
        }
        let jobs = self.queue.jobs()?;
        let unlisted: BTreeSet<u64> =
            tasks.iter().filter(|&&task| jobs.find(task).is_none()).map(|task| task.job).collect();
        let accounts = self.ask_accounts(&unlisted);
        let evidence = |task: &TaskId| match (jobs.find(*task), accounts.get(task)) {
            (Some(job), _) => JobEvidence::Listed(job.clone()),
            (None, Some(state)) => JobEvidence::Ended(state.clone()),
            (None, None) => JobEvidence::NotListed,
        };
        Ok(tasks.iter().map(|task| (*task, evidence(task))).collect())
    }

    /// Asks again next time, after a command that changes the jobs.
    pub fn forget(&self) {
        self.queue.forget();
    }

    fn ask_accounts(&self, jobs: &BTreeSet<u64>) -> HashMap<TaskId, JobState> {
        let mut known = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<u64> = jobs.iter().copied().filter(|job| !known.contains_key(job)).collect();
        // Without accounts there is no more to know; a controller that does not answer is not asked again either.
        let states = accounted_states(&new).unwrap_or_default();
        for job in new {
            let of_job = states.iter().filter(|(task, state)| task.job == job && state.is_over());
            known.insert(job, of_job.map(|(task, state)| (*task, state.clone())).collect());
        }
        jobs.iter().filter_map(|job| known.get(job)).flatten().map(|(task, state)| (*task, state.clone())).collect()
    }
}
