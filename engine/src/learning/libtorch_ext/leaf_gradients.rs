//! The gradients of leaves, moved into a flat tensor.

use std::ffi::{c_char, c_int};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::{checked, pointer};

unsafe extern "C" {
    fn mammoscope_take_gradients(
        leaves: *const *mut C_tensor,
        count: usize,
        flat: *mut C_tensor,
        replace: c_int,
    ) -> *mut c_char;
    fn mammoscope_clear_gradients(leaves: *const *mut C_tensor, count: usize) -> *mut c_char;
}

/// Moves the gradients of leaves into a flat tensor of their kind, one after another, kernels channels-last: in place of
/// its values, or added to them. The leaves have no gradients then. An error if one of them has none.
pub fn take_gradients(leaves: &[Tensor], flat: &mut Tensor, replace: bool) -> Result<(), TchError> {
    let pointers: Vec<*mut C_tensor> = leaves.iter().map(pointer).collect();
    // SAFETY: all tensors outlive the call, and `flat` is borrowed mutably.
    checked(unsafe {
        mammoscope_take_gradients(pointers.as_ptr(), pointers.len(), pointer(flat), c_int::from(replace))
    })
}

/// Drops the gradients of leaves.
pub fn clear_gradients(leaves: &[Tensor]) -> Result<(), TchError> {
    let pointers: Vec<*mut C_tensor> = leaves.iter().map(pointer).collect();
    // SAFETY: all tensors outlive the call.
    checked(unsafe { mammoscope_clear_gradients(pointers.as_ptr(), pointers.len()) })
}
