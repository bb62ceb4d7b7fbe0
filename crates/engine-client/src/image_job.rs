//! Runs a job that has a result for each of its images: a prediction or an explanation.

use std::time::Duration;

use super::engine_process::{EngineError, EngineProcess};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_engine_protocol::command::{EngineCommand, ExplainWork, JobId, PredictWork, Work};
use mammoscope_engine_protocol::event::{EngineEvent, ExplainedSample, JobOutcome, PredictedSample};

/// The time without progress after which the caller is informed.
const STALL: Duration = Duration::from_secs(60);
/// The interval at which `cancellation` is polled while the engine is silent.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Work on images, each of which gets one output.
pub trait ImageWork: Into<Work> {
    type Output;

    /// Returns the result in an event, if the event is one of this kind of work.
    fn result_in(event: EngineEvent) -> Option<ImageResult<Self::Output>>;
}

/// The result for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageResult<T> {
    pub job: JobId,
    /// The position of the image among the job's samples.
    pub index: usize,
    /// The output, or the reason why there is none.
    pub result: Result<T, String>,
}

impl ImageWork for PredictWork {
    type Output = PredictedSample;

    fn result_in(event: EngineEvent) -> Option<ImageResult<PredictedSample>> {
        match event {
            EngineEvent::SampleDone { job, index, result } => Some(ImageResult { job, index, result }),
            _ => None,
        }
    }
}

impl ImageWork for ExplainWork {
    type Output = ExplainedSample;

    fn result_in(event: EngineEvent) -> Option<ImageResult<ExplainedSample>> {
        match event {
            EngineEvent::MapDone { job, index, result } => Some(ImageResult { job, index, result }),
            _ => None,
        }
    }
}

/// An event of a running job; `T` is the output for an image.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageJobEvent<T> {
    /// The model is loaded; images follow.
    Started {
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images per batch.
        batch_size: usize,
        /// CPU threads.
        threads: usize,
    },
    /// An image is done, or failed.
    Image {
        /// Its position among the job's samples.
        index: usize,
        /// The output, or the reason why there is none.
        result: Result<T, String>,
    },
    /// The engine is alive but makes no progress. Sent once per stall.
    Stalled { seconds: u64 },
}

/// An event of a prediction.
pub type PredictionEvent = ImageJobEvent<PredictedSample>;

/// An event of an explanation.
pub type ExplanationEvent = ImageJobEvent<ExplainedSample>;

/// A job that did not complete.
#[derive(Debug, thiserror::Error)]
pub enum ImageJobError {
    /// The engine died or fell silent.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The engine reports a failure of the job.
    #[error("{0}")]
    Failed(String),
    /// The caller interrupted the job.
    #[error("interrupted")]
    Interrupted,
    /// The caller could not process a result.
    #[error(transparent)]
    Consumer(#[from] anyhow::Error),
}

/// Runs one job to its end and hands over its events as they arrive, images in the order of the job's samples.
/// `cancellation` is polled between events, and at least twenty times a second; once it is cancelled, the engine stops
/// at the next batch.
pub fn run_image_job<W: ImageWork>(
    engine: &mut EngineProcess,
    job: JobId,
    work: W,
    cancellation: Cancellation<'_>,
    consume: &mut dyn FnMut(ImageJobEvent<W::Output>) -> anyhow::Result<()>,
) -> Result<(), ImageJobError> {
    engine.send(&EngineCommand::Run { job, work: work.into() })?;
    let mut stall_reported = false;
    let mut hand_over = |engine: &mut EngineProcess, event| {
        consume(event).or_else(|error| {
            // The remaining results of this job must not delay the next job.
            engine.send(&EngineCommand::Cancel { job })?;
            Err(ImageJobError::Consumer(error))
        })
    };
    loop {
        if cancellation.is_cancelled() {
            engine.send(&EngineCommand::Cancel { job })?;
            return Err(ImageJobError::Interrupted);
        }
        let stalled = engine.stalled_for();
        if stalled < STALL {
            stall_reported = false;
        } else if !stall_reported {
            stall_reported = true;
            hand_over(engine, ImageJobEvent::Stalled { seconds: stalled.as_secs() })?;
        }
        match engine.next_event(POLL_INTERVAL)? {
            Some(EngineEvent::JobStarted { job: of, device, precision, batch_size, threads }) if of == job => {
                hand_over(engine, ImageJobEvent::Started { device, precision, batch_size, threads })?;
            }
            Some(EngineEvent::JobEnded { job: of, outcome }) if of == job => {
                return match outcome {
                    JobOutcome::Completed => Ok(()),
                    JobOutcome::Stopped { .. } => Err(ImageJobError::Interrupted),
                    JobOutcome::Failed { error } => Err(ImageJobError::Failed(error)),
                };
            }
            Some(event) => match W::result_in(event) {
                Some(ImageResult { job: of, index, result }) if of == job => {
                    hand_over(engine, ImageJobEvent::Image { index, result })?;
                }
                // A heartbeat, or the end of a job that was cancelled before.
                Some(_) | None => {}
            },
            None => {}
        }
    }
}
