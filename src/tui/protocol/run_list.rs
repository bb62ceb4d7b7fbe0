//! The runs of the workspace, as all screens see them.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use crate::report::tables::counted;
use mammoscope_domain::run::run_condition::{RunCondition, duration_text};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_storage::runs::run_dir::RunDir;

/// The runs of the workspace.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct RunList {
    /// Newest first, those of a group together. Empty until they were listed.
    pub(in crate::tui) rows: Vec<RunRow>,
    /// Whether they were listed.
    pub(in crate::tui) listed: bool,
    /// Why they cannot be listed.
    pub(in crate::tui) problem: Option<String>,
}

/// A run as its two small files tell it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RunRow {
    /// Its directory.
    pub(in crate::tui) run: RunDir,
    /// What was asked for.
    pub(in crate::tui) spec: Option<RunSpec>,
    /// What its trainer said last.
    pub(in crate::tui) status: Option<RunStatus>,
    /// How it is, with a look at its process.
    pub(in crate::tui) condition: Option<RunCondition>,
    /// What of it cannot be read.
    pub(in crate::tui) problem: Option<String>,
}

impl RunRow {
    /// When it was asked for.
    pub(in crate::tui) fn created(&self) -> Option<DateTime<Utc>> {
        self.spec.as_ref().map(|spec| spec.created)
    }
}

impl RunList {
    /// The row of a run.
    pub(in crate::tui) fn position(&self, run: &RunDir) -> Option<usize> {
        self.rows.iter().position(|row| row.run == *run)
    }

    /// The runs that a trainer is at work on.
    pub(in crate::tui) fn at_work(&self) -> impl Iterator<Item = &RunRow> {
        self.rows.iter().filter(|row| row.condition.as_ref().is_some_and(RunCondition::is_at_work))
    }

    /// A line about what is at work, for the frame.
    pub(in crate::tui) fn status_text(&self) -> String {
        let at_work: Vec<&RunRow> = self.at_work().collect();
        match at_work[..] {
            [] if !self.listed => String::new(),
            [] => format!("no training at work · {}", counted(self.rows.len(), "run")),
            [only, ref others @ ..] => {
                let mut text = only.spec.as_ref().map_or_else(|| only.run.name(), |spec| spec.view.to_string());
                if let Some(status) = &only.status {
                    let _ = write!(text, " {} {}/{}", status.state, status.epoch, status.epochs);
                    if let Some(eta) = status.eta_s.filter(|eta| eta.is_finite() && *eta > 0.0) {
                        let _ = write!(text, " · ETA {}", duration_text(TimeDelta::seconds(eta as i64)));
                    }
                }
                if !others.is_empty() {
                    let _ = write!(text, " · {} more", others.len());
                }
                text
            }
        }
    }
}
