//! The client side of the engine: finding it, starting it, and running jobs in it.

pub mod engine_location;
mod engine_pipes;
pub mod engine_probe;
pub mod engine_process;
pub mod explanation;
pub mod image_job;
pub mod prediction;
pub mod step_benchmark;
