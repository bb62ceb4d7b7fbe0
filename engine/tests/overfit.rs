//! The training loop learns: eight images by heart, and what it tells on the way.

#![allow(clippy::unwrap_used, reason = "a test's own files are as they are")]

use std::collections::BTreeMap;

use mammoscope::domain::density::DensityClass;
use mammoscope::domain::early_stop::EarlyStop;
use mammoscope::domain::input_route::InputRoute;
use mammoscope::domain::lr_schedule::LearningRateSchedule;
use mammoscope::domain::network_plan::WidthFactor;
use mammoscope::domain::preset::Preset;
use mammoscope::domain::run_event::RunEventKind;
use mammoscope::domain::training_config::TrainingConfig;
use mammoscope::storage::checkpoint_file::Checkpoint;
use mammoscope::storage::model_file::{Model, ModelMetadata};
use mammoscope::storage::run_dir::RunDir;
use mammoscope_engine::learning::batches::TrainingImages;
use mammoscope_engine::learning::best_models::BestModels;
use mammoscope_engine::learning::image_set::ImageSet;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::Learner;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::training_loop::{Ending, TrainingLoop, TrainingTask};
use mammoscope_engine::learning::training_observer::{Order, TrainingObserver};
use mammoscope_engine::learning::training_progress::{Progress, TrainingState};
use tch::{Device, Kind};

const SIZE: usize = 64;

/// Remembers events and gives no orders.
#[derive(Default)]
struct Listener(Vec<RunEventKind>);

impl TrainingObserver for Listener {
    fn record(&mut self, event: RunEventKind) -> anyhow::Result<()> {
        self.0.push(event);
        Ok(())
    }

    fn next_order(&mut self) -> Option<Order> {
        None
    }

    fn obeyed(&mut self, _order: &Order, _step: u64) -> anyhow::Result<()> {
        Ok(())
    }

    fn is_to_end(&mut self) -> bool {
        false
    }

    fn wait(&mut self) {}

    fn lost_images(&mut self) -> Vec<(usize, String)> {
        Vec::new()
    }

    fn notes(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Two images a class: stripes whose width grows with the class, and whose phase differs.
fn images() -> Vec<(Vec<u8>, DensityClass)> {
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

#[test]
fn eight_images_are_learnt_by_heart() {
    let config = TrainingConfig {
        epochs: 60,
        size: SIZE,
        width: WidthFactor::of_stem(8).unwrap(),
        batch_size: 2,
        augment: false,
        dropout: 0.0,
        checkpoint_minutes: 1e6,
        ..Preset::named("seed").unwrap().config
    };
    let images = images();
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::create(folder.path().join("run")).unwrap();
    let metadata = ModelMetadata {
        width: config.width,
        size: SIZE,
        view: None,
        input_route: InputRoute::One,
        provenance: BTreeMap::new(),
    };
    let initial = initial_model(config.width, SIZE, None, config.seed);
    let mut state = TrainingState {
        learner: Learner::new(&config, &initial.tensors, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap(),
        progress: Progress::default(),
        schedule: LearningRateSchedule::new(&config, 4),
        early_stop: EarlyStop::new(&config),
        best: BestModels::new(config.monitor, 1),
    };
    let task = TrainingTask {
        config: &config,
        run: &run,
        train: set(&images),
        validation: set(&images),
        metadata,
        device: Device::Cpu,
        kind: Kind::Float,
    };
    let mut listener = Listener::default();
    let ending = TrainingLoop::new(&task, &mut state, &mut listener).unwrap().run().unwrap();
    assert_eq!(ending, Ending::Completed { reason: None });

    let accuracies: Vec<f64> = listener
        .0
        .iter()
        .filter_map(
            |event| if let RunEventKind::EpochEnded { val_accuracy, .. } = event { *val_accuracy } else { None },
        )
        .collect();
    assert_eq!(accuracies.len(), 60);
    assert!(accuracies.contains(&1.0), "evaluated with the moving statistics: {accuracies:?}");
    let best = state.best.best().unwrap();
    assert!((best.value - 1.0).abs() < 1e-12);
    let model = Model::read(&run.best_checkpoint(best.epoch, best.value)).unwrap();
    assert_eq!(model.metadata.provenance["epoch"], best.epoch.to_string());
    let last = Checkpoint::read(&run.last_checkpoint()).unwrap();
    assert_eq!(last.counters("state/progress").unwrap()[..2], [240, 60]);

    // A state of other weights, set back to the checkpoint, is the state that was written.
    let other = initial_model(config.width, SIZE, None, 99);
    let mut restored = TrainingState {
        learner: Learner::new(&config, &other.tensors, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap(),
        progress: Progress::default(),
        schedule: LearningRateSchedule::new(&config, 4),
        early_stop: EarlyStop::new(&config),
        best: BestModels::new(config.monitor, 1),
    };
    restored.restore(&last).unwrap();
    assert_eq!(restored.to_checkpoint().unwrap().tensors, last.tensors);
    assert_eq!((restored.progress, restored.schedule), (state.progress, state.schedule));
}
