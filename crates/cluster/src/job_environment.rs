//! The Slurm job that this process runs in, from the environment that Slurm and the submitted script set.

use std::time::Duration;

use crate::task_id::TaskId;

/// The variable of the script with the number of times that a task may requeue itself.
pub const MAX_REQUEUES_VARIABLE: &str = "MAMMOSCOPE_MAX_REQUEUES";
/// The variable of the script with the job's time limit in seconds.
pub const TIME_LIMIT_VARIABLE: &str = "MAMMOSCOPE_TIME_LIMIT";

/// The job that this process runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnvironment {
    /// The id by which `scontrol` reaches this task and no other.
    pub id: TaskId,
    /// How often Slurm has started the job again.
    pub restarts: u32,
    /// The number of times that the trainer may requeue the job; `None` if the script does not ask for it.
    pub max_requeues: Option<u32>,
    /// The job's time limit, if the script states it.
    pub time_limit: Option<Duration>,
}

impl JobEnvironment {
    /// The job of this process; `None` outside Slurm.
    #[must_use]
    pub fn current() -> Option<Self> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads the job from variables.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<u64>().ok();
        let job = number("SLURM_JOB_ID")?;
        let small = |name: &str| variable(name)?.parse::<u32>().ok();
        let id = match (number("SLURM_ARRAY_JOB_ID"), small("SLURM_ARRAY_TASK_ID")) {
            (Some(array), Some(task)) => TaskId::task(array, task),
            _ => TaskId::job(job),
        };
        Some(Self {
            id,
            restarts: small("SLURM_RESTART_COUNT").unwrap_or(0),
            max_requeues: small(MAX_REQUEUES_VARIABLE),
            time_limit: number(TIME_LIMIT_VARIABLE).filter(|&seconds| seconds > 0).map(Duration::from_secs),
        })
    }

    /// Checks if the job may be requeued; otherwise returns the reason, which continues a sentence.
    pub fn requeue_allowed(&self) -> Result<(), String> {
        match self.max_requeues {
            None => Err("its script does not ask for it".to_owned()),
            Some(most) if self.restarts >= most => Err(format!("it was started again {} times already", self.restarts)),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Option<JobEnvironment> {
        JobEnvironment::read(|name| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_task_is_named_by_its_array_even_if_its_job_id_is_the_arrays() {
        let task = environment(&[
            ("SLURM_JOB_ID", "12"),
            ("SLURM_ARRAY_JOB_ID", "12"),
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_RESTART_COUNT", "2"),
            (MAX_REQUEUES_VARIABLE, "50"),
            (TIME_LIMIT_VARIABLE, "14400"),
        ])
        .unwrap();
        assert_eq!(task.id.to_string(), "12_3");
        assert_eq!((task.restarts, task.time_limit), (2, Some(Duration::from_secs(14_400))));
        assert_eq!(task.requeue_allowed(), Ok(()));
        assert_eq!(environment(&[("SLURM_JOB_ID", "7")]).unwrap().id, TaskId::job(7));
        assert_eq!(environment(&[]), None);
    }

    #[test]
    fn requeues_are_bounded_and_must_be_asked_for() {
        let allowed = |restarts: &str, most: &[(&str, &str)]| {
            let job = [("SLURM_JOB_ID", "7"), ("SLURM_RESTART_COUNT", restarts)];
            environment(&[&job, most].concat()).unwrap().requeue_allowed()
        };
        assert!(allowed("0", &[]).is_err());
        assert!(allowed("1", &[(MAX_REQUEUES_VARIABLE, "2")]).is_ok());
        assert!(allowed("2", &[(MAX_REQUEUES_VARIABLE, "2")]).unwrap_err().contains("2 times"));
    }
}
