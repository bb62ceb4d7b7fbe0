//! Commands: the program's side of the conversation, and the work that it requests.

use serde::{Deserialize, Serialize};

use crate::wire_path::WirePath;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::training_config::TrainingConfig;

/// The number of a job, chosen by the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// A message from the program to the engine.
#[expect(clippy::large_enum_variant, reason = "few commands are ever in memory")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineCommand {
    /// Do some work; jobs run one after another.
    Run { job: JobId, work: Work },
    /// Stop a job at the next batch, or before it starts.
    Cancel { job: JobId },
    /// Stop the running job at the next batch, then exit.
    Shutdown,
}

/// The work of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Predict(PredictWork),
    Benchmark(BenchmarkWork),
    Explain(ExplainWork),
}

impl From<PredictWork> for Work {
    fn from(work: PredictWork) -> Self {
        Self::Predict(work)
    }
}

impl From<ExplainWork> for Work {
    fn from(work: ExplainWork) -> Self {
        Self::Explain(work)
    }
}

/// Predict images with one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictWork {
    /// The model file.
    pub model: WirePath,
    /// The images; results come in the same order.
    pub samples: Vec<WirePath>,
    /// The white level of 16-bit images.
    pub grey_range: GreyRange,
    /// Images per batch; `None` leaves it to the engine.
    pub batch_size: Option<usize>,
    pub device: DeviceChoice,
    pub precision: Precision,
    /// CPU threads; `None` uses all cores.
    pub threads: Option<usize>,
    /// Predict a randomly transformed copy of each image in its place.
    pub augmented: Option<AugmentedCopy>,
}

/// A copy of every image for test-time augmentation, transformed as training images are. The transform depends on the copy,
/// the seed and the image's name ([`image_seed`](mammoscope_domain::image::image_seed::image_seed)), and on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AugmentedCopy {
    /// The number of the copy.
    pub copy: u32,
    pub seed: u64,
    /// Largest rotation, in degrees.
    pub rotation: f64,
    /// Largest shift, as a fraction of height and width.
    pub shift: f64,
    /// Largest zoom: factors are within 1 ± zoom.
    pub zoom: f64,
}

/// Compute one explanation map per image with one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainWork {
    /// The model file. It stays loaded for the next job that uses it.
    pub model: WirePath,
    /// The images; results come in the same order.
    pub samples: Vec<WirePath>,
    /// The white level of 16-bit images.
    pub grey_range: GreyRange,
    pub method: ExplanationMethod,
    /// The layer to explain, for methods that work on one.
    pub layer: ExplainedLayer,
    /// The class to explain.
    pub class: ExplainedClass,
    /// Compute as keras-vis 0.5 does: input by route 2, and for Grad-CAM gradients divided by their largest value. The
    /// ReLU, the zoom and the scaling to 0–1 are left to the program.
    pub parity: bool,
    /// Measure the insertion and deletion curves of each map, some forty passes per image.
    pub curves: bool,
    /// The number of stages of [`CASCADE`](mammoscope_domain::explanation::weight_cascade::CASCADE) that have random
    /// weights; 0 is the model itself.
    pub randomised_stages: usize,
    /// Seeds the random weights and, mixed with each image's name
    /// ([`image_seed`](mammoscope_domain::image::image_seed::image_seed)), the noise of
    /// [`ExplanationMethod::SmoothGrad`] and the random map.
    pub seed: u64,
    /// Images per batch; `None` leaves it to the engine.
    pub batch_size: Option<usize>,
    pub device: DeviceChoice,
    pub precision: Precision,
    /// CPU threads; `None` uses all cores.
    pub threads: Option<usize>,
}

/// The class that a map explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainedClass {
    /// The class with the largest logit of each image.
    Predicted,
    /// The same class for all images.
    Class(DensityClass),
    /// One class for each of [`ExplainWork::samples`], such as its label; a sample without one gets an error instead of
    /// a map.
    PerSample(Vec<Option<DensityClass>>),
}

/// Time at least three training steps on random images, for half a second, after one that builds everything up; and a
/// pass without gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkWork {
    /// Determines the steps: size and width of the network, batch, precision, augmentation, threads.
    pub config: TrainingConfig,
    pub device: DeviceChoice,
}
