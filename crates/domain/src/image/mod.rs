//! Properties of an image: its grey range, its appearance, and doubts about it.

pub mod doubtful_images;
pub mod grey_range;
pub mod image_findings;
pub mod image_seed;
pub mod training_images;
