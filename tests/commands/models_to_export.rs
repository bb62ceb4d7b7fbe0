//! Models that an export has to get right: other widths and sizes, and statistics that do nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, NetworkPlan, WidthFactor};
use mammoscope_domain::subject::view::View;
use mammoscope_storage::models::model_file::{Model, ModelMetadata};
use mammoscope_test_support::{shipped, small_model};

/// The small Keras model, whose logits of several hundred are divided by 64: saturated probabilities compare nothing.
pub(super) fn calm_model(folder: &Path, size: usize) -> PathBuf {
    let path = small_model(folder, size);
    let mut model = Model::read(&path).unwrap();
    for part in ["kernel", "bias"] {
        for value in model.tensors.get_mut(&format!("{}.{part}", NetworkPlan::DENSE)).unwrap() {
            *value /= 64.0;
        }
    }
    model.write(&path).unwrap();
    path
}

/// The shipped model of a view with its statistics folded into the weights by hand: normalisations do nothing in it.
pub(super) fn folded_model(folder: &Path, view: View) -> PathBuf {
    let mut model = Model::read(&shipped(&format!("models/{view}.safetensors"))).unwrap();
    for plan in model.metadata.plan().convolutions() {
        let (name, norm) = (plan.name(), plan.batch_norm_name());
        let part = |part: &str| model.tensors[&format!("{norm}.{part}")].clone();
        let (gamma, beta, mean, variance) = (part("gamma"), part("beta"), part("moving_mean"), part("moving_variance"));
        let scale = |at: usize| f64::from(gamma[at]) / (f64::from(variance[at]) + BATCH_NORM_EPSILON).sqrt();
        let per_output = plan.inputs * plan.kernel * plan.kernel;
        let kernel = model.tensors.get_mut(&format!("{name}.kernel")).unwrap();
        for (at, weight) in kernel.iter_mut().enumerate() {
            *weight = (f64::from(*weight) * scale(at / per_output)) as f32;
        }
        let bias = model.tensors.get_mut(&format!("{name}.bias")).unwrap();
        for (at, bias) in bias.iter_mut().enumerate() {
            *bias = ((f64::from(*bias) - f64::from(mean[at])) * scale(at) + f64::from(beta[at])) as f32;
        }
        let identity =
            [("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_variance", 1.0 - BATCH_NORM_EPSILON as f32)];
        for (part, value) in identity {
            model.tensors.get_mut(&format!("{norm}.{part}")).unwrap().fill(value);
        }
    }
    let path = folder.join("folded.safetensors");
    model.write(&path).unwrap();
    path
}

/// A model of width 0.5 with random weights, for inputs of 75 pixels: every padding of odd sides occurs.
pub(super) fn wide_model(folder: &Path) -> PathBuf {
    let width = WidthFactor::new(0.5).unwrap();
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut value = |name: &str, inputs: usize| match name {
        "dense_1.kernel" => (next() - 0.5) * 60.0 / (inputs as f32).sqrt(),
        name if name.ends_with("kernel") => (next() - 0.5) * 3.0 / (inputs as f32).sqrt(),
        name if name.ends_with("variance") || name.ends_with("gamma") => 0.5 + next(),
        _ => (next() - 0.5) * 0.2,
    };
    let mut tensors = HashMap::new();
    for parameter in NetworkPlan::new(width).parameters() {
        let inputs: usize = parameter.shape.iter().skip(1).product();
        let values = (0..parameter.count()).map(|_| value(&parameter.name, inputs)).collect();
        tensors.insert(parameter.name, values);
    }
    let provenance = BTreeMap::new();
    let metadata = ModelMetadata { width, size: 75, view: None, input_route: InputRoute::Training, provenance };
    let path = folder.join("wide.safetensors");
    Model { metadata, tensors }.write(&path).unwrap();
    path
}
