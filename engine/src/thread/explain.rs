//! The explanation job. Images are decoded ahead on other threads while the network computes maps.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::thread;

use anyhow::{Context as _, ensure};
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::weight_cascade::CASCADE;
use mammoscope_domain::image::image_seed::image_seed;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_engine_protocol::command::{ExplainWork, ExplainedClass};
use mammoscope_engine_protocol::event::{EngineEvent, ExplainedSample, JobOutcome};
use mammoscope_imaging::image_error::ImageError;
use rayon::ThreadPoolBuilder;
use tch::Device;

use super::explainer_cache::{ExplainerCache, ModelKey};
use super::image_source::{DecodedImage, ImageSource, batch_channel};
use super::job::JobContext;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::explanation::explainer::{Explainer, ExplanationInput, GradientSource, MapRequest};
use crate::learning::inference;
use mammoscope_domain::cancellation::{Cancellation, Completion};

/// Batch size on a CPU if a backward pass has to keep the intermediate layers: memory matters there, and larger batches
/// gain little.
const BACKWARD_BATCH: usize = 2;

/// The reason why a sample has no map.
#[derive(Debug, thiserror::Error)]
enum SampleError {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("it has no label whose class could be explained")]
    NoLabel,
    #[error(transparent)]
    Output(#[from] NonfiniteOutput),
}

/// Explains all images in their order and sends a map for each.
pub(super) fn explain(
    work: ExplainWork,
    job: &JobContext<'_>,
    explainers: &mut ExplainerCache,
) -> anyhow::Result<JobOutcome> {
    ensure!(
        work.randomised_stages <= CASCADE.len(),
        "cannot randomise {} parts of the network: it has {}",
        work.randomised_stages,
        CASCADE.len()
    );
    if let ExplainedClass::PerSample(classes) = &work.class {
        let (classes, images) = (classes.len(), work.samples.len());
        ensure!(classes == images, "{classes} classes for {images} images");
    }
    let device = select_device(work.device, job.cuda)?;
    let (precision, kind) = select_precision(work.precision, device)?;
    let threads = work.threads.unwrap_or(job.default_threads);
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let decoders = ThreadPoolBuilder::new().num_threads(threads).build().context("start decoding threads")?;
    let randomised = (work.randomised_stages > 0).then_some((work.randomised_stages, work.seed));
    let model = explainers.load(ModelKey { path: PathBuf::from(work.model), device, kind, randomised })?;
    let request = MapRequest {
        method: work.method,
        layer: work.layer,
        keras_vis: work.parity,
        curves: work.curves,
        gradient: GradientSource::ClosedForm,
    };
    let batch_size = work.batch_size.unwrap_or_else(|| default_batch(device, model.size, request)).max(1);
    let device_in_words = device_name(device);
    let started = EngineEvent::JobStarted { job: job.id, device: device_in_words, precision, batch_size, threads };
    job.events.send(started)?;

    let samples: Vec<PathBuf> = work.samples.into_iter().map(PathBuf::from).collect();
    let source = ImageSource {
        samples: &samples,
        size: model.size,
        route: if work.parity { InputRoute::GradCamNotebook } else { model.route },
        grey_range: work.grey_range,
        decoders: &decoders,
        progress: job.progress,
    };
    let seeds: Vec<u64> = samples.iter().map(|sample| image_seed(work.seed, sample)).collect();
    let maps = JobMaps { explainer: &model.explainer, batch_size, request, class: &work.class, seeds: &seeds, job };
    thread::scope(|scope| {
        let (sender, batches) = batch_channel(batch_size);
        scope.spawn(move || source.decode_batches(batch_size, &sender));
        maps.explain_batches(&batches)
    })
}

/// The batch size of a job that does not set one.
fn default_batch(device: Device, size: usize, request: MapRequest) -> usize {
    let default = inference::batch_size(device, size);
    match request.method {
        // Image by image: a quick result is worth more than a full batch.
        ExplanationMethod::SmoothGrad | ExplanationMethod::Occlusion => 1,
        ExplanationMethod::EigenCam | ExplanationMethod::Random => default,
        _ if request.layer.is_last() => default,
        _ if device == Device::Cpu => BACKWARD_BATCH.min(default),
        _ => default / 2,
    }
}

/// The parameters of one job.
struct JobMaps<'a> {
    explainer: &'a Explainer,
    batch_size: usize,
    request: MapRequest,
    class: &'a ExplainedClass,
    seeds: &'a [u64],
    job: &'a JobContext<'a>,
}

impl JobMaps<'_> {
    fn explain_batches(&self, batches: &Receiver<Vec<DecodedImage>>) -> anyhow::Result<JobOutcome> {
        let job = self.job;
        let mut index = 0;
        for batch in batches {
            let batch =
                if job.control.is_stopped() { Completion::Cancelled } else { self.explain_batch(index, batch)? };
            let Completion::Done(samples) = batch else {
                return Ok(JobOutcome::Stopped { reason: format!("on request, after {index} images") });
            };
            for sample in samples {
                let result = sample.map_err(|error| error.to_string());
                job.events.send(EngineEvent::MapDone { job: job.id, index, result })?;
                index += 1;
            }
            job.progress.step();
        }
        Ok(JobOutcome::Completed)
    }

    /// Explains the readable images of a batch together, whose first image has the index `first`; the others keep their
    /// errors. Cancelled if the job is stopped in the meantime.
    fn explain_batch(
        &self,
        first: usize,
        batch: Vec<DecodedImage>,
    ) -> anyhow::Result<Completion<Vec<Result<ExplainedSample, SampleError>>>> {
        let batch: Vec<(usize, DecodedImage)> = (first..).zip(batch).collect();
        let classes: Vec<Result<Option<DensityClass>, SampleError>> =
            batch.iter().map(|&(index, _)| self.class_of(index)).collect();
        let mut inputs: Vec<ExplanationInput<'_>> = batch
            .iter()
            .zip(&classes)
            .filter_map(|((index, image), class)| {
                let (input, class) = (&image.as_ref().ok()?.0, *class.as_ref().ok()?);
                Some(ExplanationInput { seed: self.seeds[*index], input, class })
            })
            .collect();
        inference::fill_batch(&mut inputs, self.batch_size);
        let is_cancelled = || {
            self.job.progress.step();
            self.job.control.is_stopped()
        };
        let cancellation = Cancellation::new(&is_cancelled);
        let Completion::Done(maps) = self.explainer.explain(&inputs, self.request, cancellation)? else {
            return Ok(Completion::Cancelled);
        };
        let mut maps = maps.into_iter();
        let samples = batch.into_iter().zip(classes).map(|((_, image), class)| {
            let (_, findings) = image?;
            class?;
            let sample = maps.next().expect("one map per input")?;
            Ok(ExplainedSample { findings: Some(findings), ..sample })
        });
        Ok(Completion::Done(samples.collect()))
    }

    /// The class to explain; `None` for the predicted one.
    fn class_of(&self, index: usize) -> Result<Option<DensityClass>, SampleError> {
        match self.class {
            ExplainedClass::Predicted => Ok(None),
            ExplainedClass::Class(class) => Ok(Some(*class)),
            ExplainedClass::PerSample(classes) => classes[index].map(Some).ok_or(SampleError::NoLabel),
        }
    }
}
