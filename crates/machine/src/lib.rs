//! The load of this machine: processor, memory and GPUs.

pub mod machine_monitor;
pub mod machine_sample;
