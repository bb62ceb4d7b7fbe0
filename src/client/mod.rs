//! How the program reaches the engine.

pub mod engine_process;
pub mod protocol;
