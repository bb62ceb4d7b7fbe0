//! The vocabulary of preprocessing in the workbench: effects, messages and actions.

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::TimeDelta;

use crate::tui::protocol::failure::Failure;
use mammoscope_domain::run::run_condition::duration_text;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
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

impl PreparationProgress {
    /// `123 of 400 files prepared · 12.3/s · 23 s left`.
    pub(in crate::tui) fn text(&self) -> String {
        self.text_with(" of ")
    }

    /// The same with `123/400`, as commands draw their progress.
    pub(in crate::tui) fn job_text(&self) -> String {
        self.text_with("/")
    }

    fn text_with(&self, of: &str) -> String {
        let verb = match self.stage {
            Stage::Identifying => "identified",
            Stage::Preparing => "prepared",
        };
        let mut text = format!("{}{of}{} files {verb}", grouped(self.done), grouped(self.total));
        if self.done > 0 && self.seconds >= 0.5 {
            // Writing to a string cannot fail.
            let _ = write!(text, " · {:.1}/s", self.done as f64 / self.seconds);
            if let Some(left) = self.seconds_left.filter(|_| self.done < self.total) {
                let _ = write!(text, " · {} left", duration_text(TimeDelta::seconds(left.ceil() as i64)));
            }
        }
        text
    }
}

/// The outcome of a run, and notes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct PreparationOutcome {
    pub(in crate::tui) summary: Summary,
    pub(in crate::tui) notes: Vec<String>,
}

impl PreparationOutcome {
    /// A summary such as `12 images written, 3 refused`.
    pub(in crate::tui) fn summary_text(&self) -> String {
        let summary = &self.summary;
        let mut parts = vec![format!("{} written", counted(summary.written, "image"))];
        let counts = [
            (summary.unchanged, "unchanged"),
            (summary.refused, "refused"),
            (summary.rejected, "rejected in a review"),
            (summary.skipped, "not images"),
            (summary.with_warning, "with a warning"),
            (summary.uncertain_muscles, "with an uncertain muscle"),
            (summary.unlabelled, "without a class"),
            (summary.without_source, "kept without their source"),
        ];
        parts.extend(counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        let end = if summary.cancelled { "; stopped: start it again to continue" } else { "" };
        format!("{}{end}", parts.join(", "))
    }

    /// True if the folder has prepared images.
    pub(in crate::tui) fn has_images(&self) -> bool {
        self.summary.written + self.summary.unchanged > 0
    }
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
