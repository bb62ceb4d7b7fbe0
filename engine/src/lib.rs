//! The libtorch engine of mammoscope: all that touches tensors.
//!
//! [`learning`] holds networks and arithmetic, [`thread`] the engine thread that owns every tensor and the service
//! around it.

pub mod bench;
pub mod learning;
pub mod thread;
