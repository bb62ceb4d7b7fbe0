//! One benchmark job through the engine: what a step of a training takes.

use std::time::Duration;

use super::engine_process::{EngineError, EngineProcess};
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_engine_protocol::protocol::{BenchmarkWork, EngineCommand, EngineEvent, JobId, JobOutcome, Work};

/// How often the caller is asked whether to go on while the engine is silent.
const GLANCE: Duration = Duration::from_millis(50);

/// Why no step was timed.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The engine is gone or silent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine reports that it could not go on.
    #[error("{0}")]
    Failed(String),
    /// The caller wanted no more.
    #[error("interrupted")]
    Interrupted,
}

/// Times a few steps of a training. `interrupted` is asked at least twenty times a second; the engine stops between
/// steps then.
pub fn time_steps(
    engine: &mut EngineProcess,
    job: JobId,
    work: BenchmarkWork,
    interrupted: &dyn Fn() -> bool,
) -> Result<StepTiming, BenchmarkError> {
    engine.send(&EngineCommand::Run { job, work: Work::Benchmark(work) })?;
    let mut timed = None;
    loop {
        if interrupted() {
            engine.send(&EngineCommand::Cancel { job })?;
            return Err(BenchmarkError::Interrupted);
        }
        match engine.next_event(GLANCE)? {
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
