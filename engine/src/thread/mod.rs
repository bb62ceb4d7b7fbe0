//! The engine thread, and what runs on it.

pub mod benchmark;
mod explain;
mod image_source;
pub mod job;
pub mod job_control;
mod kept_explainer;
pub mod outlet;
pub mod predict;
pub mod progress;
pub mod serve;
pub mod train;
