//! Folders of images to samples.

pub mod folder_layout;
mod folder_name;
pub mod folder_problem;
mod folder_tree;
mod natural_order;
pub mod phantom;
pub mod pixel_cache;
pub mod sample;
pub mod selection;
