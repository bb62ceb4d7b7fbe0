//! The predictions of a run's best model for one of its splits.

use std::path::PathBuf;

use super::engine_process::EngineProcess;
use super::image_job::ImageJobError;
use super::prediction::{PredictionEvent, predict};
use super::protocol::{JobId, PredictWork, WirePath};
use crate::domain::compute_options::{DeviceChoice, Precision};
use crate::domain::dataset_manifest::{DatasetManifest, ManifestSample};
use crate::domain::prediction::PredictionRow;
use crate::domain::probabilities::Probabilities;
use crate::domain::split::Split;

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

    /// Predicts them all. `tell` hears of every event; `interrupted` is asked between events.
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
        let work = PredictWork {
            model: WirePath::from(self.model.as_path()),
            samples: samples.iter().map(|sample| WirePath::from(path(sample).as_path())).collect(),
            batch_size: None,
            device: self.device,
            precision: self.precision,
            threads: self.threads,
        };
        let mut predictions = SplitPredictions::default();
        predict(engine, job, work, interrupted, &mut |event| {
            tell(&event);
            let PredictionEvent::Image { index, result } = event else { return Ok(()) };
            let sample = samples
                .get(index)
                .ok_or_else(|| anyhow::anyhow!("the engine answered for an image that it was not given"))?;
            let probabilities = result.and_then(|logits| {
                Probabilities::from_logits(logits).ok_or_else(|| "the network's answer is not finite".to_owned())
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
