//! The condition of a submitted run in words: what its trainer reported, with what Slurm says.

use chrono::TimeDelta;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::printable;

use crate::cluster_view::JobEvidence;
use crate::job_state::JobState;
use crate::task_id::TaskId;

/// The start of the reason of a run that its trainer has put back into the queue.
pub const REQUEUED: &str = "requeued in Slurm";

/// The longest time for which a list of jobs is used, with a margin for clocks.
const LIST_AGE: TimeDelta = TimeDelta::seconds(20);

/// The reason of a run that waits for its first start.
#[must_use]
pub fn submitted_reason(task: TaskId) -> String {
    format!("submitted to Slurm as {task}")
}

/// The phase of a run in the light of its job: a run whose job waits will be trained without a request, and one that its
/// trainer left as queued has ended with its job. `None` if there is nothing to correct.
#[must_use]
pub fn phase_in_cluster(condition: &RunCondition, evidence: &JobEvidence) -> Option<RunPhase> {
    if *evidence == JobEvidence::NotListed {
        let is_gone = condition.phase == RunPhase::Queued && !is_too_early(condition, evidence);
        return is_gone.then_some(RunPhase::Interrupted);
    }
    let state = evidence.state()?;
    if matches!(condition.phase, RunPhase::Completed | RunPhase::Stopped | RunPhase::Failed) {
        return None;
    }
    if state.is_waiting() {
        return (condition.phase != RunPhase::Queued).then_some(RunPhase::Queued);
    }
    if !state.is_over() || condition.phase != RunPhase::Queued {
        return None;
    }
    let was_requeued = condition.reason.as_deref().is_some_and(|reason| reason.starts_with(REQUEUED));
    // Nothing went wrong with a job that was cancelled, and a run that has a checkpoint can be resumed from it.
    let is_failure = *state != JobState::Cancelled && !was_requeued;
    Some(if is_failure { RunPhase::Failed } else { RunPhase::Interrupted })
}

/// True if the list of jobs may be older than the job.
fn is_too_early(condition: &RunCondition, evidence: &JobEvidence) -> bool {
    *evidence == JobEvidence::NotListed && condition.silence < LIST_AGE
}

/// The condition in words, if Slurm adds anything to it.
#[must_use]
pub fn condition_text(condition: &RunCondition, task: TaskId, evidence: &JobEvidence) -> Option<String> {
    if matches!(condition.phase, RunPhase::Completed | RunPhase::Stopped | RunPhase::Failed) {
        return None;
    }
    if *evidence == JobEvidence::Unknown || is_too_early(condition, evidence) {
        return None;
    }
    match condition.phase {
        RunPhase::Queued => Some(queued(condition, task, evidence)),
        RunPhase::Interrupted => interrupted(condition, task, evidence),
        _ => active(condition, task, evidence),
    }
}

fn queued(condition: &RunCondition, task: TaskId, evidence: &JobEvidence) -> String {
    let requeued = condition.reason.as_deref().filter(|reason| reason.starts_with(REQUEUED));
    let Some(state) = evidence.state() else {
        return format!("interrupted · Slurm no longer lists {task}: it was cancelled, or ended long ago");
    };
    if !state.is_over() {
        let reason = requeued.map(|reason| format!("{} · ", printable(reason))).unwrap_or_default();
        return format!("queued · {reason}{}", job_text(task, evidence));
    }
    match (state, requeued) {
        (_, Some(reason)) => format!("interrupted · {}, then {state} ({task})", printable(reason)),
        (JobState::Failed, None) => {
            format!("failed in Slurm before the trainer started: is the workspace shared with the nodes? ({task})")
        }
        (_, None) => format!("{state} in Slurm before the trainer started ({task})"),
    }
}

fn interrupted(condition: &RunCondition, task: TaskId, evidence: &JobEvidence) -> Option<String> {
    let state = evidence.state()?;
    let by_slurm = condition.reason.as_deref().is_some_and(|reason| reason.contains("SIGTERM"));
    if state.is_waiting() && by_slurm {
        return Some(format!("interrupted · preempted, requeued · {}", job_text(task, evidence)));
    }
    let is_news = !state.is_over()
        || matches!(state, JobState::TimedOut | JobState::NodeFailed | JobState::Preempted | JobState::OutOfMemory);
    is_news.then(|| format!("{condition} · {}", job_text(task, evidence)))
}

fn active(condition: &RunCondition, task: TaskId, evidence: &JobEvidence) -> Option<String> {
    let Some(state) = evidence.state() else {
        return condition.stale.map(|_| format!("{condition} · Slurm no longer lists {task}"));
    };
    if state.is_waiting() {
        return Some(format!("interrupted · its trainer was lost, requeued · {}", job_text(task, evidence)));
    }
    let is_news = condition.stale.is_some() || state.is_over() || *state == JobState::Suspended;
    is_news.then(|| format!("{condition} · {}", job_text(task, evidence)))
}

/// `Slurm 12_3 pending: Priority`.
fn job_text(task: TaskId, evidence: &JobEvidence) -> String {
    match evidence {
        JobEvidence::Listed(job) => format!("Slurm {task} {job}"),
        JobEvidence::Ended(state) => format!("Slurm {task} {state}"),
        JobEvidence::NotListed | JobEvidence::Unknown => format!("Slurm {task}"),
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::run::run_condition::Staleness;

    use super::*;
    use crate::queued_job::parse_squeue;

    fn shown(phase: RunPhase, stale: Option<Staleness>, reason: Option<&str>, line: &str) -> Option<String> {
        let reason = reason.map(str::to_owned);
        let condition = RunCondition {
            phase,
            stale,
            silence: TimeDelta::minutes(12),
            is_doubtful: false,
            clock_offset: None,
            reason,
            job: None,
        };
        let evidence = match line {
            "" => JobEvidence::NotListed,
            "?" => JobEvidence::Unknown,
            line => JobEvidence::Listed(parse_squeue(line).remove(0)),
        };
        condition_text(&condition, TaskId::task(12, 3), &evidence)
    }

    #[test]
    fn slurms_state_is_joined_with_the_trainers() {
        use RunPhase::{Completed, Interrupted, Queued, Running};
        let submitted = Some("submitted to Slurm as 12_3");
        let requeued = Some("requeued in Slurm, restart 2");
        let gone = Some(Staleness::Silent);
        let cases = [
            (Queued, None, submitted, "12|3|PENDING||Priority", "queued · Slurm 12_3 pending: Priority"),
            (Queued, None, submitted, "12|3|RUNNING|node7|None", "queued · Slurm 12_3 running on node7"),
            (
                Queued,
                None,
                submitted,
                "12|3|FAILED|node7|NonZeroExitCode",
                "failed in Slurm before the trainer started: is the workspace shared with the nodes? (12_3)",
            ),
            (Queued, None, submitted, "12|3|CANCELLED||None", "cancelled in Slurm before the trainer started (12_3)"),
            (
                Queued,
                None,
                submitted,
                "",
                "interrupted · Slurm no longer lists 12_3: it was cancelled, or ended long ago",
            ),
            (
                Queued,
                None,
                requeued,
                "12|3|PENDING||BeginTime",
                "queued · requeued in Slurm, restart 2 · Slurm 12_3 pending: BeginTime",
            ),
            (
                Queued,
                None,
                requeued,
                "12|3|CANCELLED||None",
                "interrupted · requeued in Slurm, restart 2, then cancelled (12_3)",
            ),
            (
                Interrupted,
                None,
                Some("by SIGTERM"),
                "12|3|PENDING||BeginTime",
                "interrupted · preempted, requeued · Slurm 12_3 pending: BeginTime",
            ),
            (
                Interrupted,
                None,
                Some("by SIGTERM"),
                "12|3|TIMEOUT|node7|TimeLimit",
                "interrupted · by SIGTERM · Slurm 12_3 ended by its time limit: TimeLimit",
            ),
            (
                Running,
                gone,
                None,
                "12|3|PENDING||BeginTime",
                "interrupted · its trainer was lost, requeued · Slurm 12_3 pending: BeginTime",
            ),
            (
                Running,
                gone,
                None,
                "12|3|RUNNING|node7|None",
                "stale · 12 min, no heartbeat · Slurm 12_3 running on node7",
            ),
            (Running, gone, None, "", "stale · 12 min, no heartbeat · Slurm no longer lists 12_3"),
        ];
        for (phase, stale, reason, line, expected) in cases {
            assert_eq!(shown(phase, stale, reason, line).as_deref(), Some(expected), "{line}");
        }
        let corrected = |phase: RunPhase, line: &str, reason: Option<&str>| {
            let reason = reason.map(str::to_owned);
            let condition = RunCondition {
                phase,
                stale: None,
                silence: TimeDelta::zero(),
                is_doubtful: false,
                clock_offset: None,
                reason,
                job: None,
            };
            phase_in_cluster(&condition, &JobEvidence::Listed(parse_squeue(line).remove(0)))
        };
        assert_eq!(corrected(Queued, "12|3|FAILED|node7|NonZeroExitCode", submitted), Some(RunPhase::Failed));
        assert_eq!(corrected(Queued, "12|3|FAILED|node7|NonZeroExitCode", requeued), Some(Interrupted));
        assert_eq!(corrected(Queued, "12|3|CANCELLED||None", submitted), Some(Interrupted));
        assert_eq!(corrected(Queued, "12|3|PENDING||Priority", submitted), None);
        assert_eq!(corrected(Interrupted, "12|3|PENDING||BeginTime", None), Some(Queued));
        assert_eq!(corrected(Running, "12|3|RUNNING|node7|None", None), None);
        assert_eq!(shown(Running, None, None, "12|3|RUNNING|node7|None"), None, "nothing to add");
        assert_eq!(shown(Completed, None, None, "12|3|COMPLETED|node7|None"), None);
        assert_eq!(shown(Interrupted, None, Some("by SIGTERM"), "12|3|CANCELLED|node7|None"), None);
        assert_eq!(shown(Queued, None, submitted, "?"), None, "Slurm cannot be asked");
    }
}
