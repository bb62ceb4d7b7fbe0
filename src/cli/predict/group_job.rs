//! The prediction of one view's images.

use anyhow::Context as _;

use super::PredictArguments;
use super::passes::Pass;
use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::{Console, Interrupted};
use crate::cli::prediction_progress::PredictionProgress;
use crate::cli::sharding::conditions_of_job;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::{ImageJobError, PredictionEvent, run_image_job};
use mammoscope_engine_protocol::command::{JobId, PredictWork};
use mammoscope_engine_protocol::event::PredictedSample;
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_storage::shards::prediction_shard::{PredictedImage, PredictedView, PredictionOutcome};

/// The images of one view, to be predicted by one job of the engine.
pub(super) struct GroupJob<'a> {
    pub(super) arguments: &'a PredictArguments,
    pub(super) console: &'a Console,
    pub(super) group: &'a ImagesOfView<'a>,
    pub(super) pass: &'a Pass<'a>,
    pub(super) id: JobId,
}

/// What a job has found besides its predictions.
#[derive(Default)]
pub(super) struct JobFindings {
    /// Of each image that could be read.
    pub(super) images: Vec<ImageFindings>,
    /// What the record of a shard says of the computation.
    pub(super) conditions: Vec<(String, String)>,
}

/// The record of a view before its images are predicted.
pub(super) fn record_of(group: &ImagesOfView<'_>) -> PredictedView {
    PredictedView {
        view: group.view,
        model: group.model.path.to_string_lossy().into_owned(),
        training: TrainingImages::of_provenance(&group.model.metadata.provenance),
        all: group.all,
        images: Vec::new(),
    }
}

impl GroupJob<'_> {
    /// Predicts the images; `on_image` gets each with its outcome, and returns the problem of one that failed.
    pub(super) fn run(
        &self,
        engine: &mut EngineProcess,
        cancellation: Cancellation<'_>,
        on_image: &mut dyn FnMut(PredictedImage) -> anyhow::Result<Option<String>>,
    ) -> anyhow::Result<JobFindings> {
        let progress = PredictionProgress::new(self.console, &self.pass.name, self.group.samples.len());
        let mut findings = JobFindings::default();
        let result = run_image_job(engine, self.id, self.work(), cancellation, &mut |event| {
            progress.on_message(&event);
            match event {
                PredictionEvent::Started { device, precision, batch_size, threads } => {
                    findings.conditions = conditions_of_job(&device, &precision.to_string(), batch_size, threads);
                }
                PredictionEvent::Image { index, result } => {
                    let image = self.outcome(index, result)?;
                    findings.images.extend(image.findings.clone());
                    if let Some(problem) = on_image(image)? {
                        progress.warn(&problem);
                    }
                }
                PredictionEvent::Stalled { .. } => {}
            }
            Ok(())
        });
        progress.finish();
        match result {
            Ok(()) => Ok(findings),
            Err(ImageJobError::Interrupted) => Err(Interrupted.into()),
            Err(ImageJobError::Consumer(error)) => Err(error),
            Err(error) => Err(error).with_context(|| format!("predict {}", self.pass.name)),
        }
    }

    fn work(&self) -> PredictWork {
        PredictWork {
            model: WirePath::from(self.pass.model.path.as_path()),
            samples: self.group.samples.iter().map(|sample| WirePath::from(sample.path.as_path())).collect(),
            batch_size: self.arguments.batch_size.map(usize::from),
            device: self.arguments.device,
            precision: self.arguments.precision,
            threads: self.arguments.threads.map(usize::from),
            grey_range: self.arguments.data_options.grey.range(),
            augmented: self.pass.augmented,
        }
    }

    /// The outcome for an image, from the engine's answer.
    fn outcome(&self, index: usize, result: Result<PredictedSample, String>) -> anyhow::Result<PredictedImage> {
        let sample = self.group.samples.get(index).context("the engine answered for an image that it was not given")?;
        let file = sample.path.to_string_lossy().into_owned();
        let (findings, logits) = match result {
            Ok(PredictedSample { logits, findings }) => (Some(findings), Ok(logits)),
            Err(reason) => (None, Err(reason)),
        };
        let probabilities =
            logits.and_then(|logits| Probabilities::from_logits(logits).map_err(|error| error.to_string()));
        let outcome = match probabilities {
            Ok(probabilities) => PredictionOutcome::Predicted(PredictionRow {
                file: file.clone(),
                subject: sample.subject.clone(),
                exam: sample.exam.clone(),
                view: sample.view,
                label: sample.label,
                predicted: probabilities.most_probable(),
                probabilities,
            }),
            Err(reason) => PredictionOutcome::Failed(reason),
        };
        Ok(PredictedImage { position: self.group.positions[index], file, findings, outcome })
    }
}
