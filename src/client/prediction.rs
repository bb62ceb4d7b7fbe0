//! One prediction job through the engine.

use std::time::Duration;

use super::engine_process::{EngineError, EngineProcess};
use super::protocol::{EngineCommand, EngineEvent, JobId, JobOutcome, PredictWork, Work};
use crate::domain::compute_options::Precision;
use crate::domain::density::DensityClass;

/// Without any progress for so long, the caller is told.
const STALL: Duration = Duration::from_secs(60);
/// How often the caller is asked whether to go on while the engine is silent.
const GLANCE: Duration = Duration::from_millis(100);

/// What a prediction tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum PredictionEvent {
    /// The model is loaded; images follow.
    Started {
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images computed at once.
        batch_size: usize,
    },
    /// An image is done: its logits, or why there are none.
    Image {
        /// Its position in [`PredictWork::samples`].
        index: usize,
        /// Logits of the classes A to D, or the reason.
        result: Result<[f32; DensityClass::COUNT], String>,
    },
    /// The engine lives and gets no further. It is told once, until it moves again.
    Stalled {
        /// For how long.
        seconds: u64,
    },
}

/// Why a prediction did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    /// The engine is gone or silent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine reports that it could not go on.
    #[error("{0}")]
    Failed(String),
    /// The caller wanted no more.
    #[error("interrupted")]
    Interrupted,
    /// The caller could not take an answer.
    #[error(transparent)]
    Consumer(#[from] anyhow::Error),
}

/// Runs one prediction job to its end, handing over events as they come, images in their order. `interrupted` is asked
/// between events, and at least ten times a second.
pub fn predict(
    engine: &mut EngineProcess,
    job: JobId,
    work: PredictWork,
    interrupted: &dyn Fn() -> bool,
    consume: &mut dyn FnMut(PredictionEvent) -> anyhow::Result<()>,
) -> Result<(), PredictionError> {
    engine.send(&EngineCommand::Run { job, work: Work::Predict(work) })?;
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
            tell(engine, PredictionEvent::Stalled { seconds: stalled.as_secs() })?;
        }
        match engine.next_event(GLANCE)? {
            Some(EngineEvent::JobStarted { job: of, device, precision, batch_size }) if of == job => {
                tell(engine, PredictionEvent::Started { device, precision, batch_size })?;
            }
            Some(EngineEvent::SampleDone { job: of, index, result }) if of == job => {
                tell(engine, PredictionEvent::Image { index, result })?;
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
