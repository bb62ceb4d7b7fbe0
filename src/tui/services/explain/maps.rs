//! Maps through the engine, the latest of them kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::SystemTime;

use super::MakesMaps;
use super::newest_checkpoint::NewestCheckpoints;

use crate::client::engine_location::locate_engine;
use crate::client::engine_process::{EngineProcess, Patience};
use crate::client::explained_image::{ExaminedPicture, ExplainedImage, MapZoom};
use crate::client::explanation::{ExplanationEvent, explain};
use crate::client::image_job::ImageJobError;
use crate::client::protocol::{ExplainWork, ExplainedClass, ExplainedSample, JobId, WirePath};
use crate::domain::compute_options::{DeviceChoice, Precision};
use crate::domain::density::DensityClass;
use crate::domain::explained_layer::ExplainedLayer;
use crate::domain::explanation_method::ExplanationMethod;
use crate::domain::explanation_scores::ExplanationScores;
use crate::domain::image_seed::{image_seed, view_seed};
use crate::domain::printable::printable_path;
use crate::domain::view::View;
use crate::storage::checkpoint_model::metadata_of_run;
use crate::storage::model_set::{ModelEntry, ModelSet};
use crate::storage::run_dir::RunDir;
use crate::tui::screens::explain::{MapRequest, MappedImage, ModelSource};

/// Maps that are kept, each with its picture and masks some 2 MB at 650 pixels: the four views on screen and those of
/// the next subject.
const KEPT_MAPS: usize = 8;
/// Pictures that are kept for another method or class; those of kept maps are the same in memory.
const KEPT_PICTURES: usize = 8;

type Stamp = Option<SystemTime>;

/// What a map is the same for.
#[derive(Clone, Debug, PartialEq)]
struct MapKey {
    sample: (PathBuf, Stamp),
    model: (PathBuf, Stamp),
    method: ExplanationMethod,
    layer: ExplainedLayer,
    class: Option<DensityClass>,
}

/// A map as the engine gave it. In the size of its picture it is made again when it is wanted again: so large it is kept
/// by who shows it alone.
struct KeptMap {
    key: MapKey,
    sample: ExplainedSample,
    scores: ExplanationScores,
    examined: Arc<ExaminedPicture>,
    on_screen: Weak<MappedImage>,
}

/// Computes maps; keeps the engine, the models and the latest maps.
#[derive(Default)]
pub(super) struct MapMaker {
    /// The engine's program, where it is not to be looked for.
    program: Option<PathBuf>,
    engine: Option<EngineProcess>,
    job: u64,
    models: Option<(Vec<(PathBuf, Stamp)>, ModelSet)>,
    checkpoints: NewestCheckpoints,
    pictures: Vec<((PathBuf, Stamp), usize, Arc<ExaminedPicture>)>,
    maps: Vec<KeptMap>,
}

impl MakesMaps for MapMaker {
    fn knows(&mut self, request: &MapRequest) -> bool {
        self.key(request).is_ok_and(|(key, _)| self.maps.iter().any(|known| known.key == key))
    }

    fn rest(&mut self) {
        self.engine = None;
    }

    fn map(&mut self, request: &MapRequest, unwanted: &dyn Fn() -> bool) -> Option<Result<Arc<MappedImage>, String>> {
        let (key, model) = match self.key(request) {
            Ok(found) => found,
            Err(problem) => return Some(Err(problem)),
        };
        let (kept, mapped) = if let Some(at) = self.maps.iter().position(|known| known.key == key) {
            let mut kept = self.maps.remove(at);
            let mapped = kept.mapped();
            (kept, mapped)
        } else {
            match self.compute(request, key, &model, unwanted)? {
                Ok(computed) => computed,
                Err(problem) => return Some(Err(problem)),
            }
        };
        self.maps.push(kept);
        if self.maps.len() > KEPT_MAPS {
            self.maps.remove(0);
        }
        Some(Ok(mapped))
    }
}

impl KeptMap {
    /// A map and its image, which was just explained.
    fn new(key: MapKey, sample: ExplainedSample, image: ExplainedImage) -> (Self, Arc<MappedImage>) {
        let (scores, examined) = (image.scores, Arc::clone(&image.examined));
        let mut kept = Self { key, sample, scores, examined, on_screen: Weak::new() };
        let mapped = kept.shown_as(image);
        (kept, mapped)
    }

    /// The map in the size of its picture: that on screen, where it is there.
    fn mapped(&mut self) -> Arc<MappedImage> {
        self.on_screen.upgrade().unwrap_or_else(|| {
            let image = Arc::clone(&self.examined).with_scores(&self.sample, self.scores);
            self.shown_as(image)
        })
    }

    fn shown_as(&mut self, image: ExplainedImage) -> Arc<MappedImage> {
        let mapped = Arc::new(MappedImage {
            image: Arc::new(image),
            class: self.sample.class,
            grid: (self.sample.map.columns(), self.sample.map.rows()),
            model: self.key.model.0.clone(),
        });
        self.on_screen = Arc::downgrade(&mapped);
        mapped
    }
}

impl MapMaker {
    /// One with the engine of a path.
    #[cfg(test)]
    pub(super) fn with_engine(program: PathBuf) -> Self {
        Self { program: Some(program), ..Self::default() }
    }

    fn key(&mut self, request: &MapRequest) -> Result<(MapKey, ModelEntry), String> {
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

    /// The model for the request's view; models are read anew where their files changed, as those of a running training
    /// do.
    fn model(&mut self, request: &MapRequest) -> Result<ModelEntry, String> {
        let files: Vec<(PathBuf, Option<&RunDir>)> = match &request.source {
            ModelSource::Runs(runs) => {
                let found = runs.iter().map(|run| (self.checkpoints.of(run, request.follow), Some(run)));
                let (files, mut problems): (Vec<_>, Vec<_>) = found.partition(|(file, _)| file.is_ok());
                let files: Vec<_> = files.into_iter().filter_map(|(file, run)| Some((file.ok()?, run))).collect();
                if files.is_empty() {
                    let problem = problems.drain(..).find_map(|(problem, _)| problem.err());
                    return Err(problem.unwrap_or_else(|| "there is no run".to_owned()));
                }
                files
            }
            ModelSource::Files(path) => vec![(path.clone(), None)],
        };
        let stamps: Vec<_> = files.iter().map(|(file, _)| stamped(file)).collect();
        if self.models.as_ref().is_none_or(|(known, _)| *known != stamps) {
            let opened = match &request.source {
                ModelSource::Files(path) => ModelSet::open(path).map_err(|error| error.to_string())?,
                // What they are stands beside them; to read them is the engine's.
                ModelSource::Runs(_) => ModelSet::of_entries(
                    files.into_iter().filter_map(|(path, run)| Some(entry_of(path, run?))).collect::<Result<_, _>>()?,
                ),
            };
            self.models = Some((stamps, opened));
        }
        let set = self.models.as_ref().map(|(_, set)| set).expect("just read");
        let found = set.for_view(request.view).cloned().ok_or_else(|| {
            let view = request.view.map_or("images of unknown view", View::name);
            format!("there is no model for {view} among the chosen ones; M chooses others")
        })?;
        match &found.fault {
            Some(fault) => Err(format!("model {}: {fault}", printable_path(&found.path))),
            None => Ok(found),
        }
    }

    fn compute(
        &mut self,
        request: &MapRequest,
        key: MapKey,
        model: &ModelEntry,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<(KeptMap, Arc<MappedImage>), String>> {
        let size = model.metadata.size;
        let known = self.pictures.iter().position(|(file, of, _)| *file == key.sample && *of == size);
        let known = known.map(|at| self.pictures.remove(at).2);
        let (sample, route) = (request.sample.clone(), model.metadata.input_route);
        let seed = image_seed(view_seed(0, request.view), &sample);
        // The engine computes while masks are found here.
        let examined = thread::spawn(move || {
            let read = || ExaminedPicture::read(&sample, size, route, seed).map(Arc::new);
            known.map_or_else(|| read().map_err(|error| error.to_string()), Ok)
        });
        let answer = self.ask_engine(request, model, unwanted);
        let examined = examined.join().unwrap_or_else(|_| Err("it could not be examined".to_owned()));
        let examined = match examined {
            Ok(examined) => examined,
            Err(problem) => return Some(Err(format!("the file {problem}"))),
        };
        self.pictures.push((key.sample.clone(), size, Arc::clone(&examined)));
        if self.pictures.len() > KEPT_PICTURES {
            self.pictures.remove(0);
        }
        let sample = match answer? {
            Ok(sample) => sample,
            Err(problem) => return Some(Err(problem)),
        };
        let image = examined.explained(&sample, MapZoom::Bilinear);
        Some(Ok(KeptMap::new(key, sample, image)))
    }

    /// One image through the engine, which is started when it is not there.
    fn ask_engine(
        &mut self,
        request: &MapRequest,
        model: &ModelEntry,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<ExplainedSample, String>> {
        if self.engine.is_none() {
            let path = match self.program.clone().map_or_else(|| locate_engine().map(|found| found.path), Ok) {
                Ok(path) => path,
                Err(error) => return Some(Err(error.to_string())),
            };
            // Its start is never in vain.
            match EngineProcess::start(&path, Patience::default(), &|| false) {
                Ok(engine) => self.engine = Some(engine),
                Err(error) => return Some(Err(error.to_string())),
            }
        }
        let engine = self.engine.as_mut()?;
        self.job += 1;
        let work = ExplainWork {
            model: WirePath::from(model.path.as_path()),
            samples: vec![WirePath::from(request.sample.as_path())],
            method: request.method,
            layer: request.layer,
            class: request.class.map_or(ExplainedClass::Predicted, ExplainedClass::Class),
            parity: false,
            curves: false,
            randomised_stages: 0,
            seed: view_seed(0, request.view),
            batch_size: None,
            device: DeviceChoice::Auto,
            precision: Precision::default(),
            threads: None,
        };
        let mut answer = None;
        let outcome = explain(engine, JobId(self.job), work, unwanted, &mut |event| {
            if let ExplanationEvent::Image { result, .. } = event {
                answer = Some(result);
            }
            Ok(())
        });
        match outcome {
            Ok(()) => Some(answer.unwrap_or_else(|| Err("the engine gave no answer".to_owned()))),
            Err(ImageJobError::Interrupted) => None,
            Err(ImageJobError::Engine(error)) => {
                // The next request starts another.
                self.engine = None;
                Some(Err(error.to_string()))
            }
            Err(error) => Some(Err(format!("{error} ({})", printable_path(&model.path)))),
        }
    }
}

/// A checkpoint of a run, with what its model is.
fn entry_of(path: PathBuf, run: &RunDir) -> Result<ModelEntry, String> {
    let metadata = metadata_of_run(run).map_err(|error| error.to_string())?;
    Ok(ModelEntry { path, metadata, fault: None })
}

fn stamped(path: &Path) -> (PathBuf, Stamp) {
    (path.to_owned(), std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}
