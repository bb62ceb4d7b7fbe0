//! `submission.json`: what was submitted to Slurm at one time, and under which ids.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::task_id::TaskId;

/// The schema version of `submission.json`.
pub const SUBMISSION_SCHEMA: u32 = 1;

/// The command whose work was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmissionKind {
    Train,
    Resume,
    Predict,
    Explain,
    Preprocess,
}

impl SubmissionKind {
    /// The name of the command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Resume => "resume",
            Self::Predict => "predict",
            Self::Explain => "explain",
            Self::Preprocess => "preprocess",
        }
    }

    /// True if each task trains a run; otherwise each handles a shard of the images.
    #[must_use]
    pub const fn trains(self) -> bool {
        matches!(self, Self::Train | Self::Resume)
    }
}

impl fmt::Display for SubmissionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A job array: tasks of a submission that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmittedArray {
    /// The array's job id.
    pub job: u64,
    /// The position of its first task in the submission; its number in Slurm is 0.
    pub first: u32,
    /// The number of its tasks.
    pub tasks: u32,
}

/// The work of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubmittedTask {
    /// The name of a run in the workspace.
    Run(String),
    /// The number of a shard, from 1.
    Shard(u32),
}

impl fmt::Display for SubmittedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(name) => f.pad(name),
            Self::Shard(number) => f.pad(&format!("shard {number}")),
        }
    }
}

/// Work that was submitted at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// [`SUBMISSION_SCHEMA`].
    pub schema: u32,
    /// The name of its folder.
    pub id: String,
    pub created: DateTime<Utc>,
    /// The command line, a word each.
    pub command: Vec<String>,
    pub kind: SubmissionKind,
    /// SHA-256 of everything that decides what is computed; equal for two submissions of the same work.
    pub fingerprint: String,
    /// More than one if there are more tasks than an array may have.
    pub arrays: Vec<SubmittedArray>,
    /// The job that evaluates or merges the results once all tasks have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependent: Option<u64>,
    /// In the order of the arrays.
    pub tasks: Vec<SubmittedTask>,
    /// The number of times that a task may requeue itself.
    pub max_requeues: u32,
}

impl Submission {
    /// The tasks with their ids in Slurm.
    pub fn ids(&self) -> impl Iterator<Item = (TaskId, &SubmittedTask)> {
        self.arrays.iter().flat_map(|array| {
            let tasks = self.tasks.iter().skip(array.first as usize).take(array.tasks as usize);
            (0..).zip(tasks).map(|(number, task)| (TaskId::task(array.job, number), task))
        })
    }

    /// The id of a run's task.
    #[must_use]
    pub fn task_of_run(&self, run: &str) -> Option<TaskId> {
        self.ids().find(|(_, task)| matches!(task, SubmittedTask::Run(name) if name == run)).map(|(id, _)| id)
    }

    /// All job ids: the arrays and the dependent job.
    #[must_use]
    pub fn jobs(&self) -> Vec<u64> {
        self.arrays.iter().map(|array| array.job).chain(self.dependent).collect()
    }
}

/// Divides tasks among arrays of at most `most` tasks each: the position of the first and the number of tasks.
#[must_use]
pub fn array_ranges(tasks: u32, most: u32) -> Vec<(u32, u32)> {
    let most = most.max(1);
    (0..tasks.div_ceil(most)).map(|array| (array * most, most.min(tasks - array * most))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_find_their_ids_across_arrays() {
        let run = |number: u32| SubmittedTask::Run(format!("run{number}"));
        let submission = Submission {
            schema: SUBMISSION_SCHEMA,
            id: "s".to_owned(),
            created: Utc::now(),
            command: Vec::new(),
            kind: SubmissionKind::Train,
            fingerprint: String::new(),
            arrays: vec![
                SubmittedArray { job: 12, first: 0, tasks: 2 },
                SubmittedArray { job: 20, first: 2, tasks: 1 },
            ],
            dependent: Some(21),
            tasks: (0..3).map(run).collect(),
            max_requeues: 50,
        };
        let ids: Vec<String> = submission.ids().map(|(id, task)| format!("{id} {task}")).collect();
        assert_eq!(ids, ["12_0 run0", "12_1 run1", "20_0 run2"]);
        assert_eq!(submission.task_of_run("run2"), Some(TaskId::task(20, 0)));
        assert_eq!(submission.task_of_run("run3"), None);
        assert_eq!(submission.jobs(), [12, 20, 21]);
        let json = serde_json::to_string(&submission).unwrap();
        assert!(json.contains(r#""tasks":[{"run":"run0"},"#), "{json}");
        assert_eq!(serde_json::from_str::<Submission>(&json).unwrap(), submission);
    }

    #[test]
    fn arrays_are_no_larger_than_slurm_allows() {
        assert_eq!(array_ranges(5, 2), [(0, 2), (2, 2), (4, 1)]);
        assert_eq!(array_ranges(4, 1001), [(0, 4)]);
        assert_eq!(array_ranges(2, 0), [(0, 1), (1, 1)]);
    }
}
