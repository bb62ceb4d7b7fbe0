//! The states of jobs that ended long ago, where the cluster keeps accounts.

use std::collections::HashMap;

use crate::job_state::JobState;
use crate::slurm_program::{SlurmError, SlurmProgram};
use crate::task_id::TaskId;

/// The states of all tasks of these jobs according to the accounts; empty where there are none, which is normal.
pub fn accounted_states(jobs: &[u64]) -> Result<HashMap<TaskId, JobState>, SlurmError> {
    let ids: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    if ids.is_empty() || !SlurmProgram::Sacct.is_installed() {
        return Ok(HashMap::new());
    }
    let ids = ids.join(",");
    match SlurmProgram::Sacct.run(["-n", "-P", "-X", "-o", "JobID,State", "-j", &ids]) {
        Ok(text) => Ok(parse_sacct(&text)),
        Err(SlurmError::Failed { message, .. }) if message.contains("accounting storage is disabled") => {
            Ok(HashMap::new())
        }
        Err(error) => Err(error),
    }
}

fn parse_sacct(text: &str) -> HashMap<TaskId, JobState> {
    let parse = |line: &str| {
        let (id, state) = line.split_once('|')?;
        Some((id.trim().parse().ok()?, JobState::parse(state.trim())))
    };
    text.lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_tasks_are_read() {
        let states = parse_sacct("12_0|COMPLETED\n12_1|CANCELLED by 1000\n13|TIMEOUT\n12_[2-5]|PENDING\n");
        assert_eq!(states.get(&TaskId::task(12, 1)), Some(&JobState::Cancelled));
        assert_eq!(states.get(&TaskId::job(13)), Some(&JobState::TimedOut));
        assert_eq!(states.len(), 3);
    }
}
