//! The configuration of a training run and what follows from it: presets, schedule, stopping, time and disk space.

pub mod compute_options;
pub mod config_changes;
pub mod config_error;
pub mod config_fingerprint;
pub mod config_keys;
pub mod config_toml;
pub mod config_value;
pub mod disk_estimate;
pub mod early_stop;
pub mod lr_schedule;
pub mod placement;
pub mod placement_limits;
pub mod placement_search;
pub mod preset;
pub mod rate_change;
pub mod step_batches;
pub mod step_timing;
pub mod training_changes;
pub mod training_config;
