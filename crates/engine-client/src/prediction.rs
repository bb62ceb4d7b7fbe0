//! One prediction job through the engine.

use super::engine_process::EngineProcess;
use super::image_job::{ImageJobError, ImageJobEvent, run_image_job};
use mammoscope_engine_protocol::protocol::{EngineEvent, JobId, PredictWork, PredictedSample, Work};

/// What a prediction tells while it runs: of each image the logits of the classes A to D, and what was found in it.
pub type PredictionEvent = ImageJobEvent<PredictedSample>;

/// Runs one prediction job to its end, handing over events as they come, images in their order of
/// [`PredictWork::samples`]. `interrupted` is asked between events, and at least twenty times a second.
pub fn predict(
    engine: &mut EngineProcess,
    job: JobId,
    work: PredictWork,
    interrupted: &dyn Fn() -> bool,
    consume: &mut dyn FnMut(PredictionEvent) -> anyhow::Result<()>,
) -> Result<(), ImageJobError> {
    let answer = |event| match event {
        EngineEvent::SampleDone { job, index, result } => Some((job, index, result)),
        _ => None,
    };
    run_image_job(engine, job, Work::Predict(work), interrupted, answer, consume)
}
