//! Fused optimizer steps.

use std::ffi::{c_char, c_double, c_int};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::{checked, pointer};

unsafe extern "C" {
    fn mammoscope_sgd_step(
        values: *mut C_tensor,
        gradients: *mut C_tensor,
        velocity: *mut C_tensor,
        skip: *mut C_tensor,
        rate: *mut C_tensor,
        momentum: c_double,
        decay: c_double,
        nesterov: c_int,
        first: c_int,
    ) -> *mut c_char;
    fn mammoscope_adamw_step(
        values: *mut C_tensor,
        gradients: *mut C_tensor,
        mean: *mut C_tensor,
        square: *mut C_tensor,
        step: *mut C_tensor,
        skip: *mut C_tensor,
        rate: *mut C_tensor,
        beta1: c_double,
        beta2: c_double,
        decay: c_double,
        epsilon: c_double,
    ) -> *mut c_char;
}

/// The parameters of a gradient descent step.
#[derive(Clone, Copy, Debug)]
pub struct SgdStep<'a> {
    /// One number, f32 on a GPU.
    pub rate: &'a Tensor,
    /// Decay factor of the velocity; 0 for none.
    pub momentum: f64,
    /// `decay` times the values is added to the gradients.
    pub decay: f64,
    pub nesterov: bool,
    /// Initialises the velocity with this gradient.
    pub first: bool,
}

/// One step of gradient descent in place: `v ← momentum·v + g`, `w ← w − rate·v`. Nothing changes if `skip` is 1.
pub fn sgd_step(
    values: &Tensor,
    gradients: &Tensor,
    velocity: Option<&Tensor>,
    skip: &Tensor,
    step: SgdStep<'_>,
) -> Result<(), TchError> {
    let velocity = velocity.map_or(std::ptr::null_mut(), pointer);
    // SAFETY: all tensors outlive the call; the callee accepts a null velocity.
    checked(unsafe {
        mammoscope_sgd_step(
            pointer(values),
            pointer(gradients),
            velocity,
            pointer(skip),
            pointer(step.rate),
            step.momentum,
            step.decay,
            c_int::from(step.nesterov),
            c_int::from(step.first),
        )
    })
}

/// The parameters of an AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct AdamWStep<'a> {
    /// One number, f32 on a GPU.
    pub rate: &'a Tensor,
    /// Decay factor of the mean.
    pub beta1: f64,
    /// Decay factor of the mean square.
    pub beta2: f64,
    /// The values shrink by the factor `1 − rate · decay`.
    pub decay: f64,
    /// Keeps the quotient finite.
    pub epsilon: f64,
}

/// AdamW's state of a tensor.
#[derive(Debug)]
pub struct AdamWMoments<'a> {
    /// Mean of the gradients.
    pub mean: &'a Tensor,
    /// Mean of their squares.
    pub square: &'a Tensor,
    /// Number of steps, including this one, as one f32.
    pub steps: &'a Tensor,
}

/// One step of AdamW in place (Loshchilov and Hutter 2019). Nothing changes if `skip` is 1.
pub fn adamw_step(
    values: &Tensor,
    gradients: &Tensor,
    moments: &AdamWMoments<'_>,
    skip: &Tensor,
    step: AdamWStep<'_>,
) -> Result<(), TchError> {
    // SAFETY: all tensors outlive the call.
    checked(unsafe {
        mammoscope_adamw_step(
            pointer(values),
            pointer(gradients),
            pointer(moments.mean),
            pointer(moments.square),
            pointer(moments.steps),
            pointer(skip),
            pointer(step.rate),
            step.beta1,
            step.beta2,
            step.decay,
            step.epsilon,
        )
    })
}
