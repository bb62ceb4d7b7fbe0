//! The engine thread, and what runs on it.

pub mod benchmark;
mod explain;
mod explainer_cache;
mod image_source;
pub mod job;
pub mod job_control;
pub mod outlet;
pub mod predict;
pub mod progress;
pub mod serve;
pub mod train;
