//! `mammoscope-engine bench …`: what `cargo xtask bench` measures.

pub mod augmentation;
pub mod forward;
mod timing;
