//! A small training run for tests of the loop: eight striped images, a scripted observer, a run directory.

use std::collections::{BTreeMap, VecDeque};

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::BatchSplit;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::early_stop::EarlyStop;
use mammoscope_domain::training::lr_schedule::LearningRateSchedule;
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::batches::TrainingImages;
use mammoscope_engine::learning::best_models::BestModels;
use mammoscope_engine::learning::image_set::ImageSet;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::Learner;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::replay::{Eager, Replay};
use mammoscope_engine::learning::training_loop::{Ending, TrainingLoop, TrainingTask};
use mammoscope_engine::learning::training_observer::{Command, ImageChanges, TrainingObserver};
use mammoscope_engine::learning::training_progress::{Progress, TrainingState};
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use tch::{Device, Kind};

pub(crate) const SIZE: usize = 64;
/// Steps per epoch, of two images each.
pub(crate) const STEPS: u64 = 4;

/// Records all events and issues scripted commands.
#[derive(Default)]
pub(crate) struct ScriptedObserver {
    pub(crate) events: Vec<RunEventKind>,
    /// Each command with the number of polls after which it is issued.
    pub(crate) commands: VecDeque<(usize, Command)>,
    /// The acknowledged commands with their steps.
    pub(crate) acknowledged: Vec<(Command, u64)>,
    /// The number of events at each sync.
    pub(crate) synced: Vec<usize>,
    pub(crate) polls: usize,
}

impl TrainingObserver for ScriptedObserver {
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()> {
        self.events.push(event);
        Ok(())
    }

    fn record_split(&mut self, split: BatchSplit) -> anyhow::Result<()> {
        self.record(RunEventKind::BatchSplit(split))
    }

    fn next_command(&mut self) -> Option<Command> {
        self.polls += 1;
        self.commands.front().filter(|(after, _)| self.polls > *after).map(|(_, command)| command.clone())
    }

    fn acknowledge(&mut self, command: &Command, step: u64) -> anyhow::Result<()> {
        assert_eq!(self.commands.pop_front().map(|(_, command)| command).as_ref(), Some(command));
        self.acknowledged.push((command.clone(), step));
        Ok(())
    }

    fn should_stop(&mut self) -> bool {
        false
    }

    fn wait(&mut self) {
        assert!(!self.commands.is_empty(), "the loop waits for a command, but none is left");
    }

    fn image_changes(&mut self) -> ImageChanges {
        ImageChanges::default()
    }

    fn sync(&mut self) {
        self.synced.push(self.events.len());
    }

    fn wait_or_fail(&mut self, _file: &str, error: anyhow::Error) -> anyhow::Result<()> {
        Err(error)
    }

    fn end_wait(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn notes(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Two images per class: stripes whose width grows with the class, in two phases.
pub(crate) fn images() -> Vec<(Vec<u8>, DensityClass)> {
    let stripes = |class: usize, phase: usize| {
        (0..SIZE * SIZE)
            .map(|at| if ((at % SIZE + phase) / (2 + 3 * class)).is_multiple_of(2) { 40 } else { 200 })
            .collect()
    };
    DensityClass::ALL.into_iter().flat_map(|class| [0, 5].map(|phase| (stripes(class.index(), phase), class))).collect()
}

fn set(images: &[(Vec<u8>, DensityClass)]) -> ImageSet<'_> {
    let pixels = images.iter().map(|(pixels, _)| pixels.as_slice()).collect();
    ImageSet {
        images: TrainingImages::new(pixels, SIZE, 1, Device::Cpu).unwrap(),
        labels: images.iter().map(|(_, label)| *label).collect(),
        targets: None,
        files: (0..images.len()).map(|number| format!("{number}.png")).collect(),
        device: Device::Cpu,
    }
}

/// A small network trained with the reference's recipe, without randomness, in steps of two images.
pub(crate) fn config(epochs: u32) -> TrainingConfig {
    TrainingConfig {
        epochs,
        size: SIZE,
        width: WidthFactor::of_stem(8).unwrap(),
        batch_size: 2,
        augment: false,
        dropout: 0.0,
        checkpoint_minutes: 1e6,
        ..Preset::named("seed").unwrap().config
    }
}

/// A state before the first step, with weights from a seed.
pub(crate) fn initial_state(config: &TrainingConfig, seed: u64) -> TrainingState {
    let initial = initial_model(config.width, SIZE, None, seed);
    TrainingState {
        learner: Learner::new(config, &initial.tensors, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap(),
        progress: Progress::default(),
        schedule: LearningRateSchedule::new(config, STEPS),
        early_stop: EarlyStop::new(config),
        best: BestModels::new(config.monitor, config.keep_best),
    }
}

/// A run directory in a temporary folder.
pub(crate) fn run_dir() -> (tempfile::TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    (folder, run)
}

/// Trains a state to its end; the training images are also the validation images.
pub(crate) fn train(
    config: &TrainingConfig,
    run: &RunDir,
    state: &mut TrainingState,
    observer: &mut ScriptedObserver,
) -> anyhow::Result<Ending> {
    train_by(Box::new(Eager), config, run, state, observer)
}

/// [`train`] with a way to carry out full steps.
pub(crate) fn train_by(
    replay: Box<dyn Replay>,
    config: &TrainingConfig,
    run: &RunDir,
    state: &mut TrainingState,
    observer: &mut ScriptedObserver,
) -> anyhow::Result<Ending> {
    let images = images();
    let metadata = ModelMetadata {
        width: config.width,
        size: SIZE,
        view: None,
        input_route: InputRoute::Training,
        provenance: BTreeMap::new(),
    };
    let task = TrainingTask {
        config,
        run,
        train: set(&images),
        validation: set(&images),
        metadata,
        device: Device::Cpu,
        kind: Kind::Float,
    };
    TrainingLoop::new(&task, state, observer, replay)?.run()
}

/// The state restored from the last checkpoint.
pub(crate) fn resumed(config: &TrainingConfig, run: &RunDir) -> TrainingState {
    let mut state = initial_state(config, 99);
    state.restore(&Checkpoint::read(&run.last_checkpoint()).unwrap()).unwrap();
    state
}
