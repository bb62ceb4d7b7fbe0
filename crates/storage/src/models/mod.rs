//! Model files, and sets of them.

pub mod model_file;
pub mod model_set;
