//! Tables and arrays: predictions, explanation scores, maps.

pub mod epoch_score_table;
pub mod fused_table;
pub mod map_file;
pub(crate) mod numpy_text;
pub mod prediction_table;
pub mod score_table;
