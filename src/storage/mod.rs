//! What is on disk, and its crash safety.

pub mod atomic_file;
pub mod checkpoint_file;
pub mod history_files;
pub mod keras;
pub mod model_file;
pub mod model_set;
mod numpy_text;
pub mod prediction_table;
pub mod regular_file;
pub mod run_dir;
pub mod run_spec_file;
pub mod tensorboard;
