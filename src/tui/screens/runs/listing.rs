//! The lines of the list: runs, and studies that are opened and closed.

use std::collections::BTreeSet;

use crate::tui::protocol::run_list::RunRow;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::study::study_ranking::{RankedRun, StudyRanking};

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ListLine {
    /// A study, with the positions of its runs among all rows.
    Study { id: String, rows: Vec<usize>, open: bool },
    /// A run, by its position among all rows.
    Run { row: usize, in_study: bool },
}

impl ListLine {
    /// The row of a run; `None` for a study.
    pub(super) fn row(&self) -> Option<usize> {
        match self {
            Self::Run { row, .. } => Some(*row),
            Self::Study { .. } => None,
        }
    }
}

/// The study that a row belongs to.
pub(super) fn study_of(row: &RunRow) -> Option<&str> {
    Some(row.spec.as_ref()?.study.as_ref()?.id.as_str())
}

/// The lines for the rows that `shows` accepts. A study has a line of its own, and its runs follow it if it is open or
/// `opens_all`.
pub(super) fn lines(
    rows: &[RunRow],
    opened: &BTreeSet<String>,
    opens_all: bool,
    shows: impl Fn(&RunRow) -> bool,
) -> Vec<ListLine> {
    let mut lines = Vec::new();
    let shown: Vec<usize> = (0..rows.len()).filter(|at| shows(&rows[*at])).collect();
    for together in shown.chunk_by(|one, other| study_of(&rows[*one]) == study_of(&rows[*other])) {
        let study = study_of(&rows[together[0]]);
        let open = study.is_none_or(|id| opens_all || opened.contains(id));
        if let Some(id) = study {
            lines.push(ListLine::Study { id: id.to_owned(), rows: together.to_vec(), open });
        }
        if open {
            lines.extend(together.iter().map(|&row| ListLine::Run { row, in_study: study.is_some() }));
        }
    }
    lines
}

/// The progress of rows.
pub(super) fn progress<'r>(rows: impl IntoIterator<Item = &'r RunRow>) -> StudyProgress {
    StudyProgress::of(rows.into_iter().map(|row| row.status.as_ref().zip(row.condition.as_ref())))
}

/// The ranking of the points of a study; `None` if none of its runs can be read.
pub(super) fn ranking<'r>(rows: impl IntoIterator<Item = &'r RunRow>) -> Option<StudyRanking> {
    let specified = rows.into_iter().filter_map(|row| Some((row.spec.as_ref()?, row.status.as_ref())));
    let mut monitor = None;
    let ranked: Vec<RankedRun> = specified
        .filter_map(|(spec, status)| {
            monitor = monitor.or(Some(spec.config.monitor));
            RankedRun::of(spec, status)
        })
        .collect();
    Some(StudyRanking::of(&ranked, monitor?))
}

/// The run of a study whose curves are shown for it: the first active one, else the one that ended last, else the first.
pub(super) fn representative(rows: &[RunRow], of_study: &[usize]) -> Option<usize> {
    let is_active = |at: &&usize| rows[**at].condition.as_ref().is_some_and(RunCondition::is_active);
    let ended = |at: &&usize| rows[**at].status.as_ref().filter(|status| status.epoch > 0).map(|status| status.updated);
    of_study
        .iter()
        .find(is_active)
        .or_else(|| of_study.iter().filter(|at| ended(at).is_some()).max_by_key(ended))
        .or(of_study.first())
        .copied()
}
