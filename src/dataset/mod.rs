//! Folders of images to samples.

pub mod sample;
