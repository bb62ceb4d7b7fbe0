//! The explanation job: images are decoded ahead on other threads while the network computes maps.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context as _, ensure};
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::weight_cascade::CASCADE;
use mammoscope_domain::image::image_seed::image_seed;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_engine_protocol::protocol::{EngineEvent, ExplainWork, ExplainedClass, ExplainedSample, JobOutcome};
use rayon::ThreadPoolBuilder;
use tch::Device;

use super::explainer_cache::{ExplainerCache, WantedModel};
use super::image_source::{DecodedImage, ImageSource};
use super::job::JobContext;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::explanation::explainer::{Cancellation, ExplainedImage, Explainer, GradientSource, MapRequest};
use crate::learning::inference;

/// Images at once on a CPU where a backward pass must keep the layers between: memory counts there, and batches gain
/// little.
const BACKWARD_BATCH: usize = 2;

/// Explains all images in their order and sends a map for each.
pub(super) fn explain(
    work: ExplainWork,
    job: &JobContext<'_>,
    kept: &mut ExplainerCache,
) -> anyhow::Result<JobOutcome> {
    ensure!(
        work.randomised_stages <= CASCADE.len(),
        "{} parts of the network cannot be random: it has {}",
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
    let model = kept.load(WantedModel { path: PathBuf::from(work.model), device, kind, randomised })?;
    let request = MapRequest {
        method: work.method,
        layer: work.layer,
        keras_vis: work.parity,
        curves: work.curves,
        gradient: GradientSource::ClosedForm,
    };
    let batch_size = work.batch_size.unwrap_or_else(|| default_batch(device, request)).max(1);
    job.events.send(EngineEvent::JobStarted { job: job.id, device: device_name(device), precision, batch_size })?;

    let samples: Vec<PathBuf> = work.samples.into_iter().map(PathBuf::from).collect();
    let source = ImageSource {
        samples: &samples,
        size: model.size,
        route: if work.parity { InputRoute::Two } else { model.route },
        grey_range: work.grey_range,
        decoders: &decoders,
        progress: job.progress,
    };
    let seeds: Vec<u64> = samples.iter().map(|sample| image_seed(work.seed, sample)).collect();
    let maps = MapsOfJob { explainer: &model.explainer, request, class: &work.class, seeds: &seeds, job };
    thread::scope(|scope| {
        // One batch in work, one ready, one being decoded: memory does not grow with the number of images.
        let (sender, batches) = sync_channel(1);
        scope.spawn(move || source.decode_batches(batch_size, &sender));
        maps.answer_batches(&batches)
    })
}

/// Images at once where nobody says otherwise.
fn default_batch(device: Device, request: MapRequest) -> usize {
    let usual = inference::batch_size(device);
    match request.method {
        // Image by image: an answer is worth more than a full batch.
        ExplanationMethod::SmoothGrad | ExplanationMethod::Occlusion => 1,
        ExplanationMethod::EigenCam | ExplanationMethod::Random => usual,
        _ if request.layer.is_last() => usual,
        _ if device == Device::Cpu => BACKWARD_BATCH,
        _ => usual / 2,
    }
}

struct MapsOfJob<'a> {
    explainer: &'a Explainer,
    request: MapRequest,
    class: &'a ExplainedClass,
    seeds: &'a [u64],
    job: &'a JobContext<'a>,
}

impl MapsOfJob<'_> {
    fn answer_batches(&self, batches: &Receiver<Vec<DecodedImage>>) -> anyhow::Result<JobOutcome> {
        let job = self.job;
        let mut index = 0;
        for batch in batches {
            let answers = if job.control.is_stopped() { None } else { self.answer(index, batch)? };
            let Some(answers) = answers else {
                return Ok(JobOutcome::Stopped { reason: format!("as asked, after {index} images") });
            };
            for result in answers {
                job.events.send(EngineEvent::MapDone { job: job.id, index, result })?;
                index += 1;
            }
            job.progress.step();
        }
        Ok(JobOutcome::Completed)
    }

    /// Answers for a batch whose first image has the number `first`: images that could not be read keep their reason,
    /// the others go through the network together. `None` when the job was stopped meanwhile.
    fn answer(
        &self,
        first: usize,
        batch: Vec<DecodedImage>,
    ) -> anyhow::Result<Option<Vec<Result<ExplainedSample, String>>>> {
        let batch: Vec<(usize, DecodedImage)> = (first..).zip(batch).collect();
        let classes: Vec<Result<Option<DensityClass>, String>> =
            batch.iter().map(|&(number, _)| self.class_of(number)).collect();
        let explained: Vec<ExplainedImage<'_>> = batch
            .iter()
            .zip(&classes)
            .filter_map(|((number, image), class)| {
                let (input, class) = (&image.as_ref().ok()?.0, *class.as_ref().ok()?);
                Some(ExplainedImage { seed: self.seeds[*number], input, class })
            })
            .collect();
        let going = || {
            self.job.progress.step();
            !self.job.control.is_stopped()
        };
        let Some(maps) = self.explainer.explain(&explained, self.request, &Cancellation(&going))? else {
            return Ok(None);
        };
        let mut maps = maps.into_iter();
        let answers = batch.into_iter().zip(classes).map(|((_, image), class)| {
            let (_, findings) = image?;
            class?;
            let map = maps.next().expect("as many maps as images that were given");
            map.map(|sample| ExplainedSample { findings: Some(findings), ..sample })
        });
        Ok(Some(answers.collect()))
    }

    /// The class to explain; `None` stands for the predicted one.
    fn class_of(&self, number: usize) -> Result<Option<DensityClass>, String> {
        match self.class {
            ExplainedClass::Predicted => Ok(None),
            ExplainedClass::Class(class) => Ok(Some(*class)),
            ExplainedClass::PerSample(classes) => {
                classes[number].map(Some).ok_or_else(|| "it has no label whose class could be explained".to_owned())
            }
        }
    }
}
