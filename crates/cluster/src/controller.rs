//! Commands to Slurm's controller: submitting, releasing, requeueing and cancelling jobs.

use std::ffi::OsString;
use std::path::Path;

use crate::slurm_program::{SlurmError, SlurmProgram};
use crate::task_id::TaskId;

/// The number of ids that one `scancel` gets, so that its command line stays short.
const IDS_AT_ONCE: usize = 500;

/// Submits a script and returns the id of the job. The job is held: it cannot start before [`release`]. It waits for the
/// end of the jobs in `after`, however they end.
pub fn submit_held(script: &Path, after: &[u64]) -> Result<u64, SlurmError> {
    let mut arguments: Vec<OsString> = vec!["--parsable".into(), "--hold".into()];
    if !after.is_empty() {
        let ids: Vec<String> = after.iter().map(ToString::to_string).collect();
        arguments.push(format!("--dependency=afterany:{}", ids.join(":")).into());
    }
    arguments.push(script.into());
    let answer = SlurmProgram::Sbatch.run(arguments)?;
    parse_parsable(&answer).ok_or_else(|| SlurmError::Answer {
        program: SlurmProgram::Sbatch,
        answer: mammoscope_domain::text::printable::printable(answer.trim()),
        expected: "the id of a job",
    })
}

/// Reads the answer of `sbatch --parsable`: `12`, or `12;cluster`.
fn parse_parsable(answer: &str) -> Option<u64> {
    answer.trim().split(';').next()?.parse().ok()
}

/// Lets held jobs start.
pub fn release(jobs: &[u64]) -> Result<(), SlurmError> {
    let ids = jobs.iter().map(ToString::to_string);
    SlurmProgram::Scontrol.run(std::iter::once("release".to_owned()).chain(ids)).map(drop)
}

/// Ends a running task and lets Slurm start it again. SIGTERM reaches it within a second.
pub fn requeue(task: TaskId) -> Result<(), SlurmError> {
    SlurmProgram::Scontrol.run_shielded(["requeue", &task.to_string()]).map(drop)
}

/// Cancels jobs and tasks. Those that have ended already are left alone.
pub fn cancel(tasks: &[TaskId]) -> Result<(), SlurmError> {
    for some in tasks.chunks(IDS_AT_ONCE) {
        SlurmProgram::Scancel.run(some.iter().map(ToString::to_string))?;
    }
    Ok(())
}

/// The number of tasks that an array may have; `None` if the controller does not say.
pub fn max_array_tasks() -> Result<Option<u32>, SlurmError> {
    SlurmProgram::Scontrol.run(["show", "config"]).map(|text| parse_max_array_size(&text))
}

/// The value of `MaxArraySize`, which is one more than the highest number of a task; numbers here start at 0.
fn parse_max_array_size(text: &str) -> Option<u32> {
    let value = text.lines().find_map(|line| line.trim_start().strip_prefix("MaxArraySize"))?;
    value.trim_start().strip_prefix('=')?.trim().parse().ok()
}

/// What `scontrol` knows about a job, for a few minutes after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFacts {
    /// How often Slurm has started the job again.
    pub restarts: u32,
    /// Slurm's notation of the time limit.
    pub time_limit: Option<String>,
    /// When a waiting job may start at the earliest, or is expected to; local time of the cluster.
    pub start: Option<String>,
}

/// Asks about one job. Fails if the controller no longer knows it.
pub fn job_facts(task: TaskId) -> Result<JobFacts, SlurmError> {
    SlurmProgram::Scontrol.run(["show", "job", "-o", &task.to_string()]).map(|text| parse_job(&text))
}

fn parse_job(text: &str) -> JobFacts {
    // Values may contain spaces, but none of those that are read here.
    let value = |key: &str| {
        let found = text.split_whitespace().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        found.filter(|value| !value.is_empty() && !["Unknown", "(null)", "N/A"].contains(value))
    };
    JobFacts {
        restarts: value("Restarts").and_then(|value| value.parse().ok()).unwrap_or(0),
        time_limit: value("TimeLimit").map(str::to_owned),
        start: value("StartTime").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_id_is_read_with_and_without_a_cluster() {
        assert_eq!(parse_parsable("12\n"), Some(12));
        assert_eq!(parse_parsable("12;north\n"), Some(12));
        assert_eq!(parse_parsable("Submitted batch job 12\n"), None);
    }

    #[test]
    fn the_size_of_arrays_is_read_from_the_configuration() {
        let text =
            "Configuration data as of 2026-11-30T07:11:09\nMaxArraySize            = 1001\nMaxJobCount = 10000\n";
        assert_eq!(parse_max_array_size(text), Some(1001));
        assert_eq!(parse_max_array_size("MaxJobCount = 10000"), None);
    }

    #[test]
    fn facts_of_a_job_are_read() {
        let text = "JobId=5 ArrayJobId=4 ArrayTaskId=0 JobName=a b Restarts=1 ExitCode=0:0 TimeLimit=04:00:00 \
                    EligibleTime=2026-11-30T07:16:53 StartTime=2026-11-30T07:16:53 EndTime=Unknown\n";
        let start = Some("2026-11-30T07:16:53".to_owned());
        assert_eq!(parse_job(text), JobFacts { restarts: 1, time_limit: Some("04:00:00".to_owned()), start });
        let none = JobFacts { restarts: 0, time_limit: None, start: None };
        assert_eq!(parse_job("JobId=5 StartTime=Unknown"), none);
    }
}
