//! All that touches tensors.

pub mod augmentation;
pub mod batches;
pub mod device;
pub mod folded_resnet;
pub mod host_memory;
pub mod inference;
pub mod initial_weights;
pub mod keras_ops;
pub mod libtorch_ext;
pub mod random_stream;
pub mod resnet;
