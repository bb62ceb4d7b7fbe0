//! The states of jobs.

use std::fmt;

/// The state of a job, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    Pending,
    /// Nodes are being prepared for it.
    Configuring,
    Running,
    Suspended,
    /// It has ended, and its processes are being cleaned up.
    Completing,
    /// It waits to be started again.
    Requeued,
    /// It waits to be released after a requeue.
    RequeueHeld,
    Completed,
    Cancelled,
    Failed,
    /// It reached its time limit.
    TimedOut,
    OutOfMemory,
    /// A node failed.
    NodeFailed,
    /// A job with a higher priority took its place.
    Preempted,
    /// Its deadline passed before it could end.
    DeadlineMissed,
    /// A state that this program does not know, in Slurm's words.
    Other(String),
}

impl JobState {
    /// Reads a state in Slurm's words, such as `PENDING` or `CANCELLED by 1000`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let word = text.split([' ', '+']).next().unwrap_or_default();
        match word {
            "PENDING" => Self::Pending,
            "CONFIGURING" => Self::Configuring,
            "RUNNING" | "SIGNALING" | "STAGE_OUT" | "RESIZING" => Self::Running,
            "SUSPENDED" | "STOPPED" => Self::Suspended,
            "COMPLETING" => Self::Completing,
            "REQUEUED" | "REQUEUE_FED" => Self::Requeued,
            "REQUEUE_HOLD" | "SPECIAL_EXIT" => Self::RequeueHeld,
            "COMPLETED" => Self::Completed,
            "CANCELLED" | "REVOKED" => Self::Cancelled,
            "FAILED" | "BOOT_FAIL" => Self::Failed,
            "TIMEOUT" => Self::TimedOut,
            "OUT_OF_MEMORY" => Self::OutOfMemory,
            "NODE_FAIL" => Self::NodeFailed,
            "PREEMPTED" => Self::Preempted,
            "DEADLINE" => Self::DeadlineMissed,
            _ => Self::Other(word.to_owned()),
        }
    }

    /// True if the job waits for its start.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self, Self::Pending | Self::Requeued | Self::RequeueHeld)
    }

    /// True if the job has ended for good. A state that this program does not know counts as unfinished.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Pending
            | Self::Configuring
            | Self::Running
            | Self::Suspended
            | Self::Completing
            | Self::Requeued
            | Self::RequeueHeld
            | Self::Other(_) => false,
            Self::Completed
            | Self::Cancelled
            | Self::Failed
            | Self::TimedOut
            | Self::OutOfMemory
            | Self::NodeFailed
            | Self::Preempted
            | Self::DeadlineMissed => true,
        }
    }

    /// The state in words.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Configuring => "node starting",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Completing => "ending",
            Self::Requeued => "requeued",
            Self::RequeueHeld => "requeued, held",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::TimedOut => "ended by its time limit",
            Self::OutOfMemory => "out of memory",
            Self::NodeFailed => "node failed",
            Self::Preempted => "preempted",
            Self::DeadlineMissed => "past its deadline",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_the_words_of_squeue_and_sacct() {
        let cases = [
            ("PENDING", JobState::Pending, false),
            ("CANCELLED by 1000", JobState::Cancelled, true),
            ("CANCELLED+", JobState::Cancelled, true),
            ("REQUEUE_HOLD", JobState::RequeueHeld, false),
            ("TIMEOUT", JobState::TimedOut, true),
            ("NODE_FAIL", JobState::NodeFailed, true),
            ("NEW_STATE", JobState::Other("NEW_STATE".to_owned()), false),
        ];
        for (text, state, is_over) in cases {
            assert_eq!((JobState::parse(text), state.is_over()), (state.clone(), is_over), "{text}");
        }
    }
}
