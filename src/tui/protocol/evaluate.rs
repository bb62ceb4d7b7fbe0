//! The vocabulary of the screen Evaluate: actions, effects and messages.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::analysis::kept_evaluation::NamedRun;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::run_dir::RunDir;

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum EvaluateAction {
    Open,
    FullScreen,
    Back,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    NextSet,
    PreviousSet,
    Counts,
    Split,
    Compare,
    ShowRun,
    ReadAgain,
}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum EvaluateEffect {
    /// See which runs keep predictions.
    Look { runs: Vec<RunDir> },
    /// Evaluate what runs keep: `first` is the set whose intervals come first.
    Open { request: u64, runs: Vec<NamedRun>, split: Option<Split>, first: Option<SetName> },
    /// Compare it with what others keep.
    Compare { request: u64, runs: Vec<NamedRun>, with: Vec<NamedRun>, split: Split, first: Option<SetName> },
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum EvaluateMessage {
    /// Which runs keep predictions of which splits.
    Looked { kept: HashMap<RunDir, Vec<Split>> },
    /// The sets, without intervals.
    Opened { request: u64, opened: Box<OpenedSets> },
    /// A set with intervals.
    Resampled { request: u64, evaluated: Box<EvaluatedSet> },
    /// A set compared, or why it cannot be.
    Compared { request: u64, name: SetName, compared: Result<Box<PairedComparison>, String>, resampled: bool },
}

/// A set and where its cases come from.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSet {
    /// Its figures.
    pub(in crate::tui) evaluated: EvaluatedSet,
    /// The rows of each case.
    pub(in crate::tui) rows: Vec<Vec<usize>>,
    /// Whether the intervals are there.
    pub(in crate::tui) resampled: bool,
}

/// The sets of one split, and what they were made from.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSets {
    /// The split.
    pub(in crate::tui) split: Split,
    /// Whether predictions of the other split are kept, too.
    pub(in crate::tui) has_other_split: bool,
    /// The predictions.
    pub(in crate::tui) rows: Vec<PredictionRow>,
    /// The image of each row.
    pub(in crate::tui) images: Vec<PathBuf>,
    /// What is missing or damaged.
    pub(in crate::tui) problems: Vec<String>,
    /// The sets, views first.
    pub(in crate::tui) sets: Vec<OpenedSet>,
}
