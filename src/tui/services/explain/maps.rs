//! Computes maps through the engine, with a cache of the latest.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::SystemTime;

use super::model_knowledge::ModelKnowledge;
use super::newest_checkpoint::NewestCheckpoints;
use super::{MapError, MapProvider};
use mammoscope_domain::cancellation::Cancellation;

use crate::analysis::explained_image::{ExaminedPicture, ExplainedImage, MapZoom, PackedPicture};
use crate::analysis::random_controls::compared_with_random_maps;
use crate::tui::protocol::explain::{MapRequest, MappedImage, ModelSource};
use crate::tui::protocol::failure::Failure;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::explanation::verdict::{ControlComparison, TrainingEvidence};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_seed::{image_seed, view_seed};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::{ExplanationEvent, ImageJobError, run_image_job};
use mammoscope_engine_protocol::command::{ExplainWork, ExplainedClass, JobId};
use mammoscope_engine_protocol::event::ExplainedSample;
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};
use mammoscope_storage::runs::checkpoint_model::metadata_of_run;
use mammoscope_storage::runs::run_dir::RunDir;

/// The number of cached maps, of a few kilobytes each, for going back and forth between methods, layers and classes.
const MAX_MAPS: usize = 32;
/// The number of opened sets of models: the maps of two can be side by side.
const MAX_MODEL_SETS: usize = 2;
/// The number of cached pictures, with their masks about 0.6 MB each at 650 pixels: four views on screen, and those of
/// the next subject.
const MAX_PICTURES: usize = 8;

pub(super) type Stamp = Option<SystemTime>;

/// Everything that a map depends on.
#[derive(Clone, Debug, PartialEq)]
struct MapKey {
    sample: (PathBuf, Stamp),
    model: (PathBuf, Stamp),
    method: ExplanationMethod,
    layer: ExplainedLayer,
    class: Option<DensityClass>,
}

/// A map in the engine's resolution. Upsampled to the size of its picture, it is held only by those who show it, and
/// made again on demand.
struct CachedMap {
    key: MapKey,
    sample: ExplainedSample,
    scores: ExplanationScores,
    control: Option<ControlComparison>,
    training: TrainingEvidence,
    on_screen: Weak<MappedImage>,
}

/// A packed picture. Unpacked, it is held only by those who use it.
struct CachedPicture {
    of: PictureKey,
    packed: PackedPicture,
    in_use: Weak<ExaminedPicture>,
}

/// File, side length and grey range of a picture.
type PictureKey = ((PathBuf, Stamp), usize, GreyRange);

fn picture_key(key: &MapKey, model: &ModelEntry) -> PictureKey {
    (key.sample.clone(), model.metadata.size, model.metadata.grey_range())
}

/// Computes maps; keeps the engine, the models and the latest maps and pictures.
#[derive(Default)]
pub(super) struct MapRenderer {
    /// The engine's program; `None` to locate it.
    program: Option<PathBuf>,
    engine: Option<EngineProcess>,
    job: u64,
    /// The models used last, the latest at the end: two for a comparison.
    models: Vec<(Vec<(PathBuf, Stamp)>, ModelSet)>,
    checkpoints: NewestCheckpoints,
    knowledge: ModelKnowledge,
    pictures: Vec<CachedPicture>,
    maps: Vec<CachedMap>,
}

impl MapProvider for MapRenderer {
    fn is_cached(&mut self, request: &MapRequest) -> bool {
        self.key(request).is_ok_and(|(key, model)| {
            let picture = picture_key(&key, &model);
            self.pictures.iter().any(|known| known.of == picture) && self.maps.iter().any(|known| known.key == key)
        })
    }

    fn release_engine(&mut self) {
        self.engine = None;
    }

    fn map(&mut self, request: &MapRequest, cancellation: Cancellation<'_>) -> Result<Arc<MappedImage>, MapError> {
        let (key, model) = self.key(request)?;
        let picture = self.picture(&picture_key(&key, &model));
        let known = self.maps.iter().position(|known| known.key == key).map(|at| self.maps.remove(at));
        let (cached, mapped) = match (known, picture) {
            (Some(mut known), Some(examined)) => {
                let mapped = known.mapped(examined);
                (known, mapped)
            }
            (_, picture) => self.compute(request, key, &model, picture, cancellation)?,
        };
        self.maps.push(cached);
        if self.maps.len() > MAX_MAPS {
            self.maps.remove(0);
        }
        Ok(mapped)
    }
}

impl CachedMap {
    /// A new map, with its image.
    fn new(
        key: MapKey,
        sample: ExplainedSample,
        image: ExplainedImage,
        training: TrainingEvidence,
    ) -> (Self, Arc<MappedImage>) {
        let seed = image_seed(0, &key.sample.0);
        let control = compared_with_random_maps(&image.examined, &sample.map, seed);
        let mut cached = Self { key, sample, scores: image.scores, control, training, on_screen: Weak::new() };
        let mapped = cached.shown_as(image);
        (cached, mapped)
    }

    /// The map in the size of its picture, taken from the screen if it is shown there.
    fn mapped(&mut self, examined: Arc<ExaminedPicture>) -> Arc<MappedImage> {
        self.on_screen.upgrade().unwrap_or_else(|| {
            let image = examined.with_scores(&self.sample, self.scores);
            self.shown_as(image)
        })
    }

    fn shown_as(&mut self, image: ExplainedImage) -> Arc<MappedImage> {
        let mapped = Arc::new(MappedImage {
            image: Arc::new(image),
            class: self.sample.class,
            model: self.key.model.0.clone(),
            control: self.control,
            training: self.training.clone(),
            doubts: self.sample.findings.as_ref().map_or_else(Vec::new, |findings| findings.doubts.clone()),
        });
        self.on_screen = Arc::downgrade(&mapped);
        mapped
    }
}

impl MapRenderer {
    /// A renderer with the engine at a path.
    #[cfg(test)]
    pub(super) fn with_engine(program: PathBuf) -> Self {
        Self { program: Some(program), ..Self::default() }
    }

    fn key(&mut self, request: &MapRequest) -> Result<(MapKey, ModelEntry), Failure> {
        let model = self.model(request)?;
        let key = MapKey {
            sample: stamped(&request.sample),
            model: stamped(&model.path),
            method: request.method,
            layer: request.layer,
            class: request.class,
        };
        Ok((key, model))
    }

    /// The model for the request's view. Models are read again when their files change, as those of a running trainer
    /// do.
    fn model(&mut self, request: &MapRequest) -> Result<ModelEntry, Failure> {
        let files: Vec<(PathBuf, Option<&RunDir>)> = match &request.source {
            ModelSource::Runs(runs) => {
                let file_of = |run| match request.epoch {
                    Some(epoch) => kept_model(run, epoch),
                    None => self.checkpoints.of(run, request.follow),
                };
                let found = runs.iter().map(file_of).zip(runs.iter().map(Some));
                let (files, mut problems): (Vec<_>, Vec<_>) = found.partition(|(file, _)| file.is_ok());
                let files: Vec<_> = files.into_iter().filter_map(|(file, run)| Some((file.ok()?, run))).collect();
                if files.is_empty() {
                    let problem = problems.drain(..).find_map(|(problem, _)| problem.err());
                    return Err(problem.unwrap_or_else(|| "there is no run".into()));
                }
                files
            }
            ModelSource::Files(path) => vec![(path.clone(), None)],
        };
        let stamps: Vec<_> = files.iter().map(|(file, _)| stamped(file)).collect();
        if let Some(at) = self.models.iter().position(|(known, _)| *known == stamps) {
            self.models[at..].rotate_left(1);
        } else {
            let opened = match &request.source {
                ModelSource::Files(path) => ModelSet::open(path).map_err(Failure::new)?,
                // Their metadata is in the run's files, and the engine reads the weights.
                ModelSource::Runs(_) => ModelSet::of_entries(
                    files.into_iter().filter_map(|(path, run)| Some(entry_of(path, run?))).collect::<Result<_, _>>()?,
                ),
            };
            self.models.push((stamps, opened));
            if self.models.len() > MAX_MODEL_SETS {
                self.models.remove(0);
            }
        }
        let set = self.models.last().map(|(_, set)| set).expect("the models were just opened");
        let found = set.for_view(request.view).cloned().ok_or_else(|| {
            let view = request.view.map_or("images of unknown view", View::name);
            Failure::from(format!("there is no model for {view} among the chosen ones; choose others (:models)"))
        })?;
        match &found.fault {
            Some(fault) => Err(format!("model {}: {fault}", printable_path(&found.path)).into()),
            None => Ok(found),
        }
    }

    /// A cached picture; it becomes the last one to be dropped.
    fn picture(&mut self, wanted: &PictureKey) -> Option<Arc<ExaminedPicture>> {
        let at = self.pictures.iter().position(|known| known.of == *wanted)?;
        let mut known = self.pictures.remove(at);
        let examined = known.in_use.upgrade().unwrap_or_else(|| Arc::new(known.packed.unpacked()));
        known.in_use = Arc::downgrade(&examined);
        self.pictures.push(known);
        Some(examined)
    }

    fn keep(&mut self, of: PictureKey, examined: &Arc<ExaminedPicture>) {
        self.pictures.push(CachedPicture { of, packed: examined.packed(), in_use: Arc::downgrade(examined) });
        if self.pictures.len() > MAX_PICTURES {
            self.pictures.remove(0);
        }
    }

    fn compute(
        &mut self,
        request: &MapRequest,
        key: MapKey,
        model: &ModelEntry,
        known: Option<Arc<ExaminedPicture>>,
        cancellation: Cancellation<'_>,
    ) -> Result<(CachedMap, Arc<MappedImage>), MapError> {
        let size = model.metadata.size;
        let is_known = known.is_some();
        let (sample, route, range) = (request.sample.clone(), model.metadata.input_route, model.metadata.grey_range());
        let seed = image_seed(view_seed(0, request.view), &sample);
        // The engine computes while the masks are found here.
        let examined = thread::spawn(move || {
            let read = || ExaminedPicture::read(&sample, size, route, range, seed).map(Arc::new);
            known.map_or_else(|| read().map_err(|error| Failure::from(format!("the file {error}"))), Ok)
        });
        let answer = self.ask_engine(request, model, cancellation);
        let examined = examined.join().unwrap_or_else(|_| Err("the file could not be examined".into()))?;
        if !is_known {
            self.keep(picture_key(&key, model), &examined);
        }
        let sample = answer?;
        let image = examined.explained(&sample, MapZoom::Bilinear);
        let training = self.knowledge.evidence(model, &request.sample, sample.findings.as_ref());
        Ok(CachedMap::new(key, sample, image, training))
    }

    /// Has the engine explain one image; starts it if necessary.
    fn ask_engine(
        &mut self,
        request: &MapRequest,
        model: &ModelEntry,
        cancellation: Cancellation<'_>,
    ) -> Result<ExplainedSample, MapError> {
        let engine = match &mut self.engine {
            Some(engine) => engine,
            missing => {
                let located = self.program.clone().map_or_else(|| locate_engine().map(|found| found.path), Ok);
                let path = located.map_err(Failure::new)?;
                // Never cancelled: the next request needs the engine, too.
                let engine =
                    EngineProcess::start(&path, Timeouts::default(), Cancellation::never()).map_err(Failure::new)?;
                missing.insert(engine)
            }
        };
        self.job += 1;
        let work = ExplainWork {
            model: WirePath::from(model.path.as_path()),
            samples: vec![WirePath::from(request.sample.as_path())],
            grey_range: model.metadata.grey_range(),
            method: request.method,
            layer: request.layer,
            class: request.class.map_or(ExplainedClass::Predicted, ExplainedClass::Class),
            parity: false,
            curves: false,
            randomised_stages: 0,
            seed: view_seed(0, request.view),
            // A larger batch would be filled up.
            batch_size: Some(1),
            device: DeviceChoice::Auto,
            precision: Precision::default(),
            threads: None,
        };
        let mut answer = None;
        let outcome = run_image_job(engine, JobId(self.job), work, cancellation, &mut |event| {
            if let ExplanationEvent::Image { result, .. } = event {
                answer = Some(result);
            }
            Ok(())
        });
        match outcome {
            Ok(()) => match answer {
                Some(Ok(sample)) => Ok(sample),
                Some(Err(reason)) => Err(Failure::from(reason).into()),
                None => Err(Failure::from("the engine gave no answer").into()),
            },
            Err(ImageJobError::Interrupted) => Err(MapError::Cancelled),
            Err(ImageJobError::Engine(error)) => {
                // The next request starts another engine.
                self.engine = None;
                Err(Failure::new(error).into())
            }
            Err(error) => Err(Failure::from(format!("{error} ({})", printable_path(&model.path))).into()),
        }
    }
}

/// The kept model of an epoch.
fn kept_model(run: &RunDir, epoch: u32) -> Result<PathBuf, Failure> {
    let path = run.kept_checkpoint(epoch);
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::from(format!("{} has not kept the model of epoch {epoch}", printable(&run.name()))))
}

/// A checkpoint of a run, with the metadata of its model.
fn entry_of(path: PathBuf, run: &RunDir) -> Result<ModelEntry, Failure> {
    let metadata = metadata_of_run(run).map_err(Failure::new)?;
    Ok(ModelEntry { path, metadata, fault: None })
}

pub(super) fn stamped(path: &Path) -> (PathBuf, Stamp) {
    (path.to_owned(), std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}
