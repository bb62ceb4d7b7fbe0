//! `mammoscope-engine bench …`: measurements, and one device beside another.

pub mod augmentation;
pub mod forward;
pub mod gradcam;
pub mod ten_steps;
mod timing;
