//! The prediction job. Images are decoded ahead on other threads while the network computes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::thread;

use anyhow::Context as _;
use mammoscope_domain::image::image_seed::image_seed;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_protocol::command::{AugmentedCopy, PredictWork};
use mammoscope_engine_protocol::event::{EngineEvent, JobOutcome, PredictedSample};
use mammoscope_imaging::network_input::NetworkInput;
use mammoscope_storage::models::model_file::Model;
use rayon::ThreadPoolBuilder;

use super::image_source::{DecodedImage, ImageSource, batch_channel};
use super::job::JobContext;
use crate::learning::augmentation::{AffineParameters, Augmentation};
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::inference::{self, Predictor};

/// Predicts all images in their order and sends a result for each.
pub fn predict(work: PredictWork, job: &JobContext<'_>) -> anyhow::Result<JobOutcome> {
    let path = PathBuf::from(work.model);
    let model = Model::read(&path).with_context(|| format!("model {}", printable_path(&path)))?;
    let device = select_device(work.device, job.cuda)?;
    let (precision, kind) = select_precision(work.precision, device)?;
    let threads = work.threads.unwrap_or(job.default_threads);
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let decoders = ThreadPoolBuilder::new().num_threads(threads).build().context("start decoding threads")?;
    let predictor = Predictor::new(&model, device, kind)?;
    let batch_size = work.batch_size.unwrap_or_else(|| inference::batch_size(device, model.metadata.size)).max(1);
    let device_in_words = device_name(device);
    let started = EngineEvent::JobStarted { job: job.id, device: device_in_words, precision, batch_size, threads };
    job.events.send(started)?;

    let samples: Vec<PathBuf> = work.samples.into_iter().map(PathBuf::from).collect();
    let source = ImageSource {
        samples: &samples,
        size: model.metadata.size,
        route: model.metadata.input_route,
        grey_range: work.grey_range,
        decoders: &decoders,
        progress: job.progress,
    };
    thread::scope(|scope| {
        let (sender, batches) = batch_channel(batch_size);
        scope.spawn(move || source.decode_batches(batch_size, &sender));
        let job_batches = PredictedBatches {
            predictor: &predictor,
            batch_size,
            size: model.metadata.size,
            samples: &samples,
            augmented: work.augmented,
        };
        job_batches.predict(&batches, job)
    })
}

/// The batches of a job.
struct PredictedBatches<'a> {
    predictor: &'a Predictor,
    batch_size: usize,
    /// Height and width of the network's input in pixels.
    size: usize,
    samples: &'a [PathBuf],
    augmented: Option<AugmentedCopy>,
}

impl PredictedBatches<'_> {
    fn predict(&self, batches: &Receiver<Vec<DecodedImage>>, job: &JobContext<'_>) -> anyhow::Result<JobOutcome> {
        let mut index = 0;
        for batch in batches {
            if job.control.is_stopped() {
                return Ok(JobOutcome::Stopped { reason: format!("on request, after {index} images") });
            }
            for result in self.predict_batch(index, batch)? {
                job.events.send(EngineEvent::SampleDone { job: job.id, index, result })?;
                index += 1;
            }
            job.progress.step();
        }
        Ok(JobOutcome::Completed)
    }

    /// Predicts the readable images of a batch together; an unreadable image keeps its error. Errors are text from here
    /// on, as the client gets them. `first` is the place of the batch's first image in the job.
    fn predict_batch(
        &self,
        first: usize,
        batch: Vec<DecodedImage>,
    ) -> anyhow::Result<Vec<Result<PredictedSample, String>>> {
        let places = batch.iter().enumerate().filter(|(_, image)| image.is_ok());
        let mut parameters: Vec<AffineParameters> = self
            .augmented
            .iter()
            .flat_map(|copy| places.clone().map(|(place, _)| self.drawn(copy, &self.samples[first + place])))
            .collect();
        let mut readable: Vec<&NetworkInput> = batch.iter().filter_map(|image| Some(&image.as_ref().ok()?.0)).collect();
        inference::fill_batch(&mut readable, self.batch_size);
        let logits = match parameters.last().copied() {
            Some(last) => {
                parameters.resize(readable.len(), last);
                self.predictor.logits_of_copies(&readable, &parameters)?
            }
            None => self.predictor.logits(&readable)?,
        };
        let mut logits = logits.into_iter();
        Ok(batch
            .into_iter()
            .map(|image| {
                let (_, findings) = image.map_err(|error| error.to_string())?;
                let logits = logits.next().expect("one set of logits per readable image");
                if logits.iter().all(|logit| logit.is_finite()) {
                    Ok(PredictedSample { logits, findings })
                } else {
                    Err(NonfiniteOutput.to_string())
                }
            })
            .collect())
    }

    /// The transform of an image in a copy.
    fn drawn(&self, copy: &AugmentedCopy, sample: &Path) -> AffineParameters {
        let AugmentedCopy { copy, seed, rotation, shift, zoom } = *copy;
        let seed = image_seed(seed, sample);
        Augmentation { seed, size: self.size, rotation, shift, zoom }.draw(copy, 0)
    }
}
