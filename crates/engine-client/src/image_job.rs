//! A job of the engine that has an answer for each of its images.

use std::time::Duration;

use super::engine_process::{EngineError, EngineProcess};
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_engine_protocol::protocol::{EngineCommand, EngineEvent, JobId, JobOutcome, Work};

/// Without any progress for so long, the caller is told.
const STALL: Duration = Duration::from_secs(60);
/// How often the caller is asked whether to go on while the engine is silent.
const GLANCE: Duration = Duration::from_millis(50);

/// What a job tells while it runs; `T` is the answer for an image.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageJobEvent<T> {
    /// The model is loaded; images follow.
    Started {
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images computed at once.
        batch_size: usize,
    },
    /// An image is done, for better or worse.
    Image {
        /// Its position among the job's samples.
        index: usize,
        /// The answer, or why there is none.
        result: Result<T, String>,
    },
    /// The engine lives and gets no further. It is told once, until it moves again.
    Stalled {
        /// For how long.
        seconds: u64,
    },
}

/// Why a job did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ImageJobError {
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

/// The answer for an image that an event of the engine is: its job, its position, and the answer.
pub(super) type Answer<T> = (JobId, usize, Result<T, String>);

/// Runs one job to its end, handing over events as they come, images in their order. `interrupted` is asked between
/// events, and at least twenty times a second; the engine stops at the next batch then. `answer` picks the answers for
/// images from what the engine says.
pub(super) fn run_image_job<T>(
    engine: &mut EngineProcess,
    job: JobId,
    work: Work,
    interrupted: &dyn Fn() -> bool,
    answer: fn(EngineEvent) -> Option<Answer<T>>,
    consume: &mut dyn FnMut(ImageJobEvent<T>) -> anyhow::Result<()>,
) -> Result<(), ImageJobError> {
    engine.send(&EngineCommand::Run { job, work })?;
    let mut stall_told = false;
    let mut tell = |engine: &mut EngineProcess, event| {
        consume(event).or_else(|error| {
            // The answers of a job that nobody takes must not stand in the way of the next.
            engine.send(&EngineCommand::Cancel { job })?;
            Err(ImageJobError::Consumer(error))
        })
    };
    loop {
        if interrupted() {
            engine.send(&EngineCommand::Cancel { job })?;
            return Err(ImageJobError::Interrupted);
        }
        let stalled = engine.stalled_for();
        if stalled < STALL {
            stall_told = false;
        } else if !stall_told {
            stall_told = true;
            tell(engine, ImageJobEvent::Stalled { seconds: stalled.as_secs() })?;
        }
        match engine.next_event(GLANCE)? {
            Some(EngineEvent::JobStarted { job: of, device, precision, batch_size }) if of == job => {
                tell(engine, ImageJobEvent::Started { device, precision, batch_size })?;
            }
            Some(EngineEvent::JobEnded { job: of, outcome }) if of == job => {
                return match outcome {
                    JobOutcome::Completed => Ok(()),
                    JobOutcome::Stopped { .. } => Err(ImageJobError::Interrupted),
                    JobOutcome::Failed { error } => Err(ImageJobError::Failed(error)),
                };
            }
            Some(event) => match answer(event) {
                Some((of, index, result)) if of == job => tell(engine, ImageJobEvent::Image { index, result })?,
                // A sign of life, or the end of a job that was given up.
                Some(_) | None => {}
            },
            None => {}
        }
    }
}
