//! Tests of the thread that computes maps, with a provider that the tests control and with the real engine.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::tui::protocol::explain::ModelSource;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::network::network_plan::ParameterPlan;
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::map_look::MapLook;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::checkpoint_model::read_model_or_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::write_run_spec;

/// Longer than anything should take.
const TIMEOUT: Duration = Duration::from_secs(60);

fn request(name: &str) -> MapRequest {
    MapRequest {
        sample: name.into(),
        view: None,
        source: ModelSource::Files("models".into()),
        method: ExplanationMethod::GradCam,
        layer: ExplainedLayer::LAST,
        class: None,
        follow: false,
        epoch: None,
    }
}

/// A provider that finishes a map on a signal; its outcome is an error, since that is the simplest to make.
struct SlowProvider {
    started: Sender<PathBuf>,
    finish: Receiver<()>,
    made: Vec<PathBuf>,
}

impl MapProvider for SlowProvider {
    fn is_cached(&mut self, request: &MapRequest) -> bool {
        self.made.contains(&request.sample)
    }

    fn map(&mut self, request: &MapRequest, cancellation: Cancellation<'_>) -> Result<Arc<MappedImage>, MapError> {
        if !self.is_cached(request) {
            self.started.send(request.sample.clone()).unwrap();
            while self.finish.recv_timeout(Duration::from_millis(1)).is_err() {
                if cancellation.is_cancelled() {
                    return Err(MapError::Cancelled);
                }
            }
            self.made.push(request.sample.clone());
        }
        Err(MapError::Failed(format!("made {}", request.sample.display()).into()))
    }

    fn release_engine(&mut self) {}
}

/// The thread with its requests, the maps that it has started, the signal to finish one, and its answers.
struct Fixture {
    requests: Arc<RequestSlot>,
    started: Receiver<PathBuf>,
    finish: Sender<()>,
    answers: Receiver<UiMessage>,
}

impl Fixture {
    fn new() -> Self {
        let requests = Arc::new(RequestSlot::default());
        let ((start, started), (finish, finished), (inbox, answers)) = (channel(), channel(), channel());
        let theirs = Arc::clone(&requests);
        thread::spawn(move || {
            let mut provider = SlowProvider { started: start, finish: finished, made: Vec::new() };
            serve(&mut provider, &theirs, &inbox);
        });
        Self { requests, started, finish, answers }
    }

    fn submit(&self, shown: &str, ahead: &[&str]) {
        self.requests.submit(vec![request(shown)], ahead.iter().map(|name| request(name)).collect());
    }

    fn started(&self) -> String {
        self.started.recv_timeout(TIMEOUT).expect("a map is started").display().to_string()
    }

    fn answered(&self) -> String {
        match self.answers.recv_timeout(TIMEOUT).expect("an answer") {
            UiMessage::Explain(ExplainMessage::Mapped { request, .. }) => request.sample.display().to_string(),
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.requests.close();
    }
}

#[test]
fn repeated_requests_do_not_restart_a_slow_map() {
    let fixture = Fixture::new();
    fixture.submit("one", &["two"]);
    assert_eq!(fixture.started(), "one");
    for _ in 0..3 {
        fixture.submit("one", &["two"]);
    }
    fixture.finish.send(()).unwrap();
    assert_eq!(fixture.answered(), "one");
    assert_eq!(fixture.started(), "two", "and continues with the next one");
    fixture.submit("one", &["two"]);
    fixture.finish.send(()).unwrap();
    // After the batch is finished, an equal one is new: files may have changed.
    while fixture.answers.try_recv().is_err() {
        fixture.submit("one", &["two"]);
    }
    assert!(fixture.started.try_recv().is_err(), "nothing was made twice");
}

#[test]
fn a_map_computed_ahead_continues_when_it_is_shown() {
    let fixture = Fixture::new();
    fixture.submit("one", &["two", "three"]);
    assert_eq!(fixture.started(), "one");
    fixture.finish.send(()).unwrap();
    assert_eq!((fixture.answered(), fixture.started()), ("one".to_owned(), "two".to_owned()));
    fixture.submit("two", &["three"]);
    fixture.finish.send(()).unwrap();
    assert_eq!((fixture.answered(), fixture.started()), ("two".to_owned(), "three".to_owned()));
    // A map that is no longer on screen is given up.
    fixture.submit("nine", &[]);
    assert_eq!(fixture.started(), "nine");
    fixture.finish.send(()).unwrap();
    while fixture.answered() != "nine" {}
}

#[test]
fn a_map_on_screen_does_not_wait_for_one_computed_ahead() {
    let fixture = Fixture::new();
    fixture.submit("one", &["two"]);
    assert_eq!(fixture.started(), "one");
    fixture.finish.send(()).unwrap();
    assert_eq!((fixture.answered(), fixture.started()), ("one".to_owned(), "two".to_owned()));
    fixture.submit("three", &["two"]);
    assert_eq!(fixture.started(), "three");
}

fn small_model() -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small_w8_keras224names.h5");
    import(&file, ImportOptions { view: None, size: Some(32) }).unwrap().model
}

/// A run of the small model's shape, without any checkpoint.
fn small_run(folder: &Path, model: &Model) -> RunDir {
    let run = RunDir::create(folder.join("run")).unwrap();
    let mut config = Preset::named("seed").unwrap().config;
    (config.size, config.width) = (32, model.metadata.width);
    let spec = RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
        on_event: None,
        placement: None,
        study: None,
        created: Utc::now(),
        group: "group".to_owned(),
        view: View::CcR,
        preset: "seed".to_owned(),
        data: folder.to_owned(),
        device: DeviceChoice::Cpu,
        config,
    };
    write_run_spec(&run.spec(), &spec).unwrap();
    run
}

/// A checkpoint as a trainer writes it, with some of its weights shifted.
fn checkpoint(model: &Model, group: &str, shift: f32) -> Checkpoint {
    let mut checkpoint = Checkpoint::default();
    for ParameterPlan { name, shape, .. } in model.metadata.plan().parameters() {
        let is_dense = name == "dense_1.kernel";
        let values = model.tensors[&name].iter().enumerate();
        let values = values.map(|(at, value)| if is_dense && at % 2 == 0 { value + shift } else { *value }).collect();
        checkpoint.insert(format!("{group}/{name}"), shape, values);
    }
    checkpoint
}

#[test]
fn a_checkpoint_gives_its_averaged_weights_if_it_has_any() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let mut written = checkpoint(&model, "weights", 0.25);
    written.write(&run).unwrap();
    let read = |path: &Path| read_model_or_checkpoint(path).map(|model| model.tensors["dense_1.kernel"].clone());
    let weights = read(&run.last_checkpoint()).unwrap();
    assert!(weights != model.tensors["dense_1.kernel"]);
    written.tensors.extend(checkpoint(&model, "ema", 0.0).tensors);
    written.write(&run).unwrap();
    assert_eq!(read(&run.last_checkpoint()).unwrap(), model.tensors["dense_1.kernel"]);
    let file = folder.path().join("model.safetensors");
    model.write(&file).unwrap();
    assert_eq!(read(&file).unwrap(), model.tensors["dense_1.kernel"]);
    let elsewhere = folder.path().join("last.safetensors");
    std::fs::copy(run.last_checkpoint(), &elsewhere).unwrap();
    assert!(read(&elsewhere).unwrap_err().to_string().contains("run.toml"));
}

#[test]
fn every_new_checkpoint_of_a_run_gives_a_new_map() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let sample = folder.path().join("1_1_C_CC_R.png");
    image::GrayImage::from_fn(60, 80, |x, y| image::Luma([(x * y % 200) as u8])).save(&sample).unwrap();
    let engine = std::env::current_exe().unwrap();
    let engine = engine.parent().unwrap().with_file_name("mammoscope-engine");
    assert!(engine.exists(), "{} is not built: `cargo xtask test` builds it first", engine.display());
    let mut renderer = MapRenderer::with_engine(engine);
    let mut wanted = MapRequest {
        sample,
        view: Some(View::CcR),
        source: ModelSource::Runs(vec![run.clone()]),
        class: Some(DensityClass::C),
        follow: true,
        epoch: None,
        ..request("")
    };
    let mut map = |wanted: &MapRequest| renderer.map(wanted, Cancellation::never());
    let Err(MapError::Failed(failure)) = map(&wanted) else { panic!("there is no checkpoint") };
    assert!(failure.text().contains("no best checkpoint"));
    model.write(&run.best_checkpoint(1, 0.5)).unwrap();
    let first = map(&wanted).unwrap();
    assert!(Arc::ptr_eq(&first, &map(&wanted).unwrap()), "nothing changed");
    checkpoint(&model, "weights", 0.5).write(&run).unwrap();
    let second = map(&wanted).unwrap();
    assert_eq!(second.model, run.last_checkpoint());
    assert_ne!(first.image.map, second.image.map);
    // The same file with other weights.
    checkpoint(&model, "weights", -0.5).write(&run).unwrap();
    let third = map(&wanted).unwrap();
    assert_ne!(second.image.map, third.image.map);
    // After its end the best model is explained again, from the cache and without the engine.
    wanted.follow = false;
    let over = map(&wanted).unwrap();
    assert_eq!((&over.model, &over.image.map), (&first.model, &first.image.map));
    // A map that is not shown any more is made again as it was.
    let scores = third.image.scores;
    drop((first, second, third, over));
    wanted.follow = true;
    assert_eq!(map(&wanted).unwrap().image.scores, scores);
}

#[test]
fn a_kept_epoch_is_explained_by_its_own_model() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let sample = folder.path().join("1_1_C_CC_R.png");
    image::GrayImage::from_fn(60, 80, |x, y| image::Luma([(x * y % 200) as u8])).save(&sample).unwrap();
    let engine = std::env::current_exe().unwrap();
    let engine = engine.parent().unwrap().with_file_name("mammoscope-engine");
    let mut renderer = MapRenderer::with_engine(engine.clone());
    let of_epoch = |epoch| MapRequest {
        sample: sample.clone(),
        view: Some(View::CcR),
        source: ModelSource::Runs(vec![run.clone()]),
        class: Some(DensityClass::C),
        epoch,
        ..request("")
    };
    model.write(&run.best_checkpoint(3, 0.5)).unwrap();
    model.write(&run.kept_checkpoint(2)).unwrap();
    let mut other = model.clone();
    other.tensors.get_mut("dense_1.kernel").unwrap().iter_mut().for_each(|value| *value *= -0.5);
    other.write(&run.kept_checkpoint(4)).unwrap();
    assert_eq!(epochs_of(run.clone()), RunEpochs { run: run.clone(), view: Some(View::CcR), epochs: vec![2, 4] });
    let mut map = |epoch| renderer.map(&of_epoch(epoch), Cancellation::never());
    let [best, second, fourth] = [None, Some(2), Some(4)].map(|epoch| map(epoch).unwrap());
    assert_eq!((&second.model, &fourth.model), (&run.kept_checkpoint(2), &run.kept_checkpoint(4)));
    assert_eq!(best.image.map, second.image.map);
    assert_ne!(best.image.map, fourth.image.map);
    let Err(MapError::Failed(failure)) = map(Some(6)) else { panic!("epoch 6 is not kept") };
    assert!(failure.text().contains("has not kept the model of epoch 6"), "{failure}");
    std::fs::write(run.kept_checkpoint(4), "damaged").unwrap();
    let Err(MapError::Failed(failure)) = map(Some(4)) else { panic!("the file is damaged") };
    assert!(failure.text().contains("epoch-004.safetensors"), "{failure}");
    // The scores of every epoch are reported, whether its map is on screen or ahead.
    let (inbox, messages) = channel();
    let requests = Arc::new(RequestSlot::default());
    let theirs = Arc::clone(&requests);
    let worker = thread::spawn(move || serve(&mut MapRenderer::with_engine(engine), &theirs, &inbox));
    requests.submit(vec![of_epoch(Some(2))], vec![of_epoch(Some(4)), of_epoch(None)]);
    let mut scored = Vec::new();
    while scored.len() < 2 {
        match messages.recv_timeout(TIMEOUT).expect("an answer") {
            UiMessage::Explain(ExplainMessage::Scored { request, outcome }) => scored.push((request.epoch, outcome)),
            UiMessage::Explain(ExplainMessage::Mapped { request, .. }) => assert_eq!(request.epoch, Some(2)),
            other => panic!("{other:?}"),
        }
    }
    requests.close();
    worker.join().unwrap();
    assert_eq!(scored[0], (Some(2), Ok(EpochScores { scores: second.image.scores })));
    assert!(scored[1].0 == Some(4) && scored[1].1.is_err(), "{scored:?}");
}

#[test]
fn many_maps_ahead_do_not_make_those_on_screen_unanswered() {
    let slot = RequestSlot::default();
    let ahead: Vec<MapRequest> = (0..40).map(|at| request(&at.to_string())).collect();
    slot.submit(vec![request("shown")], ahead.clone());
    slot.mark_answered(&request("shown"));
    for request in &ahead {
        assert!(slot.wants(request), "{}", request.sample.display());
        slot.mark_answered(request);
    }
}

#[test]
fn a_failed_map_can_be_requested_again() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let mut renderer = MapRenderer::with_engine(folder.path().join("no engine"));
    let wanted = MapRequest { source: ModelSource::Runs(vec![run.clone()]), ..request("gone.png") };
    let mut problem = || match renderer.map(&wanted, Cancellation::never()) {
        Err(MapError::Failed(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(problem().contains("no best checkpoint"));
    model.write(&run.best_checkpoint(1, 0.5)).unwrap();
    let later = problem();
    assert!(later.contains("the file") || later.contains("no engine"), "{later}");
}

#[test]
fn a_failed_export_is_reported_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let painting =
        MapPainting { colors: Colormap::default(), opacity: 0.5, scale: MapScale::PerImage, look: MapLook::Auto };
    let problem = export(&file, &[], painting).unwrap_err().to_string();
    assert!(problem.starts_with("write to ") && problem.lines().count() == 1, "{problem}");
}
