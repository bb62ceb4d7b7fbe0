//! The workbench in a pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod commands_and_settings;
mod comparison;
mod jobs;
mod pictures;
mod review;
mod runs_list;
mod sessions;
mod studies;
mod training_run;
