//! The vocabulary of the screen Evaluate: actions, effects and messages.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::kept_evaluation::NamedRun;
use crate::tui::protocol::evaluation_curves::SetCurves;
use crate::tui::protocol::failure::Failure;
use mammoscope_domain::metrics::evaluation::Evaluation;
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
    /// Show the cases as a list or as a contact sheet.
    Arrangement,
    SheetLeft,
    SheetRight,
    CopyPath,
    /// Copy the path of the evaluation.
    CopyPlace,
    /// Explain the image with the model that is compared with.
    ExplainOther,
    Split,
    Compare,
    ShowRun,
    ReadAgain,
    /// Write the figures of the shown set as pictures and tables.
    Export,
    NextPane,
    PreviousPane,
    OpenFolder,
    /// Forget the folder under the cursor; its files stay.
    ForgetFolder,
}

/// Effects for the service of the screen Evaluate.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum EvaluateEffect {
    /// Find out which runs have predictions.
    Look { runs: Vec<RunDir> },
    /// Evaluate predictions; the intervals of the set `first` are computed first.
    Open { request: u64, source: PredictionSource, split: Option<Split>, first: Option<SetName> },
    /// Compare predictions with others.
    Compare {
        request: u64,
        source: PredictionSource,
        with: PredictionSource,
        split: Option<Split>,
        first: Option<SetName>,
    },
    /// Complete a typed path.
    Complete(String),
    /// Check whether a typed path has predictions to evaluate.
    Check(String),
    /// Write the figures of a set.
    ExportFigures(Box<ExportedSet>),
}

/// A set whose figures are written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ExportedSet {
    pub(in crate::tui) set: EvaluationSet,
    pub(in crate::tui) evaluation: Evaluation,
}

/// The origin of predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PredictionSource {
    /// Those that runs have stored.
    Runs(Vec<NamedRun>),
    /// A folder with a table, or the table.
    Folder {
        path: PathBuf,
        /// Data sets that the images may belong to: a table does not name its own.
        data: Vec<PathBuf>,
    },
}

impl PredictionSource {
    /// The runs; none for a folder.
    pub(in crate::tui) fn runs(&self) -> &[NamedRun] {
        if let Self::Runs(runs) = self { runs } else { &[] }
    }
}

/// Messages from the service of the screen Evaluate.
#[derive(Debug)]
pub(in crate::tui) enum EvaluateMessage {
    /// The splits for which each run has predictions.
    Looked { kept: HashMap<RunDir, Vec<Split>> },
    /// All sets, without intervals.
    Opened { request: u64, opened: Box<OpenedSets> },
    /// One set with intervals, and its parts with theirs.
    Resampled { request: u64, evaluated: Box<EvaluatedSet>, subgroups: Vec<Subgroup> },
    /// The comparison of one set; with intervals if `resampled`.
    Compared { request: u64, name: SetName, compared: Result<Box<ComparedPair>, Failure>, resampled: bool },
    /// The paths that complete a typed one.
    Completed { typed: String, found: Vec<String> },
    /// The path of the predictions at a typed path, or why there are none.
    Checked { typed: String, outcome: Result<PathBuf, Failure> },
    /// The folder with the figures of a set.
    Exported { outcome: Result<PathBuf, Failure> },
}

/// Two evaluations of the same cases.
#[derive(Debug)]
pub(in crate::tui) struct ComparedPair {
    pub(in crate::tui) comparison: PairedComparison,
    /// The set that is compared with.
    pub(in crate::tui) there: Arc<EvaluationSet>,
    /// The curves of that set.
    pub(in crate::tui) curves: Arc<SetCurves>,
}

/// An evaluated set and the origin of its cases.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSet {
    pub(in crate::tui) evaluated: EvaluatedSet,
    /// For each case, the indices of its prediction rows.
    pub(in crate::tui) rows: Vec<Vec<usize>>,
    /// True once the intervals are computed.
    pub(in crate::tui) resampled: bool,
    pub(in crate::tui) curves: SetCurves,
    /// Metrics of its parts, if the images' origin is known.
    pub(in crate::tui) subgroups: Vec<Subgroup>,
}

/// The cases of a set with a property in common.
#[derive(Clone, Debug)]
pub(in crate::tui) struct Subgroup {
    /// Such as the name of a scanner; safe to print.
    pub(in crate::tui) name: String,
    pub(in crate::tui) evaluation: Evaluation,
}

/// The sets of one split and the predictions from which they were made.
#[derive(Debug)]
pub(in crate::tui) struct OpenedSets {
    /// `None` for a table, which has whatever was predicted.
    pub(in crate::tui) split: Option<Split>,
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
