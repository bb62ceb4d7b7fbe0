//! Whether the engine gets any further.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that grows with every image decoded and every batch computed, and goes out with each sign of life.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Counts a step.
    pub fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Steps so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
