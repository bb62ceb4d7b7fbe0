//! The bf16 kernels of the convolutions in training. They are cast together once per step, instead of in 41 small
//! operations, which would dominate a GPU's time at small batches.

use std::collections::BTreeMap;

use tch::{Kind, TchError, Tensor, no_grad};

use super::flat_parameters::FlatParameters;

/// A bf16 copy of the convolutions' kernels in the same layout; everything else is computed in f32.
#[derive(Debug)]
pub struct HalfPrecision(Tensor);

impl HalfPrecision {
    /// Allocates the copy, which [`HalfPrecision::copy_kernels`] fills.
    pub fn new(parameters: &FlatParameters) -> Result<Self, TchError> {
        let count = [parameters.layout.convolution_kernel_count()];
        Ok(Self(Tensor::f_zeros(count, (Kind::BFloat16, parameters.weights.device()))?))
    }

    /// The network's tensors as in [`FlatParameters::tensors`], except that the convolutions' kernels are views of this
    /// copy.
    pub fn tensors(&self, parameters: &FlatParameters) -> Result<BTreeMap<String, Tensor>, TchError> {
        let mut tensors = parameters.tensors()?;
        tensors.extend(parameters.layout.convolution_kernels(&self.0)?);
        Ok(tensors)
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> &Tensor {
        &self.0
    }

    /// Casts the current kernels. Call it before the passes of a step.
    pub fn copy_kernels(&mut self, parameters: &FlatParameters) -> Result<(), TchError> {
        no_grad(|| self.0.f_copy_(&parameters.weights.f_narrow(0, 0, self.0.size1()?)?))
    }
}
