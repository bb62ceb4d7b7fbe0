//! How many runs train side by side on a device, each with how many CPU threads.

use serde::{Deserialize, Serialize};

/// The number of runs that train side by side on a device, and the CPU threads of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Runs at the same time on this device.
    pub jobs: usize,
    /// CPU threads of each run.
    pub threads: usize,
    /// The candidates that were timed before the choice; empty if nothing had to be timed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timed: Vec<TimedPlacement>,
}

/// A candidate that was timed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedPlacement {
    /// Runs at the same time.
    pub jobs: usize,
    /// CPU threads of each.
    pub threads: usize,
    /// Training images per second of all runs together.
    pub images_per_s: f64,
}
