//! Slurm's command-line client, and the records of what was submitted to it.

pub mod accounting;
pub mod batch_script;
pub mod cluster_view;
pub mod condition_text;
pub mod controller;
pub mod job_environment;
pub mod job_queue;
pub mod job_state;
pub mod partitions;
pub mod queued_job;
pub mod shell_text;
pub mod slurm_program;
pub mod submission;
pub mod submission_files;
pub mod submitted_runs;
pub mod task_id;
pub mod time_limit;
