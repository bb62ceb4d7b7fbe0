//! Tests that steps, checkpoints and rollbacks leave everything that recorded steps use where it is.

use std::collections::VecDeque;

use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use tch::{Device, Kind, TchError, Tensor};

use super::learner::{Batch, BatchSource};
use super::loss::CrossEntropy;
use super::replay::{Eager, Replay, StepPart};
use super::training_progress::TrainingState;

const SIZE: i64 = 64;

fn config(optimizer: &str) -> TrainingConfig {
    let mut config = Preset::named("seed").unwrap().config;
    let settings = "width=0.125,batch_size=2,accumulate=2,dropout=0.3,ema=0.9,momentum=0.9,grad_clip=1";
    config.set_all(&format!("size={SIZE},{settings},bn_momentum=0.6,bn_warmup=true,{optimizer}")).unwrap();
    config
}

fn state(config: &TrainingConfig, kind: Kind) -> TrainingState {
    TrainingState::initial(config, 10, CrossEntropy::plain(), Device::Cpu, kind).unwrap()
}

/// Two images of noise each.
struct Noise {
    next: i64,
    images: Tensor,
}

impl BatchSource for Noise {
    fn prepare(&mut self, count: usize) -> Result<(), TchError> {
        let numbers = Tensor::arange(count as i64 * SIZE * SIZE, (Kind::Float, Device::Cpu));
        self.images = (numbers * (self.next + 3)).sin().reshape([count as i64, 1, SIZE, SIZE]);
        self.next += 1;
        Ok(())
    }

    fn batch(&self, count: usize) -> Result<Batch, TchError> {
        let labels = Tensor::arange(count as i64, (Kind::Int64, Device::Cpu));
        Ok(Batch { images: self.images.shallow_clone(), labels, targets: None })
    }
}

fn noise() -> Noise {
    Noise { next: 0, images: Tensor::new() }
}

/// The parts that were run.
#[derive(Debug, Default)]
struct Noted {
    parts: VecDeque<StepPart>,
}

impl Replay for Noted {
    fn run(&mut self, part: StepPart, operations: &mut dyn FnMut() -> Result<(), TchError>) -> Result<(), TchError> {
        self.parts.push_back(part);
        operations()
    }

    fn warm_ups(&self) -> usize {
        0
    }

    fn forget(&mut self) {}

    fn release(&mut self) -> bool {
        false
    }

    fn take_failure(&mut self) -> Option<String> {
        None
    }
}

fn addresses(state: &TrainingState) -> Vec<(String, usize)> {
    state.learner.memory().into_iter().map(|(name, tensor)| (name, tensor.data_ptr() as usize)).collect()
}

#[test]
fn steps_restores_and_rollbacks_keep_all_memory() {
    let kinds =
        [("optimizer=sgd", Kind::BFloat16), ("optimizer=adamw", Kind::Float), ("optimizer=rmsprop", Kind::Float)];
    for (optimizer, kind) in kinds {
        let config = config(optimizer);
        let mut state = state(&config, kind);
        let mut source = noise();
        let checkpoint = state.to_checkpoint().unwrap();
        // Dropout allocates with the first batch.
        state.learner.step(0.01, &[2, 2], &mut source, &mut Eager).unwrap();
        let before = addresses(&state);
        assert!(before.iter().any(|(name, _)| name == "dropout"));
        for counts in [&[2, 2][..], &[2, 1], &[1], &[2, 2]] {
            state.learner.step(0.02, counts, &mut source, &mut Eager).unwrap();
            assert_eq!(addresses(&state), before, "{optimizer}: steps of {counts:?}");
        }
        let later = state.to_checkpoint().unwrap();
        for checkpoint in [&checkpoint, &later] {
            state.restore(checkpoint).unwrap();
            assert_eq!(&state.to_checkpoint().unwrap(), checkpoint);
            state.learner.step(0.01, &[2, 2], &mut source, &mut Eager).unwrap();
            assert_eq!(addresses(&state), before, "{optimizer}: restored");
        }
    }
}

#[test]
fn steps_are_recorded_once_the_momentum_is_constant() {
    use StepPart::{FirstPass, FurtherPass, Update};
    let config = config("optimizer=adamw");
    let mut state = state(&config, Kind::Float);
    let mut noted = Noted::default();
    for _ in 0..3 {
        state.learner.step(0.01, &[2, 2, 2], &mut noise(), &mut noted).unwrap();
    }
    // That of the batch normalisations still changes in the first two of the three steps.
    assert_eq!(noted.parts, [FirstPass, FurtherPass, FurtherPass, Update]);
}
