//! One explanation job through the engine.

use std::time::Duration;

use super::engine_process::EngineProcess;
use super::prediction::PredictionError;
use super::protocol::{EngineCommand, EngineEvent, ExplainWork, ExplainedSample, JobId, JobOutcome, Work};
use crate::domain::compute_options::Precision;

/// Without any progress for so long, the caller is told.
const STALL: Duration = Duration::from_secs(60);
/// How often the caller is asked whether to go on while the engine is silent.
const GLANCE: Duration = Duration::from_millis(50);

/// What an explanation job tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum ExplanationEvent {
    /// The model is loaded; maps follow.
    Started {
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images computed at once.
        batch_size: usize,
    },
    /// An image is done: its map, or why there is none.
    Map {
        /// Its position in [`ExplainWork::samples`].
        index: usize,
        /// The map, or the reason.
        result: Result<ExplainedSample, String>,
    },
    /// The engine lives and gets no further. It is told once, until it moves again.
    Stalled {
        /// For how long.
        seconds: u64,
    },
}

/// Runs one explanation job to its end, handing over events as they come, images in their order. `interrupted` is asked
/// between events, and at least twenty times a second; the engine stops at the next batch then.
pub fn explain(
    engine: &mut EngineProcess,
    job: JobId,
    work: ExplainWork,
    interrupted: &dyn Fn() -> bool,
    consume: &mut dyn FnMut(ExplanationEvent) -> anyhow::Result<()>,
) -> Result<(), PredictionError> {
    engine.send(&EngineCommand::Run { job, work: Work::Explain(work) })?;
    let mut stall_told = false;
    let mut tell = |engine: &mut EngineProcess, event| {
        consume(event).or_else(|error| {
            // The answers of a job that nobody takes must not stand in the way of the next.
            engine.send(&EngineCommand::Cancel { job })?;
            Err(PredictionError::Consumer(error))
        })
    };
    loop {
        if interrupted() {
            engine.send(&EngineCommand::Cancel { job })?;
            return Err(PredictionError::Interrupted);
        }
        let stalled = engine.stalled_for();
        if stalled < STALL {
            stall_told = false;
        } else if !stall_told {
            stall_told = true;
            tell(engine, ExplanationEvent::Stalled { seconds: stalled.as_secs() })?;
        }
        match engine.next_event(GLANCE)? {
            Some(EngineEvent::JobStarted { job: of, device, precision, batch_size }) if of == job => {
                tell(engine, ExplanationEvent::Started { device, precision, batch_size })?;
            }
            Some(EngineEvent::MapDone { job: of, index, result }) if of == job => {
                tell(engine, ExplanationEvent::Map { index, result })?;
            }
            Some(EngineEvent::JobEnded { job: of, outcome }) if of == job => {
                return match outcome {
                    JobOutcome::Completed => Ok(()),
                    JobOutcome::Stopped { .. } => Err(PredictionError::Interrupted),
                    JobOutcome::Failed { error } => Err(PredictionError::Failed(error)),
                };
            }
            // A sign of life, or the end of a job that was given up.
            Some(_) | None => {}
        }
    }
}
