//! Comparisons that set the number of threads of the whole process to one.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

mod graph_gradients;
mod half_precision;
mod training_parity;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the tests that draw from libtorch's generator, which belongs to the whole process.
fn generator() -> MutexGuard<'static, ()> {
    static GENERATOR: Mutex<()> = Mutex::new(());
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner)
}
