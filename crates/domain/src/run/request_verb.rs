//! The verbs of requests to a trainer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The requests that a trainer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestVerb {
    /// Wait, with everything kept in memory.
    Pause,
    /// Resume after a pause.
    Continue,
    /// Write a checkpoint now.
    Checkpoint,
    /// Finish the epoch, then stop.
    StopAfterEpoch,
    /// Finish the step, write a checkpoint, stop.
    Stop,
}

impl RequestVerb {
    /// All verbs.
    pub const ALL: [Self; 5] = [Self::Pause, Self::Continue, Self::Checkpoint, Self::StopAfterEpoch, Self::Stop];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Continue => "continue",
            Self::Checkpoint => "checkpoint",
            Self::StopAfterEpoch => "stop-after-epoch",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for RequestVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
