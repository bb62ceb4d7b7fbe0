//! Comparisons that set the number of threads of the whole process to one.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

mod half_precision;
mod training_parity;
