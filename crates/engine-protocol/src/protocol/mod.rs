//! What the program and its engine say to each other, and how it is framed.
//!
//! A frame is a length (4 bytes, little-endian) and so many bytes of JSON. The order of events, which a reader may rely
//! on:
//!
//! ```text
//! Ready → (Run → JobStarted? → (SampleDone* | MapDone* | StepsTimed?) → JobEnded)*     Alive after two seconds without another event
//! ```
//!
//! `Ready` comes first and once. A job ends exactly once, also when it is cancelled, fails, or the engine is told to
//! shut down; only the death of the process can take the ending away.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::perturbation_curve::PerturbationCurves;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_domain::training::training_config::TrainingConfig;

/// Changes whenever a command, an event or the framing does.
pub const PROTOCOL_VERSION: u32 = 4;
/// The program's and the engine's version: they are built together.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How long the engine is silent before it says that it lives.
pub const HEARTBEAT: std::time::Duration = std::time::Duration::from_secs(2);

/// No frame is longer; what claims to be is no frame. A hundred thousand paths need some 10 MB.
const MAX_FRAME: u32 = 256 << 20;

/// A number that the program gives to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// What the program asks.
#[expect(clippy::large_enum_variant, reason = "few commands are ever in memory")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineCommand {
    /// Do some work; jobs are done one after another.
    Run {
        /// The job's number.
        job: JobId,
        /// The work.
        work: Work,
    },
    /// Stop a job at the next batch, or before it begins.
    Cancel {
        /// The job's number.
        job: JobId,
    },
    /// Stop the running job at the next batch, and end.
    Shutdown,
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Predict images with one model.
    Predict(PredictWork),
    /// Time a few steps of a training on random images.
    Benchmark(BenchmarkWork),
    /// Compute where a model looks in images.
    Explain(ExplainWork),
}

/// Predict images with one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictWork {
    /// The model file.
    pub model: WirePath,
    /// The images, in the order of the answers.
    pub samples: Vec<WirePath>,
    /// What is white in images of 16 bits.
    pub grey_range: GreyRange,
    /// Images computed at once; `None` leaves it to the engine.
    pub batch_size: Option<usize>,
    /// Where.
    pub device: DeviceChoice,
    /// In what precision.
    pub precision: Precision,
    /// CPU threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// What the network answers to an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedSample {
    /// Logits of the classes A to D.
    pub logits: [f32; DensityClass::COUNT],
    /// What was found in the image.
    pub findings: ImageFindings,
}

/// Compute where one model looks in images: a map each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainWork {
    /// The model file. It stays loaded for the next job on it.
    pub model: WirePath,
    /// The images, in the order of the answers.
    pub samples: Vec<WirePath>,
    /// What is white in images of 16 bits.
    pub grey_range: GreyRange,
    /// How.
    pub method: ExplanationMethod,
    /// Of which layer, where the method is one of layers.
    pub layer: ExplainedLayer,
    /// For which class.
    pub class: ExplainedClass,
    /// As keras-vis 0.5 does it: input by route 2, and for Grad-CAM gradients divided by their largest value. The ReLU,
    /// the zoom and the scaling to 0–1 are the program's.
    pub parity: bool,
    /// Whether insertion and deletion curves are measured of each map, some forty passes an image.
    pub curves: bool,
    /// How many parts of [`CASCADE`](mammoscope_domain::explanation::weight_cascade::CASCADE) have random weights; 0 is the model itself.
    pub randomised_stages: usize,
    /// What the random weights are drawn from and, mixed with each image's name
    /// ([`image_seed`](mammoscope_domain::image::image_seed::image_seed)), the noise of [`ExplanationMethod::SmoothGrad`] and the
    /// random map.
    pub seed: u64,
    /// Images computed at once; `None` leaves it to the engine.
    pub batch_size: Option<usize>,
    /// Where.
    pub device: DeviceChoice,
    /// In what precision.
    pub precision: Precision,
    /// CPU threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// The class that a map speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainedClass {
    /// The one with the largest logit, of each image.
    Predicted,
    /// The same for all.
    Class(DensityClass),
    /// One for each of [`ExplainWork::samples`], such as its label; one without any gets an error in place of a map.
    PerSample(Vec<Option<DensityClass>>),
}

/// What the network answers to an image, and where it looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedSample {
    /// Logits of the classes A to D; those of the random weights where there are such.
    pub logits: [f32; DensityClass::COUNT],
    /// What was found in the image, where it was read from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
    /// The class that the map speaks for.
    pub class: DensityClass,
    /// The map, signed, before ReLU, in the resolution of the layer.
    pub map: ExplanationMap,
    /// Whether every gradient was negative, with [`ExplainWork::parity`]. keras-vis divides by the largest gradient and
    /// so turns such a map around; here it keeps its sign.
    pub all_gradients_negative: bool,
    /// Its curves, where they were asked for and the map says something. The order is that of the map enlarged by
    /// bilinear interpolation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<PerturbationCurves>,
}

/// Time three steps of a training on random images, after one that builds everything up, and a pass without gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkWork {
    /// What the steps are of: size and width of the network, batch, precision, augmentation, threads.
    pub config: TrainingConfig,
    /// Where.
    pub device: DeviceChoice,
}

/// What the engine answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineEvent {
    /// The engine is up.
    Ready {
        /// [`PROTOCOL_VERSION`] of the engine.
        protocol: u32,
        /// [`VERSION`] of the engine.
        version: String,
    },
    /// The engine lives; it may be busy.
    Alive {
        /// Grows with every image decoded and every batch computed; one that stands still is stuck, or at a large batch.
        progress: u64,
    },
    /// The model is loaded.
    JobStarted {
        /// The job's number.
        job: JobId,
        /// The device in use, in words.
        device: String,
        /// The precision in use.
        precision: Precision,
        /// Images computed at once.
        batch_size: usize,
    },
    /// An image is done, for better or worse.
    SampleDone {
        /// The job's number.
        job: JobId,
        /// Its position in [`PredictWork::samples`].
        index: usize,
        /// Logits and what was found in the image, or why there are none.
        result: Result<PredictedSample, String>,
    },
    /// An image is explained, for better or worse.
    MapDone {
        /// The job's number.
        job: JobId,
        /// Its position in [`ExplainWork::samples`].
        index: usize,
        /// The map with its logits, or why there is none. A map that says nothing is an answer:
        /// [`ExplanationMap::status`] tells.
        result: Result<ExplainedSample, String>,
    },
    /// The steps of a [`BenchmarkWork`] are timed.
    StepsTimed {
        /// The job's number.
        job: JobId,
        /// What came of it.
        timing: StepTiming,
    },
    /// The job is over.
    JobEnded {
        /// The job's number.
        job: JobId,
        /// How it ended.
        outcome: JobOutcome,
    },
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// All was done.
    Completed,
    /// It was told to stop.
    Stopped {
        /// By what.
        reason: String,
    },
    /// It could not go on.
    Failed {
        /// What happened, and what to do about it.
        error: String,
    },
}

/// A path that survives JSON also when it is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WirePath {
    /// A path that is text.
    Text(String),
    /// The bytes of one that is not.
    Bytes(Vec<u8>),
}

impl From<&Path> for WirePath {
    fn from(path: &Path) -> Self {
        path.to_str().map_or_else(
            || Self::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
            |text| Self::Text(text.to_owned()),
        )
    }
}

impl From<WirePath> for PathBuf {
    fn from(path: WirePath) -> Self {
        match path {
            WirePath::Text(text) => text.into(),
            #[cfg(unix)]
            WirePath::Bytes(bytes) => {
                use std::os::unix::ffi::OsStringExt as _;
                OsString::from_vec(bytes).into()
            }
            #[cfg(not(unix))]
            WirePath::Bytes(bytes) => OsString::from(String::from_utf8_lossy(&bytes).into_owned()).into(),
        }
    }
}

/// Whether an engine that introduces itself so was built with this program.
#[must_use]
pub fn is_same_build(protocol: u32, version: &str) -> bool {
    protocol == PROTOCOL_VERSION && version == VERSION
}

/// The bytes of one frame.
pub fn encode_frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let bytes = frame.len() - 4;
    let length = u32::try_from(bytes).ok().filter(|length| *length <= MAX_FRAME).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{bytes} bytes are more than {MAX_FRAME}"))
    })?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Writes one frame and flushes it.
pub fn write_frame(writer: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    writer.write_all(&encode_frame(message)?)?;
    writer.flush()
}

/// Reads one frame; `None` at a proper end, between frames.
pub fn read_frame<M: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<M>> {
    let mut length = [0; 4];
    let read = loop {
        match reader.read(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if read == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut length[read..])?;
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame of the engine protocol"));
    }
    // Grows as bytes arrive, so that a false length cannot ask for memory.
    let mut json = Vec::new();
    reader.take(u64::from(length)).read_to_end(&mut json)?;
    if json.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&json)?))
}

#[cfg(test)]
mod tests;
