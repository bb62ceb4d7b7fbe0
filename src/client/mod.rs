//! How the program reaches the engine.

pub mod engine_location;
mod engine_pipes;
pub mod engine_probe;
pub mod engine_process;
pub mod explained_image;
pub mod explanation;
pub mod explanation_files;
pub mod image_job;
pub mod kept_evaluation;
pub mod machine_monitor;
pub mod prediction;
pub mod protocol;
pub mod run_control;
pub mod run_ending;
pub mod run_follower;
pub mod run_prediction;
pub mod run_resumption;
pub mod run_snapshot;
pub mod step_benchmark;
pub mod synthetic_run;
pub mod trainer_process;
pub mod training_plan;
pub mod training_start;
