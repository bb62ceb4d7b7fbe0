//! The vocabulary of preprocessing in the workbench: effects, messages and actions.

use std::path::PathBuf;

use crate::tui::protocol::failure::Failure;
use mammoscope_preprocessing::run::{Stage, Summary};

/// Effects for the service that preprocesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PreparationEffect {
    /// Prepare the sources of a folder. The paths are as typed; `labels` may be empty.
    Start { input: String, output: String, labels: String },
    /// End the run after the images in progress.
    Stop,
}

/// Messages from the service that preprocesses.
#[derive(Debug)]
pub(in crate::tui) enum PreparationMessage {
    Progress(PreparationProgress),
    /// Nothing was started, since one of the typed paths cannot be used.
    NotStarted {
        path: PreparationPath,
        problem: Failure,
    },
    /// A source was refused.
    Refused {
        /// The source's number and the first digits of its hash; its path may identify a person.
        name: String,
        reason: String,
    },
    /// The run has ended.
    Ended {
        /// Both absolute.
        input: PathBuf,
        output: PathBuf,
        outcome: Result<PreparationOutcome, Failure>,
    },
}

/// The paths of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PreparationPath {
    Input,
    Output,
    Labels,
}

/// The progress of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) struct PreparationProgress {
    pub(in crate::tui) stage: Stage,
    /// Files of this stage.
    pub(in crate::tui) done: usize,
    pub(in crate::tui) total: usize,
    /// Since the stage began.
    pub(in crate::tui) seconds: f64,
    /// An estimate from the bytes that remain.
    pub(in crate::tui) seconds_left: Option<f64>,
}

/// The outcome of a run, and notes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct PreparationOutcome {
    pub(in crate::tui) summary: Summary,
    pub(in crate::tui) notes: Vec<String>,
}

/// Actions of preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PreparationAction {
    /// Opens the form or, during a run, its progress.
    Open,
    /// Ends the run.
    Stop,
    /// Hides the progress or the outcome.
    Hide,
    /// Opens the review of the prepared images.
    Review,
}
