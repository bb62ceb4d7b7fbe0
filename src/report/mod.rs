//! Tables and pictures from an evaluation.

pub mod comparison_table;
pub mod evaluation_document;
mod lettering;
pub mod plots;
pub mod tables;
