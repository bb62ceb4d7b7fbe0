//! What is on disk, and its crash safety.

pub mod atomic_file;
pub mod best_checkpoint;
pub mod checkpoint_file;
pub mod event_log;
pub mod event_tail;
pub mod history_files;
pub mod keras;
pub mod log_tail;
pub mod manifest_file;
pub mod map_file;
pub mod model_file;
pub mod model_set;
pub mod model_splits;
mod numpy_text;
pub mod prediction_table;
pub mod process_evidence;
pub mod regular_file;
pub mod run_catalog;
pub mod run_dir;
pub mod run_lock;
pub mod run_requests;
pub mod run_spec_file;
pub mod run_status_file;
pub mod run_trash;
pub mod split_evaluation;
pub mod tensorboard;
pub mod workspace;
