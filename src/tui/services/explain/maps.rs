//! Maps through the engine, the latest of them kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::SystemTime;

use super::MapProvider;
use super::newest_checkpoint::NewestCheckpoints;

use crate::analysis::explained_image::{ExaminedPicture, ExplainedImage, MapZoom, PackedPicture};
use crate::tui::protocol::explain::{MapRequest, MappedImage, ModelSource};
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_seed::{image_seed, view_seed};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::explanation::{ExplanationEvent, explain};
use mammoscope_engine_client::image_job::ImageJobError;
use mammoscope_engine_protocol::protocol::{ExplainWork, ExplainedClass, ExplainedSample, JobId, WirePath};
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};
use mammoscope_storage::runs::checkpoint_model::metadata_of_run;
use mammoscope_storage::runs::run_dir::RunDir;

/// Maps that are kept, of a few kilobytes: one goes back and forth between methods, layers and classes.
const KEPT_MAPS: usize = 32;
/// Pictures that are kept, with their masks some 0.6 MB at 650 pixels: the four views on screen and those of the next
/// subject.
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

/// A map as the engine gave it, of a picture that is kept. In the size of its picture it is made again when it is wanted
/// again: so large it is kept by who shows it alone.
struct KeptMap {
    key: MapKey,
    sample: ExplainedSample,
    scores: ExplanationScores,
    on_screen: Weak<MappedImage>,
}

/// A picture of some file and side; as large as it is worked with it is kept by who shows it alone.
struct KeptPicture {
    of: PictureKey,
    packed: PackedPicture,
    in_use: Weak<ExaminedPicture>,
}

/// File, side and grey range of a picture.
type PictureKey = ((PathBuf, Stamp), usize, GreyRange);

fn picture_key(key: &MapKey, model: &ModelEntry) -> PictureKey {
    (key.sample.clone(), model.metadata.size, model.metadata.grey_range())
}

/// Computes maps; keeps the engine, the models and the latest maps.
#[derive(Default)]
pub(super) struct MapRenderer {
    /// The engine's program, where it is not to be looked for.
    program: Option<PathBuf>,
    engine: Option<EngineProcess>,
    job: u64,
    models: Option<(Vec<(PathBuf, Stamp)>, ModelSet)>,
    checkpoints: NewestCheckpoints,
    pictures: Vec<KeptPicture>,
    maps: Vec<KeptMap>,
}

impl MapProvider for MapRenderer {
    fn knows(&mut self, request: &MapRequest) -> bool {
        self.key(request).is_ok_and(|(key, model)| {
            let picture = picture_key(&key, &model);
            self.pictures.iter().any(|known| known.of == picture) && self.maps.iter().any(|known| known.key == key)
        })
    }

    fn rest(&mut self) {
        self.engine = None;
    }

    fn map(&mut self, request: &MapRequest, unwanted: &dyn Fn() -> bool) -> Option<Result<Arc<MappedImage>, String>> {
        let (key, model) = match self.key(request) {
            Ok(found) => found,
            Err(problem) => return Some(Err(problem)),
        };
        let picture = self.picture(&picture_key(&key, &model));
        let known = self.maps.iter().position(|known| known.key == key).map(|at| self.maps.remove(at));
        let (kept, mapped) = match (known, picture) {
            (Some(mut known), Some(examined)) => {
                let mapped = known.mapped(examined);
                (known, mapped)
            }
            (_, picture) => match self.compute(request, key, &model, picture, unwanted)? {
                Ok(computed) => computed,
                Err(problem) => return Some(Err(problem)),
            },
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
        let mut kept = Self { key, sample, scores: image.scores, on_screen: Weak::new() };
        let mapped = kept.shown_as(image);
        (kept, mapped)
    }

    /// The map in the size of its picture: that on screen, where it is there.
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
            grid: (self.sample.map.columns(), self.sample.map.rows()),
            model: self.key.model.0.clone(),
        });
        self.on_screen = Arc::downgrade(&mapped);
        mapped
    }
}

impl MapRenderer {
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

    /// A picture that is kept; the latest that was wanted is the last to go.
    fn picture(&mut self, wanted: &PictureKey) -> Option<Arc<ExaminedPicture>> {
        let at = self.pictures.iter().position(|known| known.of == *wanted)?;
        let mut known = self.pictures.remove(at);
        let examined = known.in_use.upgrade().unwrap_or_else(|| Arc::new(known.packed.unpacked()));
        known.in_use = Arc::downgrade(&examined);
        self.pictures.push(known);
        Some(examined)
    }

    fn keep(&mut self, of: PictureKey, examined: &Arc<ExaminedPicture>) {
        self.pictures.push(KeptPicture { of, packed: examined.packed(), in_use: Arc::downgrade(examined) });
        if self.pictures.len() > KEPT_PICTURES {
            self.pictures.remove(0);
        }
    }

    fn compute(
        &mut self,
        request: &MapRequest,
        key: MapKey,
        model: &ModelEntry,
        known: Option<Arc<ExaminedPicture>>,
        unwanted: &dyn Fn() -> bool,
    ) -> Option<Result<(KeptMap, Arc<MappedImage>), String>> {
        let size = model.metadata.size;
        let is_known = known.is_some();
        let (sample, route, range) = (request.sample.clone(), model.metadata.input_route, model.metadata.grey_range());
        let seed = image_seed(view_seed(0, request.view), &sample);
        // The engine computes while masks are found here.
        let examined = thread::spawn(move || {
            let read = || ExaminedPicture::read(&sample, size, route, range, seed).map(Arc::new);
            known.map_or_else(|| read().map_err(|error| error.to_string()), Ok)
        });
        let answer = self.ask_engine(request, model, unwanted);
        let examined = examined.join().unwrap_or_else(|_| Err("it could not be examined".to_owned()));
        let examined = match examined {
            Ok(examined) => examined,
            Err(problem) => return Some(Err(format!("the file {problem}"))),
        };
        if !is_known {
            self.keep(picture_key(&key, model), &examined);
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
            match EngineProcess::start(&path, Timeouts::default(), &|| false) {
                Ok(engine) => self.engine = Some(engine),
                Err(error) => return Some(Err(error.to_string())),
            }
        }
        let engine = self.engine.as_mut()?;
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
