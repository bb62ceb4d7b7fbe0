//! `status.json`: the state of a run and the evidence for it, rewritten every few seconds.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::subject::view::View;

/// The schema version of `status.json`.
pub const STATUS_SCHEMA: u32 = 1;

/// The phase of a run as its trainer reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunPhase {
    /// The run waits for its turn.
    Queued,
    /// The trainer reads images and builds the network.
    Starting,
    Running,
    /// The trainer waits for `continue`.
    Paused,
    /// The trainer was asked to stop and finishes the step or the epoch.
    Stopping,
    /// Ended by a signal; the run can be resumed.
    Interrupted,
    /// Ended by a request; the run can be resumed.
    Stopped,
    /// All epochs are done, or the early stop ended the run.
    Completed,
    /// Ended by an error.
    Failed,
}

impl RunPhase {
    /// The name in files.
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

    /// True if no trainer works on the run, or will without a request to resume it.
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
    /// The metric that decides, such as `val_accuracy`.
    pub metric: String,
    pub value: f64,
    /// The epoch, from 1.
    pub epoch: u32,
}

/// The contents of `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// [`STATUS_SCHEMA`].
    pub schema: u32,
    pub state: RunPhase,
    /// The reason for the state, for people.
    pub reason: Option<String>,
    /// The trainer's process ID.
    pub pid: Option<u32>,
    pub host: Option<String>,
    /// The host's boot ID, so that a process ID from before a reboot is not mistaken for this trainer.
    pub boot_id: Option<String>,
    /// The id shared by runs that were started together.
    pub group: String,
    pub view: View,
    /// The weight updates so far.
    pub step: u64,
    /// Weight updates per epoch.
    pub steps_per_epoch: u64,
    /// The current epoch, from 1; 0 before the first.
    pub epoch: u32,
    /// The number of epochs to train.
    pub epochs: u32,
    pub best: Option<BestEpoch>,
    /// Training images per second, from the last report.
    pub images_per_s: Option<f64>,
    /// The [remaining seconds](super::remaining_time::remaining_seconds).
    pub eta_s: Option<f64>,
    /// When the trainer last reported that it is alive.
    pub heartbeat: DateTime<Utc>,
    /// When anything other than the heartbeat last changed.
    pub updated: DateTime<Utc>,
}
