//! The ids of jobs and of tasks of job arrays.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a job, or of one task of a job array, as Slurm prints it: `12` or `12_3`.
///
/// Slurm also gives each task a job id of its own. The last task's equals the array's, so that a command with that number
/// would reach all tasks; it is never used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TaskId {
    /// The job, or the array.
    pub job: u64,
    /// The task of an array.
    pub task: Option<u32>,
}

/// A text that is not the id of a job or a task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not the id of a Slurm job")]
pub struct InvalidTaskId(String);

impl TaskId {
    /// A job that is not an array, or a whole array.
    #[must_use]
    pub const fn job(job: u64) -> Self {
        Self { job, task: None }
    }

    /// A task of an array.
    #[must_use]
    pub const fn task(job: u64, task: u32) -> Self {
        Self { job, task: Some(task) }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(task) => f.pad(&format!("{}_{task}", self.job)),
            None => f.pad(&self.job.to_string()),
        }
    }
}

impl FromStr for TaskId {
    type Err = InvalidTaskId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTaskId(text.to_owned());
        let (job, task) = match text.split_once('_') {
            Some((job, task)) => (job, Some(task.parse().map_err(|_| invalid())?)),
            None => (text, None),
        };
        Ok(Self { job: job.parse().map_err(|_| invalid())?, task })
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TaskId {
    type Error = InvalidTaskId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_printed() {
        for (text, id) in [("12", TaskId::job(12)), ("12_3", TaskId::task(12, 3))] {
            assert_eq!((text.parse(), id.to_string().as_str()), (Ok(id), text));
        }
        for text in ["", "12_", "_3", "12_[3-5]", "12+1", "x"] {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }
}
