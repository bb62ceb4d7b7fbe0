//! The commands as a user runs them: the real binaries in temporary folders.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod audit;
mod calibration;
mod command_schemas;
mod copied_images;
mod doctor;
mod doubtful_input;
mod evaluate_cli;
mod evaluate_formats;
mod explain_cli;
mod explain_notes;
mod explain_terminal;
mod exported_models;
mod folder_leftovers;
mod json_schemas;
mod maps_over_epochs;
mod model_cards;
mod models_to_export;
mod phantom_command;
mod predict_calibrated;
mod predict_cli;
mod printed;
#[cfg(unix)]
mod read_only_workspace;
mod recorded_workspace;
mod report;
mod report_browser;
mod run_labels;
mod run_models;
mod runs_cli;
mod runs_export;
mod settings;
mod sharded_explanations;
mod sharded_predictions;
mod shipped_models;
mod show;
mod split_cli;
mod trainer_proof;
mod tutorial;
