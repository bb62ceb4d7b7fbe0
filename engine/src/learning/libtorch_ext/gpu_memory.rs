//! GPU memory statistics and the selection of cuDNN algorithms.

use std::ffi::{c_char, c_int};

use serde::Serialize;
use tch::TchError;

use super::checked;

unsafe extern "C" {
    fn mammoscope_cudnn_choice(benchmark: c_int, deterministic: c_int) -> *mut c_char;
    fn mammoscope_gpu_memory(device: c_int, bytes: *mut u64) -> *mut c_char;
    fn mammoscope_empty_gpu_cache() -> *mut c_char;
    fn mammoscope_reset_gpu_peak(device: c_int) -> *mut c_char;
}

/// Memory of a GPU, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GpuMemory {
    /// In live tensors.
    pub allocated: u64,
    /// Peak of `allocated` since the last [`reset_gpu_peak`].
    pub allocated_peak: u64,
    /// Held by libtorch's allocator, in tensors or cached for the next ones.
    pub reserved: u64,
    /// Peak of `reserved` since the last [`reset_gpu_peak`].
    pub reserved_peak: u64,
    /// Unused by any process, according to the driver.
    pub free: u64,
    pub total: u64,
}

/// The memory of a GPU by its number. Fails without CUDA and before the first tensor on a GPU.
pub fn gpu_memory(number: usize) -> Result<GpuMemory, TchError> {
    let mut bytes = [0; 6];
    // SAFETY: the callee writes at most six numbers.
    checked(unsafe { mammoscope_gpu_memory(index(number), bytes.as_mut_ptr()) })?;
    let [allocated, allocated_peak, reserved, reserved_peak, free, total] = bytes;
    Ok(GpuMemory { allocated, allocated_peak, reserved, reserved_peak, free, total })
}

/// Resets the peaks of [`gpu_memory`] to the current values.
pub fn reset_gpu_peak(number: usize) -> Result<(), TchError> {
    // SAFETY: the callee takes a number only.
    checked(unsafe { mammoscope_reset_gpu_peak(index(number)) })
}

/// Returns the memory that libtorch's allocator keeps for later tensors to the driver. Fails without CUDA.
pub fn empty_gpu_cache() -> Result<(), TchError> {
    // SAFETY: the callee touches memory that no tensor uses.
    checked(unsafe { mammoscope_empty_gpu_cache() })
}

/// Lets cuDNN benchmark its algorithms for each new shape and keep the fastest (`benchmark`), and restricts it to
/// bitwise reproducible algorithms (`deterministic`). Has no effect on the CPU.
pub fn choose_cudnn_algorithms(benchmark: bool, deterministic: bool) -> Result<(), TchError> {
    // SAFETY: sets two flags of libtorch's global context.
    checked(unsafe { mammoscope_cudnn_choice(c_int::from(benchmark), c_int::from(deterministic)) })
}

/// libtorch stores device numbers in eight bits.
fn index(number: usize) -> c_int {
    c_int::from(i8::try_from(number).unwrap_or(i8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpu_memory_is_an_error_without_a_gpu() {
        if tch::Cuda::is_available() {
            let tensor = tch::Tensor::zeros([1024], (tch::Kind::Float, tch::Device::Cuda(0)));
            reset_gpu_peak(0).expect("a GPU");
            let memory = gpu_memory(0).expect("a GPU");
            assert!(memory.allocated >= 4096 && memory.allocated_peak <= memory.reserved_peak, "{memory:?}");
            assert!(memory.free < memory.total, "{memory:?}");
            drop(tensor);
            empty_gpu_cache().expect("a GPU");
            assert!(gpu_memory(0).expect("a GPU").reserved < memory.reserved);
        } else {
            assert!(gpu_memory(0).is_err() && reset_gpu_peak(0).is_err() && empty_gpu_cache().is_err());
        }
        choose_cudnn_algorithms(true, false).expect("a flag");
    }
}
