//! Maps through the engine, the latest of them kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use crate::client::engine_location::locate_engine;
use crate::client::engine_process::{EngineProcess, Patience};
use crate::client::explained_image::{ExaminedPicture, MapZoom};
use crate::client::explanation::{ExplanationEvent, explain};
use crate::client::image_job::ImageJobError;
use crate::client::protocol::{ExplainWork, ExplainedClass, ExplainedSample, JobId, WirePath};
use crate::domain::compute_options::{DeviceChoice, Precision};
use crate::domain::density::DensityClass;
use crate::domain::explained_layer::ExplainedLayer;
use crate::domain::explanation_method::ExplanationMethod;
use crate::domain::printable::printable_path;
use crate::storage::best_checkpoint::best_checkpoint;
use crate::storage::model_set::{ModelEntry, ModelSet};
use crate::tui::screens::explain::{MapRequest, MappedImage, ModelSource};

/// Maps that are kept, some 5 MB each at 650 pixels.
const KEPT_MAPS: usize = 12;
/// Pictures that are kept without their maps, for another method or class.
const KEPT_PICTURES: usize = 6;

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

/// Computes maps; keeps the engine, the models and the latest maps.
#[derive(Default)]
pub(super) struct MapMaker {
    engine: Option<EngineProcess>,
    job: u64,
    models: Option<(Vec<(PathBuf, Stamp)>, ModelSet)>,
    pictures: Vec<((PathBuf, Stamp), usize, ExaminedPicture)>,
    maps: Vec<(MapKey, Arc<MappedImage>)>,
}

impl MapMaker {
    /// Whether the map is kept.
    pub(super) fn knows(&mut self, request: &MapRequest) -> bool {
        self.key(request).is_ok_and(|(key, _)| self.maps.iter().any(|(known, _)| *known == key))
    }

    /// Lets the engine go, and with it its memory.
    pub(super) fn rest(&mut self) {
        self.engine = None;
    }

    /// The map, or why there is none; `None` when it is not wanted any more.
    pub(super) fn map(
        &mut self,
        request: &MapRequest,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<Arc<MappedImage>, String>> {
        let (key, model) = match self.key(request) {
            Ok(found) => found,
            Err(problem) => return Some(Err(problem)),
        };
        if let Some(at) = self.maps.iter().position(|(known, _)| *known == key) {
            let found = self.maps.remove(at);
            self.maps.push(found);
        } else {
            match self.compute(request, &key, &model, unwanted)? {
                Ok(mapped) => self.maps.push((key, Arc::new(mapped))),
                Err(problem) => return Some(Err(problem)),
            }
            if self.maps.len() > KEPT_MAPS {
                self.maps.remove(0);
            }
        }
        self.maps.last().map(|(_, mapped)| Ok(Arc::clone(mapped)))
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
        let files = match &request.source {
            ModelSource::Runs(runs) => {
                let best: Vec<PathBuf> = runs.iter().filter_map(|run| best_checkpoint(run).ok()).collect();
                match (best.is_empty(), runs.first()) {
                    (true, Some(run)) => {
                        return Err(best_checkpoint(run).map_or_else(|e| e.to_string(), |_| String::new()));
                    }
                    (true, None) => return Err("there is no run".to_owned()),
                    (false, _) => best,
                }
            }
            ModelSource::Files(path) => vec![path.clone()],
        };
        let stamps: Vec<_> = files.iter().map(|file| stamped(file)).collect();
        if self.models.as_ref().is_none_or(|(known, _)| *known != stamps) {
            let opened = match &request.source {
                ModelSource::Runs(_) => ModelSet::of_files(&files),
                ModelSource::Files(path) => ModelSet::open(path),
            };
            self.models = Some((stamps, opened.map_err(|error| error.to_string())?));
        }
        let set = self.models.as_ref().map(|(_, set)| set).expect("just read");
        set.for_view(request.view).cloned().ok_or_else(|| {
            let view = request.view.map_or("images of unknown view", crate::domain::view::View::name);
            format!("there is no model for {view} among the chosen ones; M chooses others")
        })
    }

    fn compute(
        &mut self,
        request: &MapRequest,
        key: &MapKey,
        model: &ModelEntry,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<MappedImage, String>> {
        let size = model.metadata.size;
        let known = self.pictures.iter().position(|(file, of, _)| *file == key.sample && *of == size);
        let known = known.map(|at| self.pictures.remove(at).2);
        let (sample, route) = (request.sample.clone(), model.metadata.input_route);
        // The engine computes while masks are found here.
        let examined = thread::spawn(move || {
            known.map_or_else(|| ExaminedPicture::read(&sample, size, route).map_err(|e| e.to_string()), Ok)
        });
        let answer = self.ask_engine(request, model, unwanted);
        let examined = examined.join().unwrap_or_else(|_| Err("it could not be examined".to_owned()));
        let examined = match examined {
            Ok(examined) => examined,
            Err(problem) => return Some(Err(format!("the file {problem}"))),
        };
        self.pictures.push((key.sample.clone(), size, examined.clone()));
        if self.pictures.len() > KEPT_PICTURES {
            self.pictures.remove(0);
        }
        let sample = match answer? {
            Ok(sample) => sample,
            Err(problem) => return Some(Err(problem)),
        };
        let image = examined.explained(&sample, MapZoom::Bilinear);
        Some(Ok(MappedImage {
            image: Arc::new(image),
            class: sample.class,
            grid: (sample.map.columns(), sample.map.rows()),
            model: model.path.clone(),
        }))
    }

    /// One image through the engine, which is started when it is not there.
    fn ask_engine(
        &mut self,
        request: &MapRequest,
        model: &ModelEntry,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<ExplainedSample, String>> {
        if self.engine.is_none() {
            let path = match locate_engine() {
                Ok(found) => found.path,
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
            randomised_stages: 0,
            seed: 0,
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

fn stamped(path: &Path) -> (PathBuf, Stamp) {
    (path.to_owned(), std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}
