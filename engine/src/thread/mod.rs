//! The engine thread, and what runs on it.

pub mod benchmark;
pub mod job;
pub mod job_control;
pub mod outlet;
pub mod predict;
pub mod progress;
pub mod serve;
pub mod train;
