//! The engine thread, and what runs on it.

pub mod job_control;
pub mod outlet;
pub mod predict;
pub mod serve;
