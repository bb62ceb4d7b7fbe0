//! Tables and pictures from an evaluation.

pub mod baseline_table;
pub mod comparison_table;
mod lettering;
pub mod plots;
pub mod tables;
