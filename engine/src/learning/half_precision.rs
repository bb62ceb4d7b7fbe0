//! The convolutions' weights in bf16 for the passes of a training: cast together once a step, and their gradients added
//! together, instead of 82 small operations on the way forward and as many on the way back, which is what a GPU spends
//! its time on at small batches.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{ConvolutionPlan, NetworkPlan};
use tch::{Kind, TchError, Tensor, no_grad};

use super::flat_parameters::{FlatParameters, Piece};
use super::libtorch_ext::optimizer_step::set_gradient;

/// A copy of the weights in bf16, laid out as they are, and the gradients of those that are used: the convolutions'
/// kernels and biases. All else is computed in f32.
#[derive(Debug)]
pub struct HalfPrecision {
    values: Tensor,
    gradients: Tensor,
}

impl HalfPrecision {
    /// Room for a copy, which [`HalfPrecision::follow`] fills.
    pub fn new(parameters: &FlatParameters) -> Result<Self, TchError> {
        let zeros = || Tensor::f_zeros(parameters.weights.size(), (Kind::BFloat16, parameters.weights.device()));
        Ok(Self { values: zeros()?, gradients: zeros()? })
    }

    /// The network's tensors by name, as [`FlatParameters::leaves`] gives them, but for the convolutions: theirs are views
    /// of this copy.
    pub fn leaves(
        &self,
        plan: &NetworkPlan,
        parameters: &FlatParameters,
    ) -> Result<BTreeMap<String, Tensor>, TchError> {
        let mut leaves = parameters.leaves()?;
        let layout = &parameters.layout;
        let gradients = layout.views(Piece::Weights, &self.gradients)?;
        let convolutions: Vec<String> = plan.convolutions().iter().map(ConvolutionPlan::name).collect();
        for ((name, view), (_, gradient)) in layout.views(Piece::Weights, &self.values)?.into_iter().zip(gradients) {
            let is_convolution = name.split_once('.').is_some_and(|(layer, _)| convolutions.iter().any(|c| c == layer));
            if is_convolution {
                let leaf = view.f_detach()?.f_set_requires_grad(true)?;
                set_gradient(&leaf, &gradient)?;
                leaves.insert(name, leaf);
            }
        }
        Ok(leaves)
    }

    /// Takes over the weights as they are now. To be done before the passes of a step.
    pub fn follow(&mut self, parameters: &FlatParameters) -> Result<(), TchError> {
        no_grad(|| self.values.f_copy_(&parameters.weights))
    }

    /// Adds the gradients of a backward pass to those of the parameters, in f32, and forgets them.
    pub fn hand_over_gradients(&mut self, parameters: &mut FlatParameters) -> Result<(), TchError> {
        no_grad(|| {
            let _ = parameters.gradients.f_add_(&self.gradients)?;
            let _ = self.gradients.f_zero_()?;
            Ok(())
        })
    }
}
