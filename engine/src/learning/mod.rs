//! All that touches tensors.

pub mod device;
pub mod flat_parameters;
pub mod folded_resnet;
pub mod host_memory;
pub mod inference;
pub mod keras_ops;
pub mod learner;
pub mod libtorch_ext;
pub mod loss;
pub mod memory_advice;
pub mod optimizer;
pub mod resnet;
pub mod training_pass;
