//! Training in bf16 with weights that are cast together gives the same numbers as casting them layer by layer.

use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::flat_parameters::FlatParameters;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::{Batch, Learner};
use mammoscope_engine::learning::libtorch_ext::channels_last;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::resnet::ResNet;
use mammoscope_engine::learning::training_pass::TrainingPass;
use tch::{Device, Kind, Tensor};

const SIZE: i64 = 64;
const BATCHES: [i64; 2] = [1, 2];

fn batch(number: i64) -> Batch {
    tch::manual_seed(number);
    let images = Tensor::randn([2, 3, SIZE, SIZE], (Kind::Float, Device::Cpu));
    let labels = Tensor::from_slice(&[number % 4, (number + 1) % 4]);
    Batch { images: channels_last(&images.to_kind(Kind::BFloat16)).unwrap(), labels, targets: None }
}

fn bits(flat: &Tensor) -> Vec<u32> {
    Vec::<f32>::try_from(flat.detach()).unwrap().into_iter().map(f32::to_bits).collect()
}

/// Two passes with f32 kernels, where each layer casts its own. Puts the gradients into `parameters` and returns the sum
/// of the losses.
fn by_layer(config: &TrainingConfig, parameters: &mut FlatParameters) -> f64 {
    let network = ResNet::from_tensors(&NetworkPlan::new(config.width), &parameters.tensors().unwrap()).unwrap();
    let pass = TrainingPass { kind: Kind::BFloat16, bn_momentum: config.bn_momentum, is_fused: true };
    BATCHES.into_iter().fold(0.0, |sum, number| {
        let Batch { images, labels, .. } = batch(number);
        let forward = pass.forward(&network, &images, None).unwrap();
        let loss = CrossEntropy::plain().with_gradient(&forward.logits, &labels, None, 0.5).unwrap();
        forward.gradients(&loss.gradient).unwrap().store(parameters, number == BATCHES[0]).unwrap();
        sum + 2.0 * f64::try_from(loss.mean).unwrap()
    })
}

#[test]
fn gradients_are_bitwise_equal_and_weights_stay_f32() {
    let _generator = crate::generator();
    tch::set_num_threads(1);
    let mut config = Preset::named("seed").unwrap().config;
    config
        .set_all(&format!("size={SIZE},width=0.125,dropout=0,optimizer=sgd,momentum=0.9,learning_rate=0.05"))
        .unwrap();
    let plan = NetworkPlan::new(config.width);
    let values = initial_model(config.width, config.size, None, 5).tensors;
    let mut learner = Learner::new(&config, &values, CrossEntropy::plain(), Device::Cpu, Kind::BFloat16).unwrap();
    for step in 0..3 {
        let mut expected = FlatParameters::new(&plan, &learner.values().unwrap(), Device::Cpu).unwrap();
        let expected_loss = by_layer(&config, &mut expected);
        let loss = learner.step_on(0.05, BATCHES.map(batch).into()).unwrap().loss_sum;
        assert!((loss - expected_loss).abs() < 1e-12 * expected_loss, "step {step}: {loss}, not {expected_loss}");
        let (ours, theirs) = (bits(&learner.parameters.gradients), bits(&expected.gradients));
        assert!(ours.iter().any(|&number| number != 0));
        assert!(ours == theirs, "step {step}: the gradients differ");
        assert!(
            bits(&learner.parameters.statistics) == bits(&expected.statistics),
            "step {step}: the statistics differ"
        );
    }
    assert_eq!(learner.parameters.weights.kind(), Kind::Float);
}
