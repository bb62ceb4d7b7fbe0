//! Data sets of mammograms: folders, labels, splits, phantoms and the pixel cache.

pub mod audit;
pub mod copied_images;
mod data_checks;
pub mod data_warning;
pub mod duplicate_audit;
pub mod folder_layout;
pub mod folder_listing;
mod folder_name;
pub mod folder_problem;
mod folder_tree;
pub mod grey_check;
pub mod ground_truth;
pub mod manifest;
mod natural_order;
pub mod not_data;
pub mod phantom;
pub mod pixel_cache;
mod random_split;
pub mod repeated_views;
pub mod sample;
pub mod selection;
pub mod split;
pub mod split_table;
pub mod stated;
pub mod subject_audit;
pub mod unmatched_table;
