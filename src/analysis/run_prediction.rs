//! The predictions of a run's best model for one of its splits.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample, PixelFacts};
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::ImageJobError;
use mammoscope_engine_client::prediction::{PredictionEvent, predict};
use mammoscope_engine_protocol::protocol::{JobId, PredictWork, WirePath};
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;

/// Images whose pixels are checked between two looks for an interruption.
const CHECKED_AT_ONCE: usize = 32;

/// What is to be predicted, and how.
#[derive(Clone, Debug)]
pub struct SplitWork<'a> {
    /// The run's images.
    pub manifest: &'a DatasetManifest,
    /// Those of them that are predicted: the usable ones.
    pub split: Split,
    /// The model file.
    pub model: PathBuf,
    /// Where.
    pub device: DeviceChoice,
    /// In what precision.
    pub precision: Precision,
    /// CPU threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitPredictions {
    /// In the order of the manifest; files are named as it names them.
    pub rows: Vec<PredictionRow>,
    /// The images that could not be predicted, each with the reason.
    pub failures: Vec<(PathBuf, String)>,
}

impl SplitWork<'_> {
    /// How many images there are.
    #[must_use]
    pub fn images(&self) -> usize {
        self.manifest.of_split(self.split).count()
    }

    /// Predicts all that have still the pixels that the run began with; the others are among the failures. `tell` hears of every event; `interrupted` is asked between events.
    pub fn run(
        self,
        engine: &mut EngineProcess,
        job: JobId,
        interrupted: &dyn Fn() -> bool,
        tell: &mut dyn FnMut(&PredictionEvent),
    ) -> Result<SplitPredictions, ImageJobError> {
        let samples: Vec<&ManifestSample> = self.manifest.of_split(self.split).map(|(_, sample)| sample).collect();
        if samples.is_empty() {
            return Ok(SplitPredictions::default());
        }
        let path = |sample: &ManifestSample| self.manifest.root.join(&sample.file);
        let mut predictions = SplitPredictions::default();
        let mut same = Vec::with_capacity(samples.len());
        for part in samples.chunks(CHECKED_AT_ONCE) {
            if interrupted() {
                return Err(ImageJobError::Interrupted);
            }
            let changes: Vec<Option<String>> = part
                .par_iter()
                .map(|sample| what_changed(sample.pixels.as_ref(), &path(sample), self.manifest.grey_range))
                .collect();
            for (&sample, change) in part.iter().zip(changes) {
                match change {
                    None => same.push(sample),
                    Some(reason) => predictions.failures.push((path(sample), reason)),
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
        };
        predict(engine, job, work, interrupted, &mut |event| {
            tell(&event);
            let PredictionEvent::Image { index, result } = event else { return Ok(()) };
            let sample = samples
                .get(index)
                .ok_or_else(|| anyhow::anyhow!("the engine answered for an image that it was not given"))?;
            let probabilities = result.and_then(|answer| {
                Probabilities::from_logits(answer.logits).ok_or_else(|| "the network's answer is not finite".to_owned())
            });
            match probabilities {
                Ok(probabilities) => predictions.rows.push(self.manifest.prediction_row(sample, probabilities)),
                Err(reason) => predictions.failures.push((path(sample), reason)),
            }
            Ok(())
        })?;
        Ok(predictions)
    }
}

/// Why an image is not the one that the manifest knows; `None` where it is, or where the manifest does not know its
/// pixels.
fn what_changed(known: Option<&PixelFacts>, path: &Path, grey_range: GreyRange) -> Option<String> {
    let known = known?;
    match decode_file(path).and_then(|image| image.into_levels(grey_range)).map(|levels| pixel_sha256(&levels.raster)) {
        Ok(checksum) if checksum == known.sha256 => None,
        Ok(_) => Some("its pixels have changed since the run began".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
