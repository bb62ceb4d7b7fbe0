//! The saved state of the screen Runs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::columns::Column;
use super::metric::Metric;
use super::places::XAxis;
use super::viewport::Viewport;
use crate::tui::protocol::runs::Lower;

/// The saved state of the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct RunsView {
    pub(super) chosen: Option<PathBuf>,
    pub(super) marked: Vec<PathBuf>,
    pub(super) filter: String,
    pub(super) axis: XAxis,
    pub(super) log: bool,
    pub(super) smoothing: usize,
    pub(super) viewport: Viewport,
    /// True if values far from the others are not cut.
    #[serde(skip)]
    pub(super) peaks: bool,
    pub(super) lower: Option<Lower>,
    pub(super) reference: Option<PathBuf>,
    /// The id of the selected folder, if the cursor is on one.
    pub(super) folder: Option<String>,
    /// The ids of the studies whose runs are listed.
    pub(super) opened: BTreeSet<String>,
    /// The ids of the groups whose runs are not listed.
    pub(super) folded: BTreeSet<String>,
    pub(super) columns: Vec<Column>,
    /// The metrics that are charted.
    pub(super) metrics: Vec<Metric>,
    /// The chart that is chosen.
    pub(super) chart: Metric,
    pub(super) sort: Column,
    /// True to sort in the opposite order.
    pub(super) reversed: bool,
}

impl Default for RunsView {
    fn default() -> Self {
        Self {
            chosen: None,
            marked: Vec::new(),
            filter: String::new(),
            axis: XAxis::default(),
            log: false,
            smoothing: 2,
            viewport: Viewport::default(),
            peaks: false,
            lower: None,
            reference: None,
            folder: None,
            opened: BTreeSet::new(),
            folded: BTreeSet::new(),
            columns: Column::USUAL.to_vec(),
            metrics: Metric::ALL.to_vec(),
            chart: Metric::Loss,
            sort: Column::Created,
            reversed: false,
        }
    }
}
