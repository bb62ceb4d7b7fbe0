//! The report of a trainer in the foreground on its own stderr, while the output of each run goes to the run's log.

use std::fs::File;
use std::io::{self, Write as _};

use anyhow::Context as _;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::read_status;

use super::storage_faults::removed_text;

/// The stderr that a trainer was started with, and its runs.
pub(super) struct ForegroundReport {
    stderr: File,
    runs: Vec<RunDir>,
}

impl ForegroundReport {
    /// Keeps the present stderr, and names the logs of the runs there.
    pub(super) fn new(runs: &[RunDir]) -> anyhow::Result<Self> {
        let stderr = rustix::io::dup(io::stderr()).context("keep stderr")?;
        let mut report = Self { stderr: stderr.into(), runs: runs.to_vec() };
        for run in runs {
            let log = run.in_shown_paths(&printable_path(&run.log()));
            // A closed stderr does not keep a run from being trained.
            let _ = writeln!(report.stderr, "{}: log in {log}", printable(&run.name()));
        }
        Ok(report)
    }

    /// Writes how each run ended.
    pub(super) fn write(mut self) {
        for run in &self.runs {
            let text = match read_status(&run.status()) {
                Ok(status) => match status.reason {
                    Some(reason) => format!("{} · {}, step {}", status.state, printable(&reason), status.step),
                    None => format!("{}, step {}", status.state, status.step),
                },
                Err(_) if run.is_removed() => removed_text(run),
                Err(error) => run.in_shown_paths(&error.to_string()),
            };
            let _ = writeln!(self.stderr, "{}: {text}", printable(&run.name()));
        }
    }
}
