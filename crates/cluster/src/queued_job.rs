//! A job as `squeue` lists it.

use std::fmt;

use crate::job_state::JobState;
use crate::task_id::TaskId;
use mammoscope_domain::text::printable::printable;

/// The arguments of `squeue`: one line for each of the user's own jobs and tasks, also those that ended a few minutes ago.
/// The reason comes last, so that a separator in it does no harm.
pub const SQUEUE_ARGUMENTS: [&str; 7] = ["--me", "-h", "-r", "-t", "all", "-o", "%F|%K|%T|%N|%r"];

/// The fields of a line.
const FIELDS: usize = 5;

/// A job, or a task of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedJob {
    pub id: TaskId,
    pub state: JobState,
    /// Slurm's reason why the job waits, or failed.
    pub reason: Option<String>,
    /// The nodes that it runs or ran on.
    pub nodes: Option<String>,
}

impl QueuedJob {
    /// True if the job waits for nodes that are down or drained.
    #[must_use]
    pub fn waits_for_nodes(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.state.is_waiting() && (reason.contains("DRAINED") || reason.starts_with("ReqNodeNotAvail"))
    }
}

impl fmt::Display for QueuedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, &self.nodes) {
            (Some(reason), _) if !matches!(self.state, JobState::Running | JobState::Completed) => {
                f.pad(&format!("{}: {}", self.state, printable(reason)))
            }
            (_, Some(nodes)) if !self.state.is_waiting() => f.pad(&format!("{} on {}", self.state, printable(nodes))),
            _ => f.pad(self.state.name()),
        }
    }
}

/// Reads the lines of `squeue`. Lines that are not a job's, such as those of a task range, are left out.
#[must_use]
pub fn parse_squeue(text: &str) -> Vec<QueuedJob> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<QueuedJob> {
    let fields: Vec<&str> = line.splitn(FIELDS, '|').map(str::trim).collect();
    let [job, task, state, nodes, reason] = fields.as_slice() else { return None };
    let job = job.parse().ok()?;
    // `N/A` for a job that is not an array.
    let task = if *task == "N/A" { None } else { Some(task.parse().ok()?) };
    let given = |text: &str, empty: &[&str]| {
        (!text.is_empty() && !empty.contains(&text)).then(|| text.trim_matches(['(', ')']).to_owned())
    };
    Some(QueuedJob {
        id: TaskId { job, task },
        state: JobState::parse(state),
        reason: given(reason, &["None", "(null)"]),
        nodes: given(nodes, &["(null)"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of Slurm 22.05.
    const LINES: &str = "\
12|2|PENDING||JobArrayTaskLimit
12|0|RUNNING|node7|None
13|N/A|PENDING||(Dependency)
14|0|PENDING||ReqNodeNotAvail, UnavailableNodes:node[1-3] a|b
12|1|CANCELLED|node7|None
15|[0-9]|PENDING||Priority
CLUSTER: other
";

    #[test]
    fn jobs_are_read_with_their_reasons() {
        let jobs = parse_squeue(LINES);
        let shown: Vec<String> = jobs.iter().map(|job| format!("{} {job}", job.id)).collect();
        assert_eq!(
            shown,
            [
                "12_2 pending: JobArrayTaskLimit",
                "12_0 running on node7",
                "13 pending: Dependency",
                "14_0 pending: ReqNodeNotAvail, UnavailableNodes:node[1-3] a|b",
                "12_1 cancelled on node7",
            ]
        );
    }
}
