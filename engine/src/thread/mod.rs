//! The engine thread and its jobs.

pub mod benchmark;
pub mod event_writer;
mod explain;
mod explainer_cache;
mod image_source;
pub mod job;
pub mod job_control;
pub mod predict;
pub mod progress;
pub mod serve;
pub mod train;
