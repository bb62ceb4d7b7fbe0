//! The record of a training run: its events, and the state, the manifest and the curves that follow from them.

pub mod curve_findings;
mod dataset_fingerprint;
pub mod dataset_manifest;
pub mod machine_record;
pub mod metric_series;
pub mod remaining_time;
pub mod request_verb;
pub mod run_clock;
pub mod run_condition;
pub mod run_event;
pub mod run_labels;
pub mod run_records;
pub mod run_spec;
pub mod run_state;
pub mod run_status;
pub mod run_summary;
