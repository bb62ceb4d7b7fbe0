//! Numbers that change from step to step. They are in tensors, so that recorded operations read their current values.

use tch::{Device, Kind, TchError, Tensor, no_grad};

/// A number on a device.
#[derive(Debug)]
pub struct DeviceNumber {
    tensor: Tensor,
    value: f64,
}

impl DeviceNumber {
    /// A tensor of the given shape, with one value, which is 0 at first.
    pub fn new(shape: &[i64], kind: Kind, device: Device) -> Result<Self, TchError> {
        Ok(Self { tensor: Tensor::f_zeros(shape, (kind, device))?, value: 0.0 })
    }

    /// Sets the value in place, without a wait for the device.
    pub fn set(&mut self, value: f64) -> Result<(), TchError> {
        if value.to_bits() != self.value.to_bits() {
            let _ = no_grad(|| self.tensor.f_fill_(value))?;
            self.value = value;
        }
        Ok(())
    }

    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }
}
