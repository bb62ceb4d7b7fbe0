//! Events: the engine's side of the conversation, and the results of its jobs.

use serde::{Deserialize, Serialize};

use crate::command::JobId;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::perturbation_curve::PerturbationCurves;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_domain::training::step_timing::StepTiming;

/// A message from the engine to the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineEvent {
    /// The engine is up.
    Ready {
        /// The engine's [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION).
        protocol: u32,
        /// The engine's [`VERSION`](crate::VERSION).
        version: String,
    },
    /// The engine is alive; it may be busy.
    Alive {
        /// Grows with every image decoded and every batch computed; an engine whose progress does not grow is stuck, or
        /// computes a large batch.
        progress: u64,
    },
    /// The model is loaded.
    JobStarted {
        job: JobId,
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images per batch.
        batch_size: usize,
        /// CPU threads.
        threads: usize,
    },
    /// An image was predicted, or failed.
    SampleDone {
        job: JobId,
        /// Its position in [`PredictWork::samples`](crate::command::PredictWork::samples).
        index: usize,
        /// The prediction, or the reason why there is none.
        result: Result<PredictedSample, String>,
    },
    /// An image was explained, or failed.
    MapDone {
        job: JobId,
        /// Its position in [`ExplainWork::samples`](crate::command::ExplainWork::samples).
        index: usize,
        /// The map with its logits, or the reason why there is none. An uninformative map is a result, not an error:
        /// see [`ExplanationMap::status`].
        result: Result<ExplainedSample, String>,
    },
    /// The steps of a [`BenchmarkWork`](crate::command::BenchmarkWork) are timed.
    StepsTimed { job: JobId, timing: StepTiming },
    /// The job is over.
    JobEnded { job: JobId, outcome: JobOutcome },
}

/// The prediction of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedSample {
    /// Logits of the classes A to D.
    pub logits: [f32; DensityClass::COUNT],
    pub findings: ImageFindings,
}

/// The prediction of an image, and the map that explains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedSample {
    /// Logits of the classes A to D; with randomised stages, those of the randomised network.
    pub logits: [f32; DensityClass::COUNT],
    /// The findings in the image, if it was read from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
    /// The class that the map explains.
    pub class: DensityClass,
    /// The map, signed, before ReLU, in the resolution of the layer.
    pub map: ExplanationMap,
    /// True if, with [`ExplainWork::parity`](crate::command::ExplainWork::parity), every gradient was negative.
    /// keras-vis divides by the largest gradient and so inverts such a map; here it keeps its sign.
    pub all_gradients_negative: bool,
    /// The curves, if they were requested and the map is informative. Pixels are ranked by the map enlarged with
    /// bilinear interpolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<PerturbationCurves>,
}

/// The end of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// All work was done.
    Completed,
    /// The job was stopped on request.
    Stopped { reason: String },
    /// The job could not continue.
    Failed {
        /// The cause, and the remedy.
        error: String,
    },
}
