//! Small training runs by the real binaries: a data set of one view with its own splits, and a workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, TensorData};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::read_status;

use crate::{engine, mammoscope, names_in, stderr_of, wait_for, write_image};

/// The settings of a small training run, unless a test overrides them.
const SETTINGS: [&str; 8] = [
    "epochs=2",
    "size=64",
    "width=0.125",
    "batch_size=4",
    "learning_rate=0.01",
    "schedule=constant",
    "augment=false",
    "threads=1",
];

/// A data set, a workspace and the engine to train with.
pub struct TrainingFixture {
    pub folder: tempfile::TempDir,
    pub data: PathBuf,
    pub workspace: PathBuf,
    engine: PathBuf,
}

impl TrainingFixture {
    /// A data set without images.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, workspace) = (folder.path().join("data"), folder.path().join("workspace"));
        Self { folder, data, workspace, engine: engine() }
    }

    /// Eight training images, two per class, and four each for validation and test.
    pub fn new() -> Self {
        let fixture = Self::empty();
        for (number, class) in ["A", "B", "C", "D"].into_iter().enumerate() {
            for subject in [number, number + 4] {
                fixture.add("train", class, subject);
            }
            fixture.add("validation", class, number + 8);
            fixture.add("test", class, number + 12);
        }
        fixture
    }

    /// Replaces the engine with another program.
    pub fn with_engine(self, engine: &Path) -> Self {
        Self { engine: engine.to_owned(), ..self }
    }

    /// The path of a subject's image.
    pub fn image(&self, split: &str, class: &str, subject: usize) -> PathBuf {
        self.data.join(format!("CC_R/{split}/{class}/{subject}_1_{class}_CC_R.png"))
    }

    /// Writes a subject's image, with a pattern of its own, and returns its path.
    pub fn add(&self, split: &str, class: &str, subject: usize) -> PathBuf {
        let path = self.image(split, class, subject);
        write_image(&path, subject as u32 + 1);
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mammoscope();
        command.env("MAMMOSCOPE_ENGINE", &self.engine).arg("--workspace").arg(&self.workspace).args(arguments);
        command.stdin(Stdio::null());
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn train_command(&self, settings: &[&str], arguments: &[&str]) -> Command {
        let key = |setting: &str| setting.split('=').next().map(str::to_owned);
        let others = SETTINGS.iter().filter(|known| settings.iter().all(|given| key(given) != key(known)));
        let all: Vec<&str> = others.chain(settings).copied().collect();
        let mut command = self.command(&["train", "--view", "CC_R", "--preset", "seed", "--device", "cpu"]);
        command.arg("--data").arg(&self.data).arg("--set").arg(all.join(",")).args(arguments);
        command
    }

    /// Trains to the end, with these settings in place of the usual ones.
    pub fn train(&self, settings: &[&str]) -> Output {
        self.train_command(settings, &["--follow"]).output().unwrap()
    }

    /// Trains to the end and asserts success.
    pub fn train_successfully(&self, settings: &[&str]) -> RunDir {
        let output = self.train(settings);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        self.run()
    }

    /// Starts detached training.
    pub fn start(&self, settings: &[&str]) -> RunDir {
        let output = self.train_command(settings, &["--detach"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        RunDir::new(String::from_utf8(output.stdout).unwrap().trim())
    }

    pub fn resume(&self, run: &RunDir, arguments: &[&str]) -> Output {
        let name = run.name();
        self.output(&[&["resume", &name, "--follow"], arguments].concat())
    }

    /// Sends a request to a run and waits for its acknowledgement.
    pub fn control(&self, run: &RunDir, verb: &str) {
        let output = self.output(&["control", &run.name(), verb]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    }

    /// The only run in the workspace.
    pub fn run(&self) -> RunDir {
        let runs = self.workspace.join("runs");
        let names = names_in(&runs);
        assert_eq!(names.len(), 1, "{names:?}");
        RunDir::new(runs.join(&names[0]))
    }
}

/// The events in a run's file so far.
pub fn events(run: &RunDir) -> Vec<RunEventKind> {
    let text = fs::read_to_string(run.events()).unwrap();
    let parsed = text.lines().filter_map(|line| serde_json::from_str::<RunEvent>(line).ok());
    parsed.map(|event| event.kind).collect()
}

/// The state that the events add up to.
pub fn state(run: &RunDir) -> RunState {
    RunSnapshot::read(run.clone()).state().clone()
}

pub fn summary(run: &RunDir) -> RunSummary {
    state(run).summary
}

pub fn status(run: &RunDir) -> RunStatus {
    read_status(&run.status()).unwrap()
}

/// Asserts that a run has failed, by its events and its status alike. Returns the reason.
pub fn failure(run: &RunDir) -> String {
    let (summary, status) = (summary(run), status(run));
    assert_eq!((summary.phase, status.state), (RunPhase::Failed, RunPhase::Failed), "{:?}", status.reason);
    assert_eq!(summary.reason, status.reason);
    let reason = status.reason.unwrap();
    assert!(!reason.contains('\n'), "{reason}");
    reason
}

/// Waits for an event for which `wanted` returns a value.
pub fn wait_for_event<T>(run: &RunDir, what: &str, mut wanted: impl FnMut(&RunEventKind) -> Option<T>) -> T {
    wait_for(what, || events(run).iter().find_map(&mut wanted))
}

/// Waits until a run is over. Returns its final state.
pub fn wait_for_end(run: &RunDir) -> RunPhase {
    wait_for("the end of the run", || Some(status(run).state).filter(|state| state.is_over()))
}

/// Asserts that every checkpoint and best model of a run can be read and is finite.
pub fn assert_whole_and_finite(run: &RunDir) {
    let mut found = 0;
    for name in names_in(&run.checkpoints()) {
        let path = run.checkpoints().join(&name);
        let values: Vec<f32> = if name.starts_with("best-") || name.starts_with("epoch-") {
            Model::read(&path).unwrap().tensors.into_values().flatten().collect()
        } else {
            let tensors = Checkpoint::read(&path).unwrap().tensors;
            let numbers = tensors.into_values().filter_map(|tensor| match tensor.data {
                TensorData::F32(values) => Some(values),
                _ => None,
            });
            numbers.flatten().collect()
        };
        assert!(!values.is_empty() && values.iter().all(|value| value.is_finite()), "{name}");
        found += 1;
    }
    assert!(found > 0, "there are no checkpoints");
}

/// Asserts that a run has no partly written files.
pub fn assert_nothing_half_written(run: &RunDir) {
    for folder in [run.path().to_owned(), run.checkpoints(), run.predictions(), run.evaluations()] {
        let is_partial = |name: &String| [".part", ".link"].iter().any(|ending| name.ends_with(ending));
        let left: Vec<_> = names_in(&folder).into_iter().filter(is_partial).collect();
        assert_eq!(left, Vec::<String>::new(), "in {}", folder.display());
    }
}
