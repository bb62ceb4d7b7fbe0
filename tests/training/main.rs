//! Training runs and the engine: real processes, signals and faults.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

#[cfg(target_os = "linux")]
mod completeness;
mod damaged_records;
mod detached_queue;
mod engine_faults;
mod ensembles;
mod event_commands;
mod exact_resume;
mod explain_memory;
mod failing_disks;
mod folds;
#[cfg(debug_assertions)]
mod gpu_memory;
mod kept_checkpoints;
mod kill_series;
mod lost_terminals;
mod maps_over_epochs;
mod model_cards;
mod passing_faults;
mod phantom_explanations;
mod placement_speed;
mod renamed_runs;
mod resumed_runs;
mod side_by_side;
mod step_benchmark;
mod studies;
mod tensorboard;
mod train_cli;
mod trainer_evidence;
mod training_faults;
mod training_images;
mod training_memory;
mod unfinished_reports;
