//! Random generators of their own: nothing else draws from them.

use std::ffi::{c_char, c_double};
use std::ptr::{NonNull, null_mut};

use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

use super::{checked, pointer};

/// libtorch's generator.
#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn mammoscope_new_generator(on_device: *mut C_tensor, generator: *mut *mut Opaque) -> *mut c_char;
    fn mammoscope_seed_generator(generator: *mut Opaque, seed: u64) -> *mut c_char;
    fn mammoscope_free_generator(generator: *mut Opaque);
    fn mammoscope_draw_dropout(factors: *mut C_tensor, share: c_double, generator: *mut Opaque) -> *mut c_char;
}

/// A random generator for tensors on one device.
#[derive(Debug)]
pub struct RandomGenerator(NonNull<Opaque>);

impl RandomGenerator {
    pub fn new(device: Device) -> Result<Self, TchError> {
        let on_device = Tensor::f_empty([0], (Kind::Float, device))?;
        let mut generator = null_mut();
        // SAFETY: the tensor and the pointer outlive the call, which stores a new generator on success.
        checked(unsafe { mammoscope_new_generator(pointer(&on_device), &raw mut generator) })?;
        Ok(Self(NonNull::new(generator).expect("a generator was stored")))
    }

    /// Starts the sequence of a seed: the numbers drawn from here on are a function of it.
    pub fn seed(&mut self, seed: u64) -> Result<(), TchError> {
        // SAFETY: the generator lives as long as `self`, which is borrowed mutably.
        checked(unsafe { mammoscope_seed_generator(self.0.as_ptr(), seed) })
    }

    /// Sets each value to `1 / (1 − share)`, or to 0 with the probability `share`.
    pub fn draw_dropout(&mut self, factors: &mut Tensor, share: f64) -> Result<(), TchError> {
        // SAFETY: tensor and generator outlive the call, and both are borrowed mutably.
        checked(unsafe { mammoscope_draw_dropout(pointer(factors), share, self.0.as_ptr()) })
    }
}

impl Drop for RandomGenerator {
    fn drop(&mut self) {
        // SAFETY: it was allocated by `mammoscope_new_generator` and is not used again.
        unsafe { mammoscope_free_generator(self.0.as_ptr()) }
    }
}

// SAFETY: a generator is used through `&mut` only, and libtorch ties none to a thread.
unsafe impl Send for RandomGenerator {}
