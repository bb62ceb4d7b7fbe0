//! The gradients of a training pass against those of libtorch's graph.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, LEAKY_RELU_SLOPE, NetworkPlan, WidthFactor};
use mammoscope_engine::learning::dropout::Dropout;
use mammoscope_engine::learning::flat_parameters::{FlatParameters, ParameterGroup};
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::keras_ops::{for_equal_channels, same_convolution, same_max_pool};
use mammoscope_engine::learning::libtorch_ext::{channels_last, leaky_relu_in_place};
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::resnet::{ConvNorm, ResNet};
use mammoscope_engine::learning::training_pass::TrainingPass;
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, Tensor};

fn network() -> (NetworkPlan, TensorValues) {
    let width = WidthFactor::of_stem(8).unwrap();
    (NetworkPlan::new(width), initial_model(width, 64, None, 5).tensors)
}

fn images(channels: i64, side: i64) -> Tensor {
    tch::manual_seed(4);
    Tensor::randn([3, channels, side, side], (Kind::Float, Device::Cpu))
}

fn labels() -> Tensor {
    Tensor::from_slice(&[0_i64, 2, 3])
}

/// The factors of dropout, if a share is to be dropped.
fn factors(kind: Kind, share: f64, network: &ResNet, images: &Tensor) -> Option<Tensor> {
    let (count, _, _, side) = images.size4().unwrap();
    let mut dropout = Dropout::new(share, kind, Device::Cpu).unwrap()?;
    dropout.seed(9).unwrap();
    dropout.draw(network, count as usize, side as usize).unwrap();
    dropout.factors(count).unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    Vec::<f32>::try_from(tensor.detach().contiguous().flatten(0, -1)).unwrap().into_iter().map(f32::to_bits).collect()
}

/// Logits, flat gradients and moving statistics after one pass.
fn ours(pass: TrainingPass, dropout: f64, images: &Tensor) -> (Tensor, FlatParameters) {
    let (plan, values) = network();
    let mut parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
    let network = ResNet::from_tensors(&plan, &parameters.tensors().unwrap()).unwrap();
    let factors = factors(pass.kind, dropout, &network, images);
    let forward = pass.forward(&network, images, factors.as_ref()).unwrap();
    let logits = forward.logits.shallow_clone();
    let of_logits = CrossEntropy::plain().with_gradient(&logits, &labels(), None, 1.0).unwrap().gradient;
    forward.gradients(&of_logits).unwrap().store(&mut parameters, true).unwrap();
    (logits, parameters)
}

/// The same by libtorch's graph, with the gradients by name. `precise` computes in f64 whatever the kind of the pass.
fn by_the_graph(
    pass: TrainingPass,
    dropout: f64,
    images: &Tensor,
    precise: bool,
) -> (Tensor, FlatParameters, BTreeMap<String, Tensor>) {
    let (plan, values) = network();
    let mut parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
    let factors_kind = pass.kind;
    let (kind, mean_kind) = if precise { (Kind::Double, Kind::Double) } else { (pass.kind, Kind::Float) };
    parameters.weights = parameters.weights.to_kind(mean_kind);
    parameters.statistics = parameters.statistics.to_kind(mean_kind);
    let mut tensors = parameters.tensors().unwrap();
    let leaves: BTreeMap<String, Tensor> = parameters
        .layout
        .views(ParameterGroup::Weights, &parameters.weights)
        .unwrap()
        .into_iter()
        .map(|(name, view)| (name, view.detach().set_requires_grad(true)))
        .collect();
    tensors.extend(leaves.iter().map(|(name, leaf)| (name.clone(), leaf.shallow_clone())));
    let network = ResNet::from_tensors(&plan, &tensors).unwrap();
    let layer = |layer: &ConvNorm, kernel: Option<Tensor>, input: &Tensor| {
        let kernel = kernel.unwrap_or_else(|| layer.kernel.shallow_clone()).to_kind(kind);
        let norm = &layer.norm;
        let (mean, variance) = (Some(&norm.moving_mean), Some(&norm.moving_variance));
        same_convolution(input, &kernel, None, &layer.plan).unwrap().batch_norm(
            Some(&norm.gamma),
            Some(&norm.beta),
            mean,
            variance,
            true,
            1.0 - pass.bn_momentum,
            BATCH_NORM_EPSILON,
            true,
        )
    };
    let activated = |mut tensor: Tensor| {
        leaky_relu_in_place(&mut tensor, LEAKY_RELU_SLOPE).unwrap();
        tensor
    };
    let x = channels_last(&images.to_kind(kind)).unwrap();
    let summed = (x.size()[1] == 1).then(|| for_equal_channels(&network.stem.kernel.to_kind(kind)).unwrap());
    let mut x = same_max_pool(&activated(layer(&network.stem, summed, &x))).unwrap();
    for block in &network.blocks {
        let [first, second, third] = &block.branch;
        let y = activated(layer(second, None, &activated(layer(first, None, &x))));
        let shortcut = block.shortcut.as_ref().map_or_else(|| x.shallow_clone(), |one| layer(one, None, &x));
        x = activated(layer(third, None, &y) + shortcut);
    }
    if let Some(factors) = factors(factors_kind, dropout, &network, images) {
        x = x.g_mul(&factors.to_kind(kind));
    }
    let features = x.mean_dim([2_i64, 3].as_slice(), false, mean_kind);
    let logits = features.linear(&network.dense_kernel, Some(&network.dense_bias));
    logits.cross_entropy_for_logits(&labels()).backward();
    let gradients = leaves.into_iter().map(|(name, leaf)| (name, leaf.grad())).collect();
    (logits, parameters, gradients)
}

/// Even and odd sides, whose padding differs; grey and colour; both kinds; with and without dropout.
const CASES: [(Kind, i64, i64, f64); 4] =
    [(Kind::Float, 3, 64, 0.0), (Kind::Float, 1, 65, 0.3), (Kind::BFloat16, 1, 64, 0.3), (Kind::BFloat16, 3, 67, 0.0)];

/// As on a GPU, where normalisations and activations are libtorch's.
#[test]
fn gradients_are_those_of_libtorchs_graph_bit_for_bit() {
    let _generator = crate::generator();
    tch::set_num_threads(1);
    for (kind, channels, side, dropout) in CASES {
        let case = format!("{kind:?}, {channels} × {side}");
        let pass = TrainingPass { kind, bn_momentum: 0.9, is_fused: false };
        let images = images(channels, side);
        let (logits, parameters) = ours(pass, dropout, &images);
        let (expected, others, by_name) = by_the_graph(pass, dropout, &images, false);
        assert!(bits(&logits) == bits(&expected), "{case}: logits");
        assert!(bits(&parameters.statistics) == bits(&others.statistics), "{case}: statistics");
        let views = parameters.layout.views(ParameterGroup::Weights, &parameters.gradients).unwrap();
        assert_eq!(views.len(), 41 * 3 + 2);
        for (name, gradient) in views {
            assert!(bits(&gradient) == bits(&by_name[&name]), "{case}: {name}");
            assert!(gradient.abs().max().double_value(&[]) > 0.0, "{case}: {name} is zero");
        }
    }
}

/// The distance from f64, relative to its norm.
fn error(ours: &Tensor, exact: &Tensor) -> f64 {
    let exact = exact.detach().to_kind(Kind::Double);
    let difference = ours.detach().to_kind(Kind::Double) - &exact;
    difference.norm().double_value(&[]) / exact.norm().double_value(&[])
}

/// Normalisations and activations in one: as close to f64 as libtorch is.
#[test]
fn fused_passes_are_as_accurate_as_libtorchs() {
    let _generator = crate::generator();
    tch::set_num_threads(1);
    for (kind, channels, side, dropout) in CASES {
        let images = images(channels, side);
        let pass = |is_fused| TrainingPass { kind, bn_momentum: 0.9, is_fused };
        let (logits, exact, by_name) = by_the_graph(pass(false), dropout, &images, true);
        let joined = |parameters: &FlatParameters| {
            let views = parameters.layout.views(ParameterGroup::Weights, &parameters.gradients).unwrap();
            Tensor::cat(&views.iter().map(|(_, view)| view.flatten(0, -1)).collect::<Vec<_>>(), 0)
        };
        let names = exact.layout.views(ParameterGroup::Weights, &exact.weights).unwrap();
        let gradients: Vec<Tensor> = names.iter().map(|(name, _)| by_name[name].flatten(0, -1)).collect();
        let gradients = Tensor::cat(&gradients, 0);
        let [fused, theirs] = [true, false].map(|is_fused| {
            let (of_pass, parameters) = ours(pass(is_fused), dropout, &images);
            [
                error(&of_pass, &logits),
                error(&parameters.statistics, &exact.statistics),
                error(&joined(&parameters), &gradients),
            ]
        });
        for (fused, theirs) in fused.iter().zip(theirs) {
            assert!(*fused < 1.5 * theirs + 1e-7, "{kind:?}, {channels} × {side}: {fused:.1e}, libtorch {theirs:.1e}");
        }
    }
}
