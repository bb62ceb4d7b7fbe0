//! Networks, training and explanations against references and by hand.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

mod augmentation;
mod explanation_references;
mod explanations;
mod optimizers;
mod overfit;
mod parity;
mod skipped_steps;
mod support;
mod training_commands;
