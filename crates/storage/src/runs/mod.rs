//! The files of a workspace and its run directories.

pub mod best_checkpoint;
pub mod checkpoint_file;
pub mod checkpoint_model;
mod event_line;
pub mod event_log;
pub mod event_tail;
pub mod history_files;
pub mod labels_file;
pub mod lock_holder;
pub mod log_tail;
pub mod machine_log;
pub mod manifest_file;
pub mod model_splits;
pub mod process_evidence;
pub mod run_catalog;
pub mod run_dir;
mod run_lease;
pub mod run_lock;
pub mod run_requests;
pub mod run_spec_file;
pub mod run_status_file;
pub mod run_trash;
pub mod split_evaluation;
pub mod study_folder;
pub mod tensorboard;
pub mod trainer_evidence;
pub mod workspace;
