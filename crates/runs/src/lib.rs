//! Starting, following and controlling training runs.

pub mod cluster_conditions;
pub mod cluster_job;
pub mod condition;
pub mod control;
pub mod ending;
pub mod follower;
pub mod foreground_trainer;
pub mod placement_choice;
pub mod resume_checks;
pub mod resumption;
pub mod snapshot;
pub mod study_plan;
pub mod submitted_run;
pub mod trainer_process;
pub mod training_plan;
pub mod training_start;
