//! Work for a Slurm cluster: a real controller and a real node, in a temporary folder.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod fixture;
mod refusals;
mod requeue;
mod shards;
mod waiting;
