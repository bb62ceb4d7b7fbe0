//! A small training for tests of the loop: eight images of stripes, a listener that gives orders, a run directory.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test's own files are as they are")]

use std::collections::{BTreeMap, VecDeque};

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::run::run_event::RunEventKind;
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
use mammoscope_engine::learning::training_loop::{Ending, TrainingLoop, TrainingTask};
use mammoscope_engine::learning::training_observer::{Order, TrainingObserver};
use mammoscope_engine::learning::training_progress::{Progress, TrainingState};
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use tch::{Device, Kind};

pub(crate) const SIZE: usize = 64;
/// Updates of an epoch, of two images each.
pub(crate) const STEPS: u64 = 4;

/// Remembers events, and gives orders from a certain update on.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) events: Vec<RunEventKind>,
    /// Orders, and the number of looks for one after which each is given.
    pub(crate) orders: VecDeque<(usize, Order)>,
    pub(crate) obeyed: Vec<(Order, u64)>,
    /// How many events there were each time that they were made safe.
    pub(crate) synced: Vec<usize>,
    pub(crate) looks: usize,
}

impl TrainingObserver for Listener {
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()> {
        self.events.push(event);
        Ok(())
    }

    fn next_order(&mut self) -> Option<Order> {
        self.looks += 1;
        self.orders.front().filter(|(from, _)| self.looks > *from).map(|(_, order)| order.clone())
    }

    fn obeyed(&mut self, order: &Order, step: u64) -> anyhow::Result<()> {
        assert_eq!(self.orders.pop_front().map(|(_, order)| order).as_ref(), Some(order));
        self.obeyed.push((order.clone(), step));
        Ok(())
    }

    fn is_to_end(&mut self) -> bool {
        false
    }

    fn wait(&mut self) {
        assert!(!self.orders.is_empty(), "it waits for an order that nobody will give");
    }

    fn lost_images(&mut self) -> Vec<(usize, String)> {
        Vec::new()
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        self.synced.push(self.events.len());
        Ok(())
    }

    fn notes(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Two images a class: stripes whose width grows with the class, and whose phase differs.
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
        files: (0..images.len()).map(|number| format!("{number}.png")).collect(),
        device: Device::Cpu,
    }
}

/// The smallest network of the reference's recipe, without anything random, in steps of two images.
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

/// A state at the beginning, of weights by a seed.
pub(crate) fn beginning(config: &TrainingConfig, seed: u64) -> TrainingState {
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

/// Trains a state to its end, on the images and validated by the same.
pub(crate) fn train(
    config: &TrainingConfig,
    run: &RunDir,
    state: &mut TrainingState,
    listener: &mut Listener,
) -> anyhow::Result<Ending> {
    let images = images();
    let metadata = ModelMetadata {
        width: config.width,
        size: SIZE,
        view: None,
        input_route: InputRoute::One,
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
    TrainingLoop::new(&task, state, listener)?.run()
}

/// A state as its last checkpoint has it.
pub(crate) fn resumed(config: &TrainingConfig, run: &RunDir) -> TrainingState {
    let mut state = beginning(config, 99);
    state.restore(&Checkpoint::read(&run.last_checkpoint()).unwrap()).unwrap();
    state
}
