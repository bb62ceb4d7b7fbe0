//! Runs a benchmark job: the duration of a training step.

use std::time::Duration;

use super::engine_process::{EngineError, EngineProcess};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_engine_protocol::command::{BenchmarkWork, EngineCommand, JobId, Work};
use mammoscope_engine_protocol::event::{EngineEvent, JobOutcome};

/// The interval at which `cancellation` is polled while the engine is silent.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A benchmark without a result.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The engine died or fell silent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine reports a failure of the job.
    #[error("{0}")]
    Failed(String),
    /// The caller interrupted the job.
    #[error("interrupted")]
    Interrupted,
}

/// Times a few training steps. `cancellation` is polled at least twenty times a second; once it is cancelled, the engine
/// stops between two steps.
pub fn time_steps(
    engine: &mut EngineProcess,
    job: JobId,
    work: BenchmarkWork,
    cancellation: Cancellation<'_>,
) -> Result<StepTiming, BenchmarkError> {
    engine.send(&EngineCommand::Run { job, work: Work::Benchmark(work) })?;
    let mut timed = None;
    loop {
        if cancellation.is_cancelled() {
            engine.send(&EngineCommand::Cancel { job })?;
            return Err(BenchmarkError::Interrupted);
        }
        match engine.next_event(POLL_INTERVAL)? {
            Some(EngineEvent::StepsTimed { job: of, timing }) if of == job => timed = Some(timing),
            Some(EngineEvent::JobEnded { job: of, outcome }) if of == job => {
                return match (outcome, timed) {
                    (JobOutcome::Completed, Some(timing)) => Ok(timing),
                    (JobOutcome::Completed, None) => Err(BenchmarkError::Failed("the engine timed nothing".to_owned())),
                    (JobOutcome::Stopped { .. }, _) => Err(BenchmarkError::Interrupted),
                    (JobOutcome::Failed { error }, _) => Err(BenchmarkError::Failed(error)),
                };
            }
            Some(_) | None => {}
        }
    }
}
