//! The client side of the engine: finds it, starts it, and runs jobs in it.

pub mod engine_location;
mod engine_pipes;
pub mod engine_probe;
pub mod engine_process;
pub mod image_job;
pub mod placement_benchmark;
pub mod step_benchmark;
