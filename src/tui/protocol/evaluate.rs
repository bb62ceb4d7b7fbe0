//! The vocabulary of the screen Evaluate: actions, effects and messages.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::kept_evaluation::NamedRun;
use crate::tui::protocol::failure::Failure;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::run_dir::RunDir;

/// Actions of the screen Evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum EvaluateAction {
    Open,
    FullScreen,
    Back,
    Left,
    Right,
    NextSet,
    PreviousSet,
    Counts,
    /// List all cases, the worst errors first.
    WorstErrors,
    /// Sort the list of cases by the next property.
    Sort,
    /// Reverse the order of the list of cases.
    ReverseOrder,
    /// Explain the image with the model that is compared with.
    ExplainOther,
    Split,
    Compare,
    ShowRun,
    ReadAgain,
}

/// Effects for the service of the screen Evaluate.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum EvaluateEffect {
    /// Find out which runs have predictions.
    Look { runs: Vec<RunDir> },
    /// Evaluate the predictions of runs; the intervals of the set `first` are computed first.
    Open { request: u64, runs: Vec<NamedRun>, split: Option<Split>, first: Option<SetName> },
    /// Compare the predictions of runs with those of others.
    Compare { request: u64, runs: Vec<NamedRun>, with: Vec<NamedRun>, split: Split, first: Option<SetName> },
}

/// Messages from the service of the screen Evaluate.
#[derive(Debug)]
pub(in crate::tui) enum EvaluateMessage {
    /// The splits for which each run has predictions.
    Looked { kept: HashMap<RunDir, Vec<Split>> },
    /// All sets, without intervals.
    Opened { request: u64, opened: Box<OpenedSets> },
    /// One set with intervals.
    Resampled { request: u64, evaluated: Box<EvaluatedSet> },
    /// The comparison of one set; with intervals if `resampled`.
    Compared { request: u64, name: SetName, compared: Result<Box<ComparedPair>, Failure>, resampled: bool },
}

/// Two evaluations of the same cases.
#[derive(Debug)]
pub(in crate::tui) struct ComparedPair {
    pub(in crate::tui) comparison: PairedComparison,
    /// The set that is compared with.
    pub(in crate::tui) there: Arc<EvaluationSet>,
}

/// An evaluated set and the origin of its cases.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSet {
    pub(in crate::tui) evaluated: EvaluatedSet,
    /// For each case, the indices of its prediction rows.
    pub(in crate::tui) rows: Vec<Vec<usize>>,
    /// True once the intervals are computed.
    pub(in crate::tui) resampled: bool,
}

/// The sets of one split and the predictions from which they were made.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSets {
    pub(in crate::tui) split: Split,
    /// True if there are predictions for the other split, too.
    pub(in crate::tui) has_other_split: bool,
    pub(in crate::tui) rows: Vec<PredictionRow>,
    /// The image of each row.
    pub(in crate::tui) images: Vec<PathBuf>,
    /// Missing or damaged files, one line each.
    pub(in crate::tui) problems: Vec<String>,
    /// Single views first.
    pub(in crate::tui) sets: Vec<OpenedSet>,
}
