//! Bindings that tch 0.24 lacks, through small C++ files: leaky ReLU with a slope, memory formats, TF32, GPU memory,
//! layers with their gradients, optimizer steps, random generators, CUDA graphs.

pub mod activated_norm;
pub mod cuda_graph;
pub mod gpu_memory;
pub mod layer_gradients;
pub mod optimizer_step;
pub mod random_generator;

use std::ffi::{CStr, c_char, c_double, c_int};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn mammoscope_leaky_relu(input: *mut C_tensor, slope: c_double, output: *mut *mut C_tensor) -> *mut c_char;
    fn mammoscope_leaky_relu_in_place(tensor: *mut C_tensor, slope: c_double) -> *mut c_char;
    fn mammoscope_channels_last(input: *mut C_tensor, output: *mut *mut C_tensor) -> *mut c_char;
    fn mammoscope_is_channels_last(tensor: *mut C_tensor, output: *mut c_int) -> *mut c_char;
    fn mammoscope_upload(source: *mut C_tensor, target: *mut C_tensor) -> *mut c_char;
    fn mammoscope_allow_tf32(allowed: c_int) -> *mut c_char;
    fn mammoscope_libtorch_version() -> *const c_char;
    fn mammoscope_free_message(message: *mut c_char);
}

/// `max(x, 0) + slope · min(x, 0)` into a new tensor of the same shape.
pub fn leaky_relu(input: &Tensor, slope: f64) -> Result<Tensor, TchError> {
    new_tensor(|output| {
        // SAFETY: the tensor outlives the call; `output` is written on success only.
        unsafe { mammoscope_leaky_relu(pointer(input), slope, output) }
    })
}

/// [`leaky_relu`] in place.
pub fn leaky_relu_in_place(tensor: &mut Tensor, slope: f64) -> Result<(), TchError> {
    // SAFETY: the tensor outlives the call and is borrowed mutably.
    checked(unsafe { mammoscope_leaky_relu_in_place(pointer(tensor), slope) })
}

/// The tensor N×C×H×W in the memory layout N×H×W×C; shares the input's memory if it already has that layout.
pub fn channels_last(input: &Tensor) -> Result<Tensor, TchError> {
    new_tensor(|output| {
        // SAFETY: the tensor outlives the call; `output` is written on success only.
        unsafe { mammoscope_channels_last(pointer(input), output) }
    })
}

/// True if the memory layout of a tensor is N×H×W×C.
pub fn is_channels_last(tensor: &Tensor) -> Result<bool, TchError> {
    let mut result = 0;
    // SAFETY: the tensor and `result` outlive the call.
    checked(unsafe { mammoscope_is_channels_last(pointer(tensor), &raw mut result) })?;
    Ok(result != 0)
}

/// Copies a tensor on the host into one of the same shape on a device, without a wait for a GPU.
pub fn upload(source: &Tensor, target: &mut Tensor) -> Result<(), TchError> {
    // SAFETY: both tensors outlive the call, and the target is borrowed mutably; the source may be freed after it.
    checked(unsafe { mammoscope_upload(pointer(source), pointer(target)) })
}

/// Allows or forbids f32 convolutions and matrix products on the GPU to round their inputs to TF32 (10-bit mantissa).
pub fn allow_tf32(allowed: bool) -> Result<(), TchError> {
    // SAFETY: sets two flags of libtorch's global context.
    checked(unsafe { mammoscope_allow_tf32(c_int::from(allowed)) })
}

/// The version of libtorch that this program was built for, such as `2.11.0`.
#[must_use]
pub fn libtorch_version() -> String {
    // SAFETY: the callee returns a string literal.
    unsafe { CStr::from_ptr(mammoscope_libtorch_version()) }.to_string_lossy().into_owned()
}

/// What an error says, without the addresses of libtorch's calls that follow.
#[must_use]
pub fn first_line(error: &TchError) -> String {
    let text = match error {
        TchError::Torch(message) => message.clone(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}

fn pointer(tensor: &Tensor) -> *mut C_tensor {
    tensor.as_ptr().cast_mut().cast()
}

fn new_tensor(call: impl FnOnce(*mut *mut C_tensor) -> *mut c_char) -> Result<Tensor, TchError> {
    let mut output = std::ptr::null_mut();
    checked(call(&raw mut output))?;
    // SAFETY: on success the callee has stored a new tensor, which we now own.
    Ok(unsafe { Tensor::from_ptr(output) })
}

fn checked(message: *mut c_char) -> Result<(), TchError> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: a message is a NUL-terminated string that we own until it is freed below.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: the message came from the C++ side's `strdup` and is not used again.
    unsafe { mammoscope_free_message(message) };
    Err(TchError::Torch(text))
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn leaky_relu_uses_the_given_slope() {
        let mut tensor = Tensor::from_slice(&[-2.0_f32, 0.0, 3.0]);
        let expected = [-0.6_f32, 0.0, 3.0];
        let fresh = Vec::<f32>::try_from(leaky_relu(&tensor, 0.3).expect("a float tensor")).expect("f32");
        assert_eq!(fresh, expected);
        leaky_relu_in_place(&mut tensor, 0.3).expect("a float tensor");
        assert_eq!(Vec::<f32>::try_from(tensor).expect("f32"), expected);
    }

    #[test]
    fn channels_last_changes_only_the_layout() {
        let tensor = Tensor::arange(2 * 3 * 4 * 5, (Kind::Float, Device::Cpu)).reshape([2, 3, 4, 5]);
        assert!(!is_channels_last(&tensor).expect("a tensor"));
        let converted = channels_last(&tensor).expect("four dimensions");
        assert!(is_channels_last(&converted).expect("a tensor"));
        assert_eq!(converted, tensor);
        // A convolution's output takes the layout of its input.
        let grey = channels_last(&Tensor::ones([2, 1, 4, 5], (Kind::Float, Device::Cpu))).expect("four dimensions");
        let kernel = Tensor::ones([6, 1, 3, 3], (Kind::Float, Device::Cpu));
        let output = grey.conv2d(&kernel, None::<Tensor>, [1, 1], [1, 1], [1, 1], 1);
        assert!(is_channels_last(&output).expect("a tensor"));
    }

    #[test]
    fn libtorch_errors_become_messages() {
        let error = channels_last(&Tensor::from_slice(&[1.0_f32])).expect_err("one dimension").to_string();
        assert!(error.contains("rank 4"), "{error}");
    }
}
