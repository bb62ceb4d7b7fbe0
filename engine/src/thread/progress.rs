//! The progress counter behind the engine's heartbeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts decoded images and computed batches; every heartbeat carries the count.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    pub fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
