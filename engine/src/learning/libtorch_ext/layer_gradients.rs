//! Convolutions and pools with their gradients, without libtorch's graph: results have no history, and gradients are
//! computed by explicit calls.

use std::ffi::{c_char, c_int};
use std::ptr::null_mut;

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::{checked, new_tensor, pointer};

unsafe extern "C" {
    fn mammoscope_convolve(
        input: *mut C_tensor,
        kernel: *mut C_tensor,
        stride: i64,
        padding: i64,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_convolution_gradients(
        gradient: *mut C_tensor,
        input: *mut C_tensor,
        kernel: *mut C_tensor,
        stride: i64,
        padding: i64,
        of_input: *mut *mut C_tensor,
        of_kernel: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_max_pool(
        input: *mut C_tensor,
        padding: i64,
        output: *mut *mut C_tensor,
        places: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_max_pool_gradient(
        gradient: *mut C_tensor,
        input: *mut C_tensor,
        padding: i64,
        places: *mut C_tensor,
        output: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_gather(
        tensors: *const *mut C_tensor,
        count: usize,
        flat: *mut C_tensor,
        replace: c_int,
    ) -> *mut c_char;
}

/// Stride and padding of a convolution, equal in height and width.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub stride: i64,
    /// Rows above and below, and columns left and right.
    pub padding: i64,
}

/// A convolution without bias: N×I×H×W by O×I×h×w.
pub fn convolve(input: &Tensor, kernel: &Tensor, window: Window) -> Result<Tensor, TchError> {
    new_tensor(|output| {
        // SAFETY: the tensors outlive the call; `output` is written on success only.
        unsafe { mammoscope_convolve(pointer(input), pointer(kernel), window.stride, window.padding, output) }
    })
}

/// The gradients of a convolution's input, if wanted, and kernel.
pub fn convolution_gradients(
    gradient: &Tensor,
    input: &Tensor,
    kernel: &Tensor,
    window: Window,
    is_input_wanted: bool,
) -> Result<(Option<Tensor>, Tensor), TchError> {
    let Window { stride, padding } = window;
    let (mut of_input, mut of_kernel) = (null_mut(), null_mut());
    let wanted = if is_input_wanted { &raw mut of_input } else { null_mut() };
    // SAFETY: the tensors and both pointers outlive the call, which accepts a null pointer for the input's gradient.
    checked(unsafe {
        mammoscope_convolution_gradients(
            pointer(gradient),
            pointer(input),
            pointer(kernel),
            stride,
            padding,
            wanted,
            &raw mut of_kernel,
        )
    })?;
    // SAFETY: on success the callee has stored new tensors, which we now own.
    Ok(unsafe { (is_input_wanted.then(|| Tensor::from_ptr(of_input)), Tensor::from_ptr(of_kernel)) })
}

/// 3×3 max-pooling with stride 2, and the places of the maxima.
pub fn max_pool(input: &Tensor, padding: i64) -> Result<(Tensor, Tensor), TchError> {
    let (mut output, mut places) = (null_mut(), null_mut());
    // SAFETY: the tensor and both pointers outlive the call.
    checked(unsafe { mammoscope_max_pool(pointer(input), padding, &raw mut output, &raw mut places) })?;
    // SAFETY: on success the callee has stored new tensors, which we now own.
    Ok(unsafe { (Tensor::from_ptr(output), Tensor::from_ptr(places)) })
}

/// The gradient of the input of [`max_pool`].
pub fn max_pool_gradient(gradient: &Tensor, input: &Tensor, padding: i64, places: &Tensor) -> Result<Tensor, TchError> {
    new_tensor(|output| {
        // SAFETY: the tensors outlive the call; `output` is written on success only.
        unsafe { mammoscope_max_pool_gradient(pointer(gradient), pointer(input), padding, pointer(places), output) }
    })
}

/// Fills a flat tensor with tensors of one kind one after another, kernels O×I×H×W as O×H×W×I: in place of its values, or
/// added to them.
pub fn gather(tensors: &[&Tensor], flat: &mut Tensor, replace: bool) -> Result<(), TchError> {
    let pointers: Vec<*mut C_tensor> = tensors.iter().map(|tensor| pointer(tensor)).collect();
    // SAFETY: all tensors outlive the call, and `flat` is borrowed mutably.
    checked(unsafe { mammoscope_gather(pointers.as_ptr(), pointers.len(), pointer(flat), c_int::from(replace)) })
}
