//! The lines of the list: runs, and folders of runs that belong together.

use std::collections::BTreeSet;

use super::columns::Column;
use super::sorting::sort;
use crate::tui::protocol::run_list::RunRow;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::study::study_ranking::{RankedRun, StudyRanking};

/// The kind of a folder of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FolderKind {
    /// The runs of several views that were started together.
    Group,
    Study,
}

impl FolderKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Study => "study",
        }
    }
}

/// The place of a run in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Alone,
    /// In an open folder, whose last run may be this one.
    Within {
        kind: FolderKind,
        is_last: bool,
    },
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ListLine {
    /// A folder, with the positions of its runs among all rows.
    Folder { kind: FolderKind, id: String, rows: Vec<usize>, open: bool },
    /// A run, by its position among all rows.
    Run { row: usize, place: Place },
}

impl ListLine {
    /// The rows of a run or of a folder.
    pub(super) fn rows(&self) -> &[usize] {
        match self {
            Self::Run { row, .. } => std::slice::from_ref(row),
            Self::Folder { rows, .. } => rows,
        }
    }

    /// The row of a run; `None` for a folder.
    pub(super) fn row(&self) -> Option<usize> {
        match self {
            Self::Run { row, .. } => Some(*row),
            Self::Folder { .. } => None,
        }
    }
}

/// Which folders are open, and the order of the runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListOrder<'a> {
    /// The studies that are open.
    pub(super) opened: &'a BTreeSet<String>,
    /// The groups that are closed.
    pub(super) folded: &'a BTreeSet<String>,
    /// True to open all folders.
    pub(super) opens_all: bool,
    pub(super) sort: Column,
    pub(super) reversed: bool,
}

/// The folder that a row belongs to, if there is one.
fn folder_of(row: &RunRow) -> Option<(FolderKind, &str)> {
    let spec = row.spec.as_ref()?;
    match &spec.study {
        Some(member) => Some((FolderKind::Study, &member.id)),
        None => Some((FolderKind::Group, spec.group.as_str())).filter(|(_, id)| !id.is_empty()),
    }
}

/// The id of the folder that a row belongs to, if there is one.
pub(super) fn folder_id(row: &RunRow) -> Option<&str> {
    folder_of(row).map(|(_, id)| id)
}

/// The lines for the rows that `shows` accepts. In the order of time, runs that belong together follow a line of their
/// own, if they are several or a study; sorted by another column, every run stands alone.
pub(super) fn lines(rows: &[RunRow], order: &ListOrder<'_>, shows: impl Fn(&RunRow) -> bool) -> Vec<ListLine> {
    let mut shown: Vec<usize> = (0..rows.len()).filter(|at| shows(&rows[*at])).collect();
    if order.sort != Column::Created {
        sort(&mut shown, rows, order.sort, order.reversed);
        return shown.into_iter().map(|row| ListLine::Run { row, place: Place::Alone }).collect();
    }
    let mut chunks: Vec<&[usize]> =
        shown.chunk_by(|one, other| is_together(folder_of(&rows[*one]), folder_of(&rows[*other]))).collect();
    if order.reversed {
        chunks.reverse();
    }
    let mut lines = Vec::new();
    for together in chunks {
        let folder = folder_of(&rows[together[0]]);
        let Some((kind, id)) = folder.filter(|(kind, _)| *kind == FolderKind::Study || together.len() > 1) else {
            lines.extend(together.iter().map(|&row| ListLine::Run { row, place: Place::Alone }));
            continue;
        };
        let is_open = match kind {
            FolderKind::Study => order.opened.contains(id),
            FolderKind::Group => !order.folded.contains(id),
        };
        let open = order.opens_all || is_open;
        lines.push(ListLine::Folder { kind, id: id.to_owned(), rows: together.to_vec(), open });
        if open {
            let place = |at: usize| Place::Within { kind, is_last: at + 1 == together.len() };
            lines.extend(together.iter().enumerate().map(|(at, &row)| ListLine::Run { row, place: place(at) }));
        }
    }
    lines
}

fn is_together(one: Option<(FolderKind, &str)>, other: Option<(FolderKind, &str)>) -> bool {
    one.is_some() && one == other
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

/// The run of a folder whose curves are shown for it: the first active one, else the one that ended last, else the
/// first.
pub(super) fn representative(rows: &[RunRow], of_folder: &[usize]) -> Option<usize> {
    let is_active = |at: &&usize| rows[**at].condition.as_ref().is_some_and(RunCondition::is_active);
    let ended = |at: &&usize| rows[**at].status.as_ref().filter(|status| status.epoch > 0).map(|status| status.updated);
    of_folder
        .iter()
        .find(is_active)
        .or_else(|| of_folder.iter().filter(|at| ended(at).is_some()).max_by_key(ended))
        .or(of_folder.first())
        .copied()
}
