//! What is on disk, and its crash safety.

pub mod atomic_file;
