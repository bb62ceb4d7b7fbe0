//! The screen Runs.
