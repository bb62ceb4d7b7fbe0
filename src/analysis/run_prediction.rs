//! The predictions of a run's best model for one of its splits.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample, PixelFacts};
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::{ImageJobError, PredictionEvent, run_image_job};
use mammoscope_engine_protocol::command::{JobId, PredictWork};
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;

/// Images whose pixels are verified between two polls for an interruption.
const CHECKED_AT_ONCE: usize = 32;

/// A request to predict one split of a run.
#[derive(Clone, Debug)]
pub struct SplitWork<'a> {
    pub manifest: &'a DatasetManifest,
    /// Its usable images are predicted.
    pub split: Split,
    pub model: PathBuf,
    pub device: DeviceChoice,
    pub precision: Precision,
    /// CPU threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// The predictions of a split, and its failures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitPredictions {
    /// In the order of the manifest, with its file names.
    pub rows: Vec<PredictionRow>,
    /// The images that could not be predicted, each with the reason.
    pub failures: Vec<FileProblem>,
}

impl SplitWork<'_> {
    /// The number of images to predict.
    #[must_use]
    pub fn images(&self) -> usize {
        self.manifest.of_split(self.split).count()
    }

    /// Predicts every image that still has the pixels the run began with; the others are reported as failures.
    /// `on_event` receives every event, and `cancellation` is polled between events.
    pub fn run(
        self,
        engine: &mut EngineProcess,
        job: JobId,
        cancellation: Cancellation<'_>,
        on_event: &mut dyn FnMut(&PredictionEvent),
    ) -> Result<SplitPredictions, ImageJobError> {
        let samples: Vec<&ManifestSample> = self.manifest.of_split(self.split).map(|(_, sample)| sample).collect();
        if samples.is_empty() {
            return Ok(SplitPredictions::default());
        }
        let path = |sample: &ManifestSample| self.manifest.root.join(&sample.file);
        let mut predictions = SplitPredictions::default();
        let mut same = Vec::with_capacity(samples.len());
        for part in samples.chunks(CHECKED_AT_ONCE) {
            if cancellation.is_cancelled() {
                return Err(ImageJobError::Interrupted);
            }
            let changes: Vec<Option<String>> = part
                .par_iter()
                .map(|sample| pixel_mismatch(sample.pixels.as_ref(), &path(sample), self.manifest.grey_range))
                .collect();
            for (&sample, change) in part.iter().zip(changes) {
                match change {
                    None => same.push(sample),
                    Some(reason) => predictions.failures.push(FileProblem { file: path(sample), reason }),
                }
            }
        }
        let samples = same;
        if samples.is_empty() {
            return Ok(predictions);
        }
        let work = PredictWork {
            model: WirePath::from(self.model.as_path()),
            samples: samples.iter().map(|sample| WirePath::from(path(sample).as_path())).collect(),
            batch_size: None,
            device: self.device,
            precision: self.precision,
            threads: self.threads,
            grey_range: self.manifest.grey_range,
            augmented: None,
        };
        run_image_job(engine, job, work, cancellation, &mut |event| {
            on_event(&event);
            let PredictionEvent::Image { index, result } = event else { return Ok(()) };
            let sample = samples
                .get(index)
                .ok_or_else(|| anyhow::anyhow!("the engine answered for an image that it was not given"))?;
            let probabilities =
                result.and_then(|answer| Probabilities::from_logits(answer.logits).map_err(|error| error.to_string()));
            match probabilities {
                Ok(probabilities) => predictions.rows.push(self.manifest.prediction_row(sample, probabilities)),
                Err(reason) => predictions.failures.push(FileProblem { file: path(sample), reason }),
            }
            Ok(())
        })?;
        Ok(predictions)
    }
}

/// The reason why an image is not the one in the manifest; `None` if it is, or if the manifest has no checksum of it.
fn pixel_mismatch(known: Option<&PixelFacts>, path: &Path, grey_range: GreyRange) -> Option<String> {
    let known = known?;
    match decode_file(path).and_then(|image| image.into_levels(grey_range)).map(|levels| pixel_sha256(&levels.raster)) {
        Ok(checksum) if checksum == known.sha256 => None,
        Ok(_) => Some("its pixels have changed since the run began".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
