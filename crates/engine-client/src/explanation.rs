//! One explanation job through the engine.

use super::engine_process::EngineProcess;
use super::image_job::{ImageJobError, ImageJobEvent, run_image_job};
use mammoscope_engine_protocol::protocol::{EngineEvent, ExplainWork, ExplainedSample, JobId, Work};

/// What an explanation job tells while it runs: of each image its map and logits.
pub type ExplanationEvent = ImageJobEvent<ExplainedSample>;

/// Runs one explanation job to its end, handing over events as they come, images in their order of
/// [`ExplainWork::samples`]. `interrupted` is asked between events, and at least twenty times a second.
pub fn explain(
    engine: &mut EngineProcess,
    job: JobId,
    work: ExplainWork,
    interrupted: &dyn Fn() -> bool,
    consume: &mut dyn FnMut(ExplanationEvent) -> anyhow::Result<()>,
) -> Result<(), ImageJobError> {
    let answer = |event| match event {
        EngineEvent::MapDone { job, index, result } => Some((job, index, result)),
        _ => None,
    };
    run_image_job(engine, job, Work::Explain(work), interrupted, answer, consume)
}
