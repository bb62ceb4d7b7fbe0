//! The bf16 weights of the convolutions in training. They are cast together once per step, and their gradients are
//! added together, instead of 82 small operations each in the forward and backward pass, which would dominate a GPU's
//! time at small batches.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{ConvolutionPlan, NetworkPlan};
use tch::{Kind, TchError, Tensor, no_grad};

use super::flat_parameters::{FlatParameters, ParameterGroup};
use super::libtorch_ext::optimizer_step::set_gradient;

/// A bf16 copy of the weights in the same layout, with gradients. Only the convolutions' kernels and biases are used;
/// everything else is computed in f32.
#[derive(Debug)]
pub struct HalfPrecision {
    values: Tensor,
    gradients: Tensor,
}

impl HalfPrecision {
    /// Allocates the copy, which [`HalfPrecision::copy_weights`] fills.
    pub fn new(parameters: &FlatParameters) -> Result<Self, TchError> {
        let zeros = || Tensor::f_zeros(parameters.weights.size(), (Kind::BFloat16, parameters.weights.device()));
        Ok(Self { values: zeros()?, gradients: zeros()? })
    }

    /// The network's tensors by name as in [`FlatParameters::leaves`], except that those of the convolutions are views
    /// of this copy.
    pub fn leaves(
        &self,
        plan: &NetworkPlan,
        parameters: &FlatParameters,
    ) -> Result<BTreeMap<String, Tensor>, TchError> {
        let mut leaves = parameters.leaves()?;
        let layout = &parameters.layout;
        let gradients = layout.views(ParameterGroup::Weights, &self.gradients)?;
        let convolutions: Vec<String> = plan.convolutions().iter().map(ConvolutionPlan::name).collect();
        for ((name, view), (_, gradient)) in
            layout.views(ParameterGroup::Weights, &self.values)?.into_iter().zip(gradients)
        {
            let is_convolution = name.split_once('.').is_some_and(|(layer, _)| convolutions.iter().any(|c| c == layer));
            if is_convolution {
                let leaf = view.f_detach()?.f_set_requires_grad(true)?;
                set_gradient(&leaf, &gradient)?;
                leaves.insert(name, leaf);
            }
        }
        Ok(leaves)
    }

    /// Casts the current weights. Call it before the passes of a step.
    pub fn copy_weights(&mut self, parameters: &FlatParameters) -> Result<(), TchError> {
        no_grad(|| self.values.f_copy_(&parameters.weights))
    }

    /// Adds the gradients of a backward pass to those of the parameters, in f32, and resets them.
    pub fn accumulate_gradients(&mut self, parameters: &mut FlatParameters) -> Result<(), TchError> {
        no_grad(|| {
            let _ = parameters.gradients.f_add_(&self.gradients)?;
            Ok::<_, TchError>(())
        })?;
        self.clear_gradients()
    }

    /// Resets the gradients, also after a backward pass that failed half-way.
    pub fn clear_gradients(&mut self) -> Result<(), TchError> {
        let _ = no_grad(|| self.gradients.f_zero_())?;
        Ok(())
    }
}
