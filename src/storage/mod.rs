//! What is on disk, and its crash safety.

pub mod atomic_file;
pub mod checkpoint_file;
pub mod keras;
pub mod manifest_file;
pub mod model_file;
pub mod model_set;
pub mod prediction_table;
pub mod regular_file;
pub mod run_dir;
pub mod run_spec_file;
