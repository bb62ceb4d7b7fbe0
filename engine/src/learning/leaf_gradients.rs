//! The gradients of a step, collected from the leaves of the graph.
//!
//! A leaf without a gradient keeps the tensor that the backward pass computed for it. One concatenation then fills the
//! flat gradient, in place of an addition per leaf.

use tch::{TchError, Tensor, no_grad};

use super::flat_parameters::FlatParameters;
use super::half_precision::HalfPrecision;
use super::libtorch_ext::leaf_gradients::{clear_gradients, take_gradients};

/// The trainable tensors of a network in the order of [`FlatParameters::gradients`].
#[derive(Debug)]
pub struct LeafGradients {
    leaves: Vec<Tensor>,
    /// The number of leaves that may be in bf16: the kernels of the convolutions.
    convolutions: usize,
}

impl LeafGradients {
    /// `leaves` as from [`FlatParameters::leaves`] or [`HalfPrecision::leaves`].
    #[must_use]
    pub fn new(parameters: &FlatParameters, leaves: &[(String, Tensor)]) -> Self {
        Self {
            leaves: leaves.iter().map(|(_, leaf)| leaf.shallow_clone()).collect(),
            convolutions: parameters.layout.removed_biases().len(),
        }
    }

    /// Moves the gradients of a backward pass into those of the parameters, in f32: in their place if `is_first`,
    /// otherwise added to them. An error if a leaf has none.
    pub fn take(
        &self,
        parameters: &mut FlatParameters,
        half: Option<&mut HalfPrecision>,
        is_first: bool,
    ) -> Result<(), TchError> {
        let Some(half) = half else {
            return take_gradients(&self.leaves, &mut parameters.gradients, is_first);
        };
        let (convolutions, others) = self.leaves.split_at(self.convolutions);
        take_gradients(convolutions, half.gradients(), true)?;
        let kernels = parameters.layout.convolution_kernel_count();
        let rest = parameters.gradients.size1()? - kernels;
        take_gradients(others, &mut parameters.gradients.f_narrow(0, kernels, rest)?, is_first)?;
        no_grad(|| {
            let mut target = parameters.gradients.f_narrow(0, 0, kernels)?;
            if is_first {
                return target.f_copy_(half.gradients());
            }
            let _ = target.f_add_(half.gradients())?;
            Ok(())
        })
    }

    /// Drops what a backward pass that failed half-way has left.
    pub fn clear(&self) -> Result<(), TchError> {
        clear_gradients(&self.leaves)
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
    use tch::{Device, Kind};

    use super::*;
    use crate::learning::flat_parameters::ParameterGroup;
    use crate::learning::initial_weights::initial_model;

    /// A function whose gradient of every weight is the weight's place in its tensor, row by row.
    #[test]
    fn every_gradient_gets_to_the_place_of_its_weight() {
        let width = WidthFactor::of_stem(8).unwrap();
        let plan = NetworkPlan::new(width);
        let values = initial_model(width, 64, None, 5).tensors;
        let mut parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
        let mut half = HalfPrecision::new(&parameters).unwrap();
        for is_half in [false, true] {
            let leaves = if is_half { half.leaves(&parameters).unwrap() } else { parameters.leaves().unwrap() };
            let gradients = LeafGradients::new(&parameters, &leaves);
            // Whole numbers below 256 are exact in bf16.
            let place = |leaf: &Tensor| {
                let places = Tensor::arange(leaf.numel() as i64, (Kind::Int64, Device::Cpu)).remainder(251);
                places.to_kind(leaf.kind()).reshape(leaf.size().as_slice())
            };
            for (is_first, times) in [(true, 1.0), (false, 2.0), (true, 1.0)] {
                for (_, leaf) in &leaves {
                    (leaf * place(leaf)).sum(Kind::Float).backward();
                }
                gradients.take(&mut parameters, is_half.then_some(&mut half), is_first).unwrap();
                let named = parameters.layout.values(ParameterGroup::Weights, &parameters.gradients).unwrap();
                assert_eq!(named.len(), 41 * 3 + 2);
                for (name, (_, values)) in named {
                    let is_in_place = |(at, &value): (usize, &f32)| value == times * (at % 251) as f32;
                    assert!(values.iter().enumerate().all(is_in_place), "{name}, {is_half}");
                }
            }
            let error = gradients.take(&mut parameters, is_half.then_some(&mut half), true).unwrap_err();
            assert!(error.to_string().contains("has no gradient"), "{error}");
        }
    }
}
