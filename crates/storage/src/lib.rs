//! Files on disk, and their safety in a crash.

pub mod atomic_file;
pub mod keras;
pub mod models;
pub mod regular_file;
pub mod runs;
pub mod tables;
