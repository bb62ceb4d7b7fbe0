//! The workbench in a pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod clipboard;
mod commands_and_settings;
mod comparison;
mod epochs;
mod jobs;
mod pictures;
mod review;
mod runs_list;
mod sessions;
mod studies;
mod terminals;
mod training_run;
