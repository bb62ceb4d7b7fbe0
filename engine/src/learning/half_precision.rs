//! The bf16 kernels of the convolutions in training. They are cast together once per step, and their gradients are added
//! together, instead of 41 small operations each in the forward and backward pass, which would dominate a GPU's time at
//! small batches.

use tch::{Kind, TchError, Tensor, no_grad};

use super::flat_parameters::{FlatParameters, leaf};

/// A bf16 copy of the convolutions' kernels in the same layout; everything else is computed in f32.
#[derive(Debug)]
pub struct HalfPrecision {
    kernels: Tensor,
    gradients: Tensor,
}

impl HalfPrecision {
    /// Allocates the copy, which [`HalfPrecision::copy_kernels`] fills.
    pub fn new(parameters: &FlatParameters) -> Result<Self, TchError> {
        let count = [parameters.layout.convolution_kernel_count()];
        let zeros = || Tensor::f_zeros(count, (Kind::BFloat16, parameters.weights.device()));
        Ok(Self { kernels: zeros()?, gradients: zeros()? })
    }

    /// The leaves as in [`FlatParameters::leaves`], except that the convolutions' kernels are views of this copy.
    pub fn leaves(&self, parameters: &FlatParameters) -> Result<Vec<(String, Tensor)>, TchError> {
        let mut leaves = parameters.leaves()?;
        // The kernels come first, in the same order.
        for ((_, kernel), (_, view)) in leaves.iter_mut().zip(parameters.layout.convolution_kernels(&self.kernels)?) {
            *kernel = leaf(&view)?;
        }
        Ok(leaves)
    }

    /// Casts the current kernels. Call it before the passes of a step.
    pub fn copy_kernels(&mut self, parameters: &FlatParameters) -> Result<(), TchError> {
        no_grad(|| self.kernels.f_copy_(&parameters.weights.f_narrow(0, 0, self.kernels.size1()?)?))
    }

    /// The buffer for the gradients of one backward pass.
    pub fn gradients(&mut self) -> &mut Tensor {
        &mut self.gradients
    }
}
