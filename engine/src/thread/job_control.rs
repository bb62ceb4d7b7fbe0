//! Stop signals of jobs: flags that a job reads between batches, since a busy thread does not read a queue.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mammoscope_engine_protocol::command::JobId;

/// The stop signal of one job.
#[derive(Clone, Debug, Default)]
pub struct JobControl {
    stopped: Arc<AtomicBool>,
}

impl JobControl {
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// The stop signals of all jobs that are queued or running.
#[derive(Clone, Debug, Default)]
pub struct JobControls {
    jobs: Arc<Mutex<HashMap<JobId, JobControl>>>,
}

impl JobControls {
    /// Registers a new job.
    #[must_use]
    pub fn add(&self, job: JobId) -> JobControl {
        let control = JobControl::default();
        self.lock().insert(job, control.clone());
        control
    }

    /// Stops a job; has no effect on one that has ended.
    pub fn stop(&self, job: JobId) {
        if let Some(control) = self.lock().get(&job) {
            control.stop();
        }
    }

    pub fn stop_all(&self) {
        self.lock().values().for_each(JobControl::stop);
    }

    /// Forgets a job that has ended.
    pub fn remove(&self, job: JobId) {
        self.lock().remove(&job);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, JobControl>> {
        // The map is consistent at every moment, even after a panic elsewhere.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_job_is_stopped() {
        let controls = JobControls::default();
        let (first, second) = (controls.add(JobId(1)), controls.add(JobId(2)));
        controls.stop(JobId(2));
        controls.stop(JobId(3));
        assert!(!first.is_stopped() && second.is_stopped());
        controls.remove(JobId(1));
        controls.stop_all();
        assert!(!first.is_stopped(), "a job that has ended is left alone");
    }
}
