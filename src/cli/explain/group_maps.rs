//! The maps of one view's images, computed by the engine, each enlarged to its picture and scored as it arrives.

use std::sync::Arc;

use anyhow::Context as _;
use rayon::prelude::*;

use super::explained::{Done, Explained};
use super::{ExplainArguments, WantedClass};
use crate::analysis::explained_image::{ExaminedPicture, ExplainedImage, MapZoom};
use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::{Console, Interrupted};
use crate::cli::prediction_progress::PredictionProgress;
use crate::cli::sharding::conditions_of_job;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::coarse_map::CoarseMap;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::image::image_seed::{image_seed, view_seed};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::NonfiniteOutput;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::{ExplanationEvent, ImageJobError, run_image_job};
use mammoscope_engine_protocol::command::{ExplainWork, ExplainedClass, JobId};
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_storage::tables::score_table::ScoreRow;

/// The number of maps that are scored and written in parallel.
const SCORED_AT_ONCE: usize = 8;
/// The number of images of a view that go through the cascade and are computed twice; more would add little.
const CASCADE_IMAGES: usize = 24;

/// Numbers the engine's jobs.
#[derive(Debug, Default)]
pub(super) struct Job(u64);

impl Job {
    /// True before the first job.
    pub(super) fn is_new(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn next(&mut self) -> JobId {
        self.0 += 1;
        JobId(self.0)
    }
}

/// One way of computing maps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variation {
    pub(super) method: ExplanationMethod,
    pub(super) layer: ExplainedLayer,
    pub(super) randomised_stages: usize,
    pub(super) curves: bool,
}

/// The consumer of explained images and their pictures.
pub(super) type TakeImage<'a> = &'a mut dyn FnMut(&mut Explained, &ExplainedImage) -> anyhow::Result<()>;

/// The images of one view, with their model.
pub(super) struct GroupMaps<'a> {
    pub(super) arguments: &'a ExplainArguments,
    pub(super) console: &'a Console,
    pub(super) group: &'a ImagesOfView<'a>,
}

impl GroupMaps<'_> {
    /// Computes the maps of all images and passes each to `take`, in their order.
    pub(super) fn compute(
        &self,
        engine: &mut EngineProcess,
        job: &mut Job,
        cancellation: Cancellation<'_>,
        take: TakeImage<'_>,
    ) -> anyhow::Result<Done> {
        let samples = &self.group.samples;
        if let Some(fault) = &self.group.model.fault {
            return Ok(self.none_explained(fault));
        }
        let progress = PredictionProgress::new(self.console, self.group.name(), samples.len());
        let mut done = Done::default();
        let mut waiting: Vec<(usize, ExplainedSample)> = Vec::new();
        let mut answered = vec![false; samples.len()];
        let mut consume = |event: ExplanationEvent| -> anyhow::Result<()> {
            progress.on_message(&event);
            if let ExplanationEvent::Started { device, precision, batch_size, threads } = &event {
                done.conditions = conditions_of_job(device, &precision.to_string(), *batch_size, *threads);
            }
            if let ExplanationEvent::Image { index, result } = event {
                *answered.get_mut(index).context("the engine answered for an unknown image")? = true;
                match result {
                    Ok(sample) => waiting.push((index, sample)),
                    Err(reason) => done.fail((index, &samples[index]), &reason, &progress),
                }
                if waiting.len() >= SCORED_AT_ONCE {
                    self.score_and_take(std::mem::take(&mut waiting), &mut done, &progress, take)?;
                }
            }
            Ok(())
        };
        let result = self.maps(engine, job, cancellation, &mut consume);
        let outcome = self.score_and_take(waiting, &mut done, &progress, take).and_then(|()| match result {
            // The engine is still running, and other views have other models.
            Err(ImageJobError::Failed(reason)) => {
                let unanswered = samples.iter().enumerate().zip(&answered).filter(|&(_, &answered)| !answered);
                unanswered.for_each(|(sample, _)| done.fail(sample, &reason, &progress));
                Ok(())
            }
            result => self.outcome(result),
        });
        progress.finish();
        outcome?;
        // Maps are scored some at a time, so failures may come out of order.
        done.failures.sort_by_key(|(index, _)| *index);
        Ok(done)
    }

    /// Computes the maps of all images as the options say, and passes on each event.
    pub(super) fn maps(
        &self,
        engine: &mut EngineProcess,
        job: &mut Job,
        cancellation: Cancellation<'_>,
        take: &mut dyn FnMut(ExplanationEvent) -> anyhow::Result<()>,
    ) -> Result<(), ImageJobError> {
        let arguments = self.arguments;
        let variation = Variation {
            method: arguments.method,
            layer: arguments.layer,
            randomised_stages: 0,
            curves: arguments.measures_curves(),
        };
        run_image_job(engine, job.next(), self.work(self.class(), variation, None), cancellation, take)
    }

    /// Fails all images because of a faulty model.
    fn none_explained(&self, fault: &str) -> Done {
        let reason = format!("model {}: {}", printable_path(&self.group.model.path), printable(fault));
        let samples = &self.group.samples;
        self.console.warn(format!(
            "{reason}; {} of {} not explained",
            counted(samples.len(), "image"),
            self.group.name()
        ));
        let failures =
            samples.iter().map(|sample| FileProblem::new(&sample.path, reason.clone())).enumerate().collect();
        Done { failures, ..Done::default() }
    }

    /// Computes the maps of `chosen` images in another way, without pictures, and passes each to `take` with its
    /// position in `chosen`.
    pub(super) fn maps_of(
        &self,
        engine: &mut EngineProcess,
        cancellation: Cancellation<'_>,
        id: JobId,
        chosen: &[&Explained],
        variation: Variation,
        take: &mut dyn FnMut(usize, ExplainedSample),
    ) -> anyhow::Result<()> {
        let classes = chosen.iter().map(|one| Some(one.row.explained)).collect();
        let positions: Vec<usize> = chosen.iter().map(|one| one.index).collect();
        let work = self.work(ExplainedClass::PerSample(classes), variation, Some(&positions));
        let result = run_image_job(engine, id, work, cancellation, &mut |event| {
            if let ExplanationEvent::Image { index, result: Ok(sample) } = event
                && index < chosen.len()
            {
                take(index, sample);
            }
            Ok(())
        });
        self.outcome(result)
    }

    /// Reads an image of the view and finds its regions.
    pub(super) fn examine(&self, index: usize) -> Result<ExaminedPicture, String> {
        let metadata = &self.group.model.metadata;
        let route = if self.arguments.parity { InputRoute::GradCamNotebook } else { metadata.input_route };
        let path = &self.group.samples[index].path;
        let seed = image_seed(self.seed(), path);
        ExaminedPicture::read(path, metadata.size, route, self.arguments.data_options.grey.range(), seed)
            .map_err(|error| error.to_string())
    }

    fn seed(&self) -> u64 {
        view_seed(self.arguments.seed, self.group.view)
    }

    /// True if the cascade needs the map of an image: [`CASCADE_IMAGES`] of them, evenly spaced.
    fn is_of_cascade(&self, index: usize) -> bool {
        let all = self.group.samples.len();
        let count = all.min(CASCADE_IMAGES);
        self.arguments.sanity && (0..count).any(|place| place * all / count == index)
    }

    /// A caution, if this view's maps have few positions.
    pub(super) fn coarse(&self) -> Option<CoarseMap> {
        let ExplainArguments { method, layer, .. } = *self.arguments;
        let is_of_layer = method.is_of_layer() && method != ExplanationMethod::Random;
        CoarseMap::of(layer, self.group.model.metadata.size).filter(|_| is_of_layer)
    }

    fn zoom(&self) -> MapZoom {
        if self.arguments.parity { MapZoom::KerasVis } else { MapZoom::Bilinear }
    }

    fn class(&self) -> ExplainedClass {
        let wanted = self.arguments.wanted_class();
        match (wanted.fixed(), wanted) {
            (Some(class), _) => ExplainedClass::Class(class),
            (None, WantedClass::True) => {
                ExplainedClass::PerSample(self.group.samples.iter().map(|sample| sample.label).collect())
            }
            (None, _) => ExplainedClass::Predicted,
        }
    }

    fn work(&self, class: ExplainedClass, variation: Variation, chosen: Option<&[usize]>) -> ExplainWork {
        let arguments = self.arguments;
        let Variation { method, layer, randomised_stages, curves } = variation;
        let path = |sample: &DatasetSample| WirePath::from(sample.path.as_path());
        let samples = &self.group.samples;
        ExplainWork {
            model: WirePath::from(self.group.model.path.as_path()),
            samples: match chosen {
                Some(chosen) => chosen.iter().map(|&index| path(&samples[index])).collect(),
                None => samples.iter().map(path).collect(),
            },
            grey_range: arguments.data_options.grey.range(),
            method,
            layer,
            class,
            parity: arguments.parity && method == ExplanationMethod::GradCam,
            curves,
            randomised_stages,
            seed: self.seed(),
            batch_size: arguments.batch_size.map(usize::from),
            device: arguments.device,
            precision: arguments.precision,
            threads: arguments.threads.map(usize::from),
        }
    }

    pub(super) fn outcome(&self, result: Result<(), ImageJobError>) -> anyhow::Result<()> {
        match result {
            Ok(()) => Ok(()),
            Err(ImageJobError::Interrupted) => Err(Interrupted.into()),
            Err(ImageJobError::Consumer(error)) => Err(error),
            Err(error) => Err(error).with_context(|| format!("explain {}", self.group.name())),
        }
    }

    /// Enlarges and scores maps in parallel, and passes them to `take` in their order.
    fn score_and_take(
        &self,
        maps: Vec<(usize, ExplainedSample)>,
        done: &mut Done,
        progress: &PredictionProgress<'_>,
        take: TakeImage<'_>,
    ) -> anyhow::Result<()> {
        let zoom = self.zoom();
        let images: Vec<_> = maps
            .into_par_iter()
            .map(|(index, sample)| {
                (index, self.examine(index).map(|examined| (Arc::new(examined).explained(&sample, zoom), sample)))
            })
            .collect();
        for (index, image) in images {
            let of = self.group.samples.get(index).context("the engine answered for an unknown image")?;
            let (image, sample) = match image {
                Ok(found) => found,
                Err(reason) => {
                    done.fail((index, of), &reason, progress);
                    continue;
                }
            };
            for problem in &image.examined.mask_problems {
                progress.warn(problem);
                done.mask_problems.push((index, FileProblem::new(&of.path, problem.clone())));
            }
            let Some(probabilities) = image.probabilities else {
                done.fail((index, of), &NonfiniteOutput.to_string(), progress);
                continue;
            };
            if !image.status.is_sound() {
                progress.warn(&format!("{}: the map is {}; it is not painted", printable_path(&of.path), image.status));
            }
            if sample.all_gradients_negative {
                progress.warn(&format!(
                    "{}: all gradients are negative, where keras-vis inverts the map; here it keeps its sign",
                    printable_path(&of.path)
                ));
            }
            done.findings.extend(sample.findings.clone().map(|findings| (index, findings)));
            let mut one = self.explained(of, index, &image, sample, probabilities.most_probable());
            take(&mut one, &image)?;
            done.explained.push(one);
        }
        Ok(())
    }

    /// What is recorded of an explained image.
    pub(super) fn explained(
        &self,
        of: &DatasetSample,
        index: usize,
        image: &ExplainedImage,
        sample: ExplainedSample,
        predicted: DensityClass,
    ) -> Explained {
        let arguments = self.arguments;
        let layer = if arguments.method.is_of_layer() { arguments.layer.to_string() } else { String::new() };
        let prediction = PredictionRow {
            file: of.path.to_string_lossy().into_owned(),
            subject: of.subject.clone(),
            exam: of.exam.clone(),
            view: of.view,
            label: of.label,
            predicted,
            probabilities: image.probabilities.expect("checked before"),
        };
        let row = ScoreRow {
            prediction,
            explained: sample.class,
            method: arguments.method.to_string(),
            layer,
            status: image.status,
            dense_source: image.examined.dense_source(),
            scores: image.scores,
            positions: (sample.map.rows(), sample.map.columns()),
            map_file: String::new(),
        };
        let coarse = self.coarse();
        let map = self.is_of_cascade(index).then_some(sample.map);
        Explained { row, index, view: self.group.name(), map, control: image.examined.control, coarse, written: None }
    }
}
