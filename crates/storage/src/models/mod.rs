//! Model files and sets of models.

pub mod model_file;
pub mod model_set;
