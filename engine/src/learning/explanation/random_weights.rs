//! The cascading randomisation of weights: a map that does not change with the weights does not explain the network.

use mammoscope_domain::explanation::weight_cascade::cascade_step_of_block;
use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_storage::models::model_file::Model;

use crate::learning::initial_weights::initial_model;

/// Resets the first `steps` parts of [`CASCADE`](mammoscope_domain::explanation::weight_cascade::CASCADE) to freshly
/// initialised kernels, biases and batch normalisations. Adebayo et al., NeurIPS 2018.
#[must_use]
pub fn randomised(mut model: Model, steps: usize, seed: u64) -> Model {
    let plan = model.metadata.plan();
    let fresh = initial_model(model.metadata.width, model.metadata.size, model.metadata.view, seed);
    for (name, values) in fresh.tensors {
        if step_of(&plan, &name) <= steps {
            model.tensors.insert(name, values);
        }
    }
    model
}

/// The step of the cascade at which a tensor is randomised.
fn step_of(plan: &NetworkPlan, name: &str) -> usize {
    let layer = name.split('.').next().unwrap_or_default();
    if layer == NetworkPlan::DENSE {
        return 1;
    }
    let number = layer.rsplit('_').next().and_then(|digits| digits.parse::<usize>().ok());
    let block = plan
        .blocks
        .iter()
        .find(|block| block.in_model_order().any(|convolution| Some(convolution.number) == number))
        .map(|block| block.number);
    cascade_step_of_block(block)
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::explanation::weight_cascade::CASCADE;
    use mammoscope_domain::network::network_plan::WidthFactor;

    use super::*;

    #[test]
    fn every_step_replaces_one_more_part_and_the_last_one_completes_the_model() {
        let width = WidthFactor::new(0.125).expect("an eighth");
        let (model, other) = (initial_model(width, 64, None, 1), initial_model(width, 64, None, 2));
        let mut before = 0;
        for steps in 0..=CASCADE.len() {
            let random = randomised(model.clone(), steps, 2);
            assert_eq!(random.metadata, model.metadata);
            let changed = random.tensors.iter().filter(|(name, values)| model.tensors[*name] != **values).count();
            // The biases and batch normalisations of two initial models are equal.
            assert!(changed > before || steps == 0 && changed == 0, "{changed} tensors after step {steps}");
            before = changed;
            if steps == 1 {
                assert_eq!(random.tensors["dense_1.kernel"], other.tensors["dense_1.kernel"]);
                assert_eq!(random.tensors["conv2d_41.kernel"], model.tensors["conv2d_41.kernel"]);
            }
            if steps == 5 {
                assert_eq!(random.tensors["conv2d_1.kernel"], model.tensors["conv2d_1.kernel"]);
            }
        }
        assert_eq!(randomised(model, CASCADE.len(), 2).tensors, other.tensors);
    }
}
