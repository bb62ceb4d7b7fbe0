//! The engine as a process of its own: its jobs and its memory.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

mod explanation_jobs;
