//! The list of runs in the workspace, shared by all screens.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::tui::protocol::failure::Failure;
use mammoscope_domain::run::run_condition::{RunCondition, duration_text};
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The runs in the workspace.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct RunList {
    /// Newest first, runs of a group together.
    pub(in crate::tui) rows: Vec<RunRow>,
    /// False until all runs were listed for the first time.
    pub(in crate::tui) listed: bool,
    /// The reason why the runs cannot be listed.
    pub(in crate::tui) problem: Option<Failure>,
}

/// A run as described by `run.toml` and `status.json`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RunRow {
    pub(in crate::tui) run: RunDir,
    /// Shared, because there are many and each is kept twice.
    pub(in crate::tui) spec: Option<Arc<RunSpec>>,
    /// The last status written by the trainer.
    pub(in crate::tui) status: Option<RunStatus>,
    /// The condition derived from the status and the trainer's process.
    pub(in crate::tui) condition: Option<RunCondition>,
    /// The name, the tags and the note that people gave it; `None` if there are none.
    pub(in crate::tui) labels: Option<Arc<RunLabels>>,
    /// The file that cannot be read, and the reason.
    pub(in crate::tui) problem: Option<String>,
}

impl RunRow {
    /// The time at which the run was created.
    pub(in crate::tui) fn created(&self) -> Option<DateTime<Utc>> {
        self.spec.as_ref().map(|spec| spec.created)
    }

    /// The tags in one line, safe to print.
    pub(in crate::tui) fn tags_text(&self) -> String {
        self.labels.as_ref().map_or_else(String::new, |labels| printable(&labels.tags_text()))
    }
}

impl RunList {
    /// The index of a run's row.
    pub(in crate::tui) fn position(&self, run: &RunDir) -> Option<usize> {
        self.rows.iter().position(|row| row.run == *run)
    }

    /// The runs that a trainer is working on.
    pub(in crate::tui) fn active(&self) -> impl Iterator<Item = &RunRow> {
        self.rows.iter().filter(|row| row.condition.as_ref().is_some_and(RunCondition::is_active))
    }

    /// One line about the active runs, for the status line.
    pub(in crate::tui) fn status_text(&self) -> String {
        let active: Vec<&RunRow> = self.active().collect();
        match active[..] {
            [] if !self.listed => String::new(),
            [] => format!("no training running · {}", counted(self.rows.len(), "run")),
            [only, ref others @ ..] => {
                let mut text = only.spec.as_ref().map_or_else(|| only.run.name(), |spec| spec.view.to_string());
                if let Some(status) = &only.status {
                    let _ = write!(text, " {} {}/{}", status.state, status.epoch, status.epochs);
                    if let Some(eta) =
                        status.eta_s.filter(|eta| eta.is_finite() && *eta > 0.0 && status.state != RunPhase::Paused)
                    {
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
