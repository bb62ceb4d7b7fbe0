//! The libtorch engine of mammoscope: everything that touches tensors.
//!
//! [`learning`] contains the networks, training and explanations; [`thread`] the engine thread, which owns every
//! tensor, and the service around it.

pub mod learning;
pub mod thread;
