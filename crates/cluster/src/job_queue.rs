//! The user's jobs, asked of Slurm seldom however often they are needed.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::partitions::{UnavailableNode, unavailable_nodes};
use crate::queued_job::{QueuedJob, SQUEUE_ARGUMENTS, parse_squeue};
use crate::slurm_program::{SlurmError, SlurmProgram};
use crate::task_id::TaskId;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::regular_file::read_regular_file;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::workspace::Workspace;

/// The time for which an answer is used again. A controller serves many users.
pub const MIN_INTERVAL: Duration = Duration::from_secs(5);
/// The number of nodes, or ranges of nodes, that a reason names.
const MAX_NAMED_NODES: usize = 2;
/// The largest stored answer that is read.
const MAX_BYTES: u64 = 1 << 26;

/// The jobs of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobList(HashMap<TaskId, QueuedJob>);

impl JobList {
    /// A job or task; `None` if Slurm does not list it: it ended some minutes ago, was cancelled while other tasks of its
    /// array waited, or never existed.
    #[must_use]
    pub fn find(&self, id: TaskId) -> Option<&QueuedJob> {
        // Once the last of the tasks that never started is cancelled, one line stands for all of them.
        self.0.get(&id).or_else(|| self.0.get(&TaskId::job(id.job)).filter(|array| array.state.is_over()))
    }
}

impl FromIterator<QueuedJob> for JobList {
    fn from_iter<I: IntoIterator<Item = QueuedJob>>(jobs: I) -> Self {
        Self(jobs.into_iter().map(|job| (job.id, job)).collect())
    }
}

/// An answer of `squeue` as it is kept for other processes.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer {
    time: DateTime<Utc>,
    /// Clocks of other hosts may differ.
    host: String,
    text: String,
}

type Answer = Result<Arc<JobList>, SlurmError>;

/// Asks Slurm for the user's jobs at most every few seconds, also if several threads and processes want to know.
#[derive(Debug)]
pub struct JobQueue {
    file: PathBuf,
    last: Mutex<Option<(Instant, Answer)>>,
}

impl JobQueue {
    /// A queue whose answers are shared by the processes that use this workspace.
    #[must_use]
    pub fn new(workspace: &Workspace) -> Self {
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
        let user: String = user.chars().filter(char::is_ascii_alphanumeric).collect();
        Self { file: workspace.cache().join(format!("squeue-{user}.json")), last: Mutex::new(None) }
    }

    /// The jobs as they were a few seconds ago at most. Waits for Slurm if it has to be asked.
    pub fn jobs(&self) -> Answer {
        // Held while Slurm answers: another thread waits for the same answer.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((time, answer)) = &*last
            && time.elapsed() < MIN_INTERVAL
        {
            return answer.clone();
        }
        let text = match self.kept() {
            Some(text) => Ok(text),
            None => SlurmProgram::Squeue.run(SQUEUE_ARGUMENTS).inspect(|text| self.keep(text)),
        };
        let answer = text.map(|text| {
            let mut jobs = parse_squeue(&text);
            if jobs.iter().any(QueuedJob::waits_for_nodes) {
                // Without it, Slurm's own words remain.
                name_nodes(&mut jobs, &unavailable_nodes().unwrap_or_default());
            }
            Arc::new(jobs.into_iter().collect())
        });
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    /// Forgets the last answer, after a command that changes the jobs.
    pub fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // If it cannot be removed, it is out of date in a few seconds.
        let _ = fs::remove_file(&self.file);
    }

    /// The answer that another process got a moment ago.
    fn kept(&self) -> Option<String> {
        let kept: KeptAnswer = serde_json::from_slice(&read_regular_file(&self.file, MAX_BYTES).ok()?).ok()?;
        let age = Utc::now() - kept.time;
        let is_fresh = age >= TimeDelta::zero() && age < TimeDelta::from_std(MIN_INTERVAL).ok()?;
        (is_fresh && kept.host == host_name()).then_some(kept.text)
    }

    fn keep(&self, text: &str) {
        let kept = KeptAnswer { time: Utc::now(), host: host_name(), text: text.to_owned() };
        // Without the file, other processes ask Slurm themselves.
        if let (Ok(json), Some(folder)) = (serde_json::to_vec(&kept), self.file.parent()) {
            let _ = fs::create_dir_all(folder).and_then(|()| write_atomically(&self.file, &json));
        }
    }
}

/// Adds the administrator's reasons to those of jobs that wait for nodes.
fn name_nodes(jobs: &mut [QueuedJob], nodes: &[UnavailableNode]) {
    let named: Vec<String> = nodes.iter().take(MAX_NAMED_NODES).map(ToString::to_string).collect();
    if named.is_empty() {
        return;
    }
    for job in jobs.iter_mut().filter(|job| job.waits_for_nodes()) {
        let reason = job.reason.as_deref().unwrap_or_default();
        job.reason = Some(format!("{reason} ({})", named.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job_state::JobState;

    fn kept(queue: &JobQueue, age_s: i64, host: &str) {
        let time = Utc::now() - TimeDelta::seconds(age_s);
        let kept = KeptAnswer { time, host: host.to_owned(), text: "12|0|PENDING||Priority\n".to_owned() };
        fs::create_dir_all(queue.file.parent().unwrap()).unwrap();
        fs::write(&queue.file, serde_json::to_vec(&kept).unwrap()).unwrap();
    }

    #[test]
    fn a_job_that_waits_for_drained_nodes_is_given_the_administrators_reason() {
        let lines = "1|0|PENDING||Nodes required for job are DOWN, DRAINED or reserved\n2|0|PENDING||Priority\n";
        let mut jobs = parse_squeue(lines);
        let node = ["node7", "drained", "new disk"].map(str::to_owned);
        let [nodes, state, reason] = node;
        name_nodes(&mut jobs, &[UnavailableNode { nodes, state, reason }]);
        let reasons: Vec<_> = jobs.iter().filter_map(|job| job.reason.as_deref()).collect();
        let expected = "Nodes required for job are DOWN, DRAINED or reserved (node7 drained: new disk)";
        assert_eq!(reasons, [expected, "Priority"]);
    }

    #[test]
    fn the_line_of_a_cancelled_array_stands_for_its_tasks() {
        let jobs: JobList = parse_squeue("1|N/A|CANCELLED||None\n2|N/A|PENDING||Priority\n").into_iter().collect();
        assert_eq!(jobs.find(TaskId::task(1, 7)).map(|job| &job.state), Some(&JobState::Cancelled));
        assert_eq!(jobs.find(TaskId::task(2, 0)), None);
    }

    #[test]
    fn an_answer_of_another_process_is_used_while_it_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let queue = JobQueue::new(&Workspace::open(Some(folder.path())).unwrap());
        kept(&queue, 1, &host_name());
        let jobs = queue.jobs().unwrap();
        assert_eq!(jobs.find(TaskId::task(12, 0)).map(|job| &job.state), Some(&JobState::Pending));
        for (age_s, host) in [(60, host_name()), (1, "another host".to_owned()), (-60, host_name())] {
            kept(&queue, age_s, &host);
            assert_eq!(queue.kept(), None, "{age_s} s old, from {host}");
        }
        assert!(queue.jobs().is_ok(), "the answer of this process is still fresh");
        queue.forget();
        assert!(!queue.file.exists() && queue.last.lock().unwrap().is_none());
    }
}
