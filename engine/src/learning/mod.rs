//! All that touches tensors.

pub mod device;
pub mod folded_resnet;
pub mod host_memory;
pub mod inference;
pub mod keras_ops;
pub mod libtorch_ext;
pub mod resnet;
