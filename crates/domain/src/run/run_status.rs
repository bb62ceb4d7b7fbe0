//! `status.json`: the state of a run and the evidence for it, replaced every few seconds.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::subject::view::View;

/// The version of the layout of `status.json`.
pub const STATUS_SCHEMA: u32 = 1;

/// What a run is doing, as its trainer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunPhase {
    /// It waits for its turn.
    Queued,
    /// Images are read, the network is built.
    Starting,
    /// It trains.
    Running,
    /// It waits for `continue`.
    Paused,
    /// It was asked to stop and finishes what it is at.
    Stopping,
    /// A signal ended it; it can be resumed.
    Interrupted,
    /// A request ended it; it can be resumed.
    Stopped,
    /// It came to its end.
    Completed,
    /// It could not go on.
    Failed,
}

impl RunPhase {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Interrupted => "interrupted",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether no trainer is at work on it, nor will be without being asked.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Interrupted | Self::Stopped | Self::Completed | Self::Failed)
    }
}

impl fmt::Display for RunPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestEpoch {
    /// What decides, such as `val_accuracy`.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// The epoch, from 1.
    pub epoch: u32,
}

/// The contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// [`STATUS_SCHEMA`].
    pub schema: u32,
    /// What the run is doing.
    pub state: RunPhase,
    /// Why, in words, where there is something to say.
    pub reason: Option<String>,
    /// The trainer's process.
    pub pid: Option<u32>,
    /// The host it runs on.
    pub host: Option<String>,
    /// That host's boot, so that a process number of an earlier boot is not taken for it.
    pub boot_id: Option<String>,
    /// The runs that were asked for together.
    pub group: String,
    /// The view.
    pub view: View,
    /// Updates of the weights so far.
    pub step: u64,
    /// Updates an epoch.
    pub steps_per_epoch: u64,
    /// The epoch it is in, from 1; 0 before the first.
    pub epoch: u32,
    /// The epochs that were asked for.
    pub epochs: u32,
    /// The best epoch so far.
    pub best: Option<BestEpoch>,
    /// Training images a second, lately.
    pub images_per_s: Option<f64>,
    /// Seconds to the end, as it goes.
    pub eta_s: Option<f64>,
    /// When the trainer last said that it lives.
    pub heartbeat: DateTime<Utc>,
    /// When anything but the heartbeat last changed.
    pub updated: DateTime<Utc>,
}
