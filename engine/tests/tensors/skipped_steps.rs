//! A step whose loss or gradient is not finite leaves a learner bitwise unchanged, and so do all steps after it.

use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::training_config::{OptimizerKind, TrainingConfig};
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::{Batch, Learner};
use mammoscope_engine::learning::libtorch_ext::channels_last;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::step_log::StepResult;
use tch::{Device, Kind, Tensor};

const RATE: f64 = 0.01;

fn config(optimizer: OptimizerKind, momentum: f64) -> TrainingConfig {
    let mut config = mammoscope_domain::training::preset::Preset::named("seed").unwrap().config;
    config.set_all("size=64,width=0.125,weight_decay=0.01,ema=0.9,grad_clip=1,dropout=0").unwrap();
    (config.optimizer, config.momentum) = (optimizer, momentum);
    config
}

/// Two images of noise; `pixel` replaces one pixel of the first one.
fn batch(seed: i64, pixel: Option<f64>) -> Batch {
    tch::manual_seed(seed);
    let images = channels_last(&Tensor::randn([2, 3, 64, 64], (Kind::Float, Device::Cpu))).unwrap();
    if let Some(pixel) = pixel {
        let _ = images.get(0).get(1).get(20).get(30).fill_(pixel);
    }
    Batch { images, labels: Tensor::from_slice(&[1_i64, 3]), targets: None }
}

/// Takes one step with all batches together.
fn step(learner: &mut Learner, batches: Vec<Batch>) -> StepResult {
    learner.step_on(RATE, batches).unwrap()
}

/// The bits of everything in a learner that a checkpoint holds.
fn bits(learner: &Learner) -> Vec<Vec<u32>> {
    let average = learner.average.as_ref().unwrap();
    [&learner.parameters.weights, &learner.parameters.statistics, &average.weights, &average.statistics]
        .into_iter()
        .chain(learner.optimizer.moments().map(|(_, moment)| moment))
        .map(|flat| Vec::<f32>::try_from(flat.detach()).unwrap().into_iter().map(f32::to_bits).collect())
        .collect()
}

fn assert_skipped_steps_change_nothing(optimizer: OptimizerKind, momentum: f64) {
    let config = config(optimizer, momentum);
    let values = initial_model(config.width, config.size, Some(View::CcR), 5).tensors;
    let mut learner = Learner::new(&config, &values, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap();
    let initial = bits(&learner);
    for seed in [1, 2] {
        assert!(!step(&mut learner, vec![batch(seed, None)]).is_skipped);
    }
    let before = bits(&learner);
    for (group, (initial, before)) in initial.iter().zip(&before).enumerate() {
        assert_ne!(initial, before, "{optimizer}: group {group} does not learn");
    }
    // In the second of two accumulated batches, when the gradients of the first one are already there.
    let StepResult { is_skipped, loss_sum, .. } = step(&mut learner, vec![batch(3, None), batch(4, Some(f64::NAN))]);
    assert!(is_skipped && loss_sum.is_nan(), "{optimizer}: {loss_sum}");
    assert!(bits(&learner) == before, "{optimizer}: a skipped step has left a trace");
    assert!(step(&mut learner, vec![batch(5, None)]).is_skipped, "{optimizer}: later steps are skipped, too");
    assert!(bits(&learner) == before, "{optimizer}: a step after a skipped one has left a trace");
    assert!(learner.is_finite().unwrap());

    learner.forget_steps().unwrap();
    assert!(!step(&mut learner, vec![batch(5, None)]).is_skipped);
    assert!(bits(&learner) != before && learner.is_finite().unwrap(), "{optimizer}: it learns again");
    assert!(step(&mut learner, vec![batch(6, Some(f64::INFINITY))]).is_skipped, "{optimizer}: an infinite pixel");
}

#[test]
fn a_step_whose_variance_overflows_is_skipped() {
    let config = config(OptimizerKind::Sgd, 0.0);
    let values = initial_model(config.width, config.size, Some(View::CcR), 5).tensors;
    let mut learner = Learner::new(&config, &values, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap();
    assert!(!step(&mut learner, vec![batch(1, None)]).is_skipped);
    let before = bits(&learner);
    // The square overflows f32; normalised by an infinite deviation, everything in its channel becomes zero.
    let mut large = batch(2, None);
    large.images *= 1e25;
    assert!(step(&mut learner, vec![large]).is_skipped);
    assert!(bits(&learner) == before);
}

#[test]
fn nonfinite_steps_change_no_optimizer() {
    for optimizer in OptimizerKind::ALL {
        assert_skipped_steps_change_nothing(*optimizer, 0.9);
    }
    assert_skipped_steps_change_nothing(OptimizerKind::Sgd, 0.0);
    assert_skipped_steps_change_nothing(OptimizerKind::RmsProp, 0.0);
}
