//! The thread that computes maps, with maps that take as long as a test wants, and with the real engine.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::tui::protocol::explain::ModelSource;
use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::network::network_plan::ParameterPlan;
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::keras::{ImportOptions, import};
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::checkpoint_model::read_model_or_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::write_run_spec;

/// Longer than anything takes.
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
    }
}

/// Makes a map when it is told to; its outcome is an error, since that is the simplest to make.
struct SlowRenderer {
    begun: Sender<PathBuf>,
    go_on: Receiver<()>,
    made: Vec<PathBuf>,
}

impl MapProvider for SlowRenderer {
    fn knows(&mut self, request: &MapRequest) -> bool {
        self.made.contains(&request.sample)
    }

    fn map(&mut self, request: &MapRequest, unwanted: &dyn Fn() -> bool) -> Option<Result<Arc<MappedImage>, String>> {
        if !self.knows(request) {
            self.begun.send(request.sample.clone()).unwrap();
            while self.go_on.recv_timeout(Duration::from_millis(1)).is_err() {
                if unwanted() {
                    return None;
                }
            }
            self.made.push(request.sample.clone());
        }
        Some(Err(format!("made {}", request.sample.display())))
    }

    fn rest(&mut self) {}
}

/// The thread, what it began, a way to let it finish that, and what it answered.
struct Stage {
    wishes: Arc<RequestSlot>,
    begun: Receiver<PathBuf>,
    go_on: Sender<()>,
    answers: Receiver<UiMessage>,
}

impl Stage {
    fn new() -> Self {
        let wishes = Arc::new(RequestSlot::default());
        let ((begun, seen), (go_on, waits), (inbox, answers)) = (channel(), channel(), channel());
        let theirs = Arc::clone(&wishes);
        thread::spawn(move || {
            let mut maker = SlowRenderer { begun, go_on: waits, made: Vec::new() };
            work(&mut maker, &theirs, &inbox);
        });
        Self { wishes, begun: seen, go_on, answers }
    }

    fn wish(&self, shown: &str, ahead: &[&str]) {
        self.wishes.wish(vec![request(shown)], ahead.iter().map(|name| request(name)).collect());
    }

    fn begun(&self) -> String {
        self.begun.recv_timeout(TIMEOUT).expect("a map is begun").display().to_string()
    }

    fn answered(&self) -> String {
        match self.answers.recv_timeout(TIMEOUT).expect("an answer") {
            UiMessage::Explain(ExplainMessage::Mapped { request, .. }) => request.sample.display().to_string(),
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.wishes.close();
    }
}

#[test]
fn a_slow_map_survives_that_it_is_asked_for_every_second() {
    let stage = Stage::new();
    stage.wish("one", &["two"]);
    assert_eq!(stage.begun(), "one");
    for _ in 0..3 {
        stage.wish("one", &["two"]);
    }
    stage.go_on.send(()).unwrap();
    assert_eq!(stage.answered(), "one");
    assert_eq!(stage.begun(), "two", "and goes on with what comes next");
    stage.wish("one", &["two"]);
    stage.go_on.send(()).unwrap();
    // Worked off, an equal wish is a new one: what is there may have changed.
    while stage.answers.try_recv().is_err() {
        stage.wish("one", &["two"]);
    }
    assert!(stage.begun.try_recv().is_err(), "nothing was made twice");
}

#[test]
fn what_is_computed_ahead_is_not_begun_anew_when_it_is_looked_at() {
    let stage = Stage::new();
    stage.wish("one", &["two", "three"]);
    assert_eq!(stage.begun(), "one");
    stage.go_on.send(()).unwrap();
    assert_eq!((stage.answered(), stage.begun()), ("one".to_owned(), "two".to_owned()));
    stage.wish("two", &["three"]);
    stage.go_on.send(()).unwrap();
    assert_eq!((stage.answered(), stage.begun()), ("two".to_owned(), "three".to_owned()));
    // Of what nobody looks at any more it lets go.
    stage.wish("nine", &[]);
    assert_eq!(stage.begun(), "nine");
    stage.go_on.send(()).unwrap();
    while stage.answered() != "nine" {}
}

#[test]
fn what_is_looked_at_waits_for_nothing_that_is_computed_ahead() {
    let stage = Stage::new();
    stage.wish("one", &["two"]);
    assert_eq!(stage.begun(), "one");
    stage.go_on.send(()).unwrap();
    assert_eq!((stage.answered(), stage.begun()), ("one".to_owned(), "two".to_owned()));
    stage.wish("three", &["two"]);
    assert_eq!(stage.begun(), "three");
}

fn small_model() -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small_w8_keras224names.h5");
    import(&file, ImportOptions { view: None, size: Some(32) }).unwrap().model
}

/// A run of the small model's shape without any checkpoint.
fn small_run(folder: &Path, model: &Model) -> RunDir {
    let run = RunDir::create(folder.join("run")).unwrap();
    let mut config = Preset::named("seed").unwrap().config;
    (config.size, config.width) = (32, model.metadata.width);
    let spec = RunSpec {
        grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
        schema: RUN_SCHEMA,
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

/// What a training writes, with its first weights shifted by so much.
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
fn a_checkpoint_holds_a_model_its_average_where_it_has_one() {
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
fn every_new_checkpoint_of_a_training_brings_a_new_map() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let sample = folder.path().join("1_1_C_CC_R.png");
    image::GrayImage::from_fn(60, 80, |x, y| image::Luma([(x * y % 200) as u8])).save(&sample).unwrap();
    let engine = std::env::current_exe().unwrap();
    let engine = engine.parent().unwrap().with_file_name("mammoscope-engine");
    assert!(engine.exists(), "{} is not built: `cargo xtask test` builds it first", engine.display());
    let mut maker = MapRenderer::with_engine(engine);
    let mut wanted = MapRequest {
        sample,
        view: Some(View::CcR),
        source: ModelSource::Runs(vec![run.clone()]),
        class: Some(DensityClass::C),
        follow: true,
        ..request("")
    };
    let mut map = |wanted: &MapRequest| maker.map(wanted, &|| false).expect("it is wanted");
    assert!(map(&wanted).unwrap_err().contains("no best checkpoint"));
    model.write(&run.best_checkpoint(1, 0.5)).unwrap();
    let first = map(&wanted).unwrap();
    assert!(Arc::ptr_eq(&first, &map(&wanted).unwrap()), "nothing changed");
    checkpoint(&model, "weights", 0.5).write(&run).unwrap();
    let second = map(&wanted).unwrap();
    assert_eq!(second.model, run.last_checkpoint());
    assert_ne!(first.image.map, second.image.map);
    // The same file, other weights.
    checkpoint(&model, "weights", -0.5).write(&run).unwrap();
    let third = map(&wanted).unwrap();
    assert_ne!(second.image.map, third.image.map);
    // When it is over its best model speaks again, from memory: nothing of the engine is needed.
    wanted.follow = false;
    let over = map(&wanted).unwrap();
    assert_eq!((&over.model, &over.image.map), (&first.model, &first.image.map));
    // A map that nobody shows is made again as it was.
    let scores = third.image.scores;
    drop((first, second, third, over));
    wanted.follow = true;
    assert_eq!(map(&wanted).unwrap().image.scores, scores);
}

#[test]
fn an_error_is_no_last_word() {
    let (folder, model) = (tempfile::tempdir().unwrap(), small_model());
    let run = small_run(folder.path(), &model);
    let mut maker = MapRenderer::with_engine(folder.path().join("no engine"));
    let wanted = MapRequest { source: ModelSource::Runs(vec![run.clone()]), ..request("gone.png") };
    let mut problem = || maker.map(&wanted, &|| false).unwrap().unwrap_err();
    assert!(problem().contains("no best checkpoint"));
    model.write(&run.best_checkpoint(1, 0.5)).unwrap();
    let later = problem();
    assert!(later.contains("the file") || later.contains("no engine"), "{later}");
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let painting = MapPainting { colors: Colormap::default(), opacity: 0.5, scale: MapScale::PerImage };
    let problem = export(&file, &[], painting).unwrap_err();
    assert!(problem.starts_with("write to ") && problem.lines().count() == 1, "{problem}");
}
