//! Properties of an image: its range of grey values, and findings that make it doubtful.

pub mod doubtful_images;
pub mod grey_range;
pub mod image_findings;
pub mod image_seed;
pub mod training_images;
