//! Runs with the evidence for their state, and what a list shows of them.

use super::labelling::labels_text;
use crate::cli::run_document::summary_document;
use crate::report::run_csv::RunCsvFacts;
use crate::report::run_list::{RunBlock, RunRow};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::condition::{HeartbeatWatch, condition_of};
use mammoscope_storage::runs::labels_file::read_labels;
use mammoscope_storage::runs::run_catalog::RunEntry;

/// A run with the evidence for its state.
pub(super) struct Listed {
    pub(super) entry: RunEntry,
    pub(super) condition: Option<RunCondition>,
    pub(super) labels: RunLabels,
    problems: Vec<String>,
}

impl Listed {
    pub(super) fn new(entry: RunEntry) -> Self {
        let condition = entry.status.as_ref().ok();
        let condition = condition.map(|status| condition_of(&entry.run, status, &HeartbeatWatch::default()));
        let spec = entry.spec.as_ref().err().map(|error| format!("run.toml: {error}"));
        let (labels, of_labels) = match read_labels(&entry.run) {
            Ok(labels) => (labels, None),
            Err(error) => (RunLabels::default(), Some(error.to_string())),
        };
        let of_status = entry.status.as_ref().err().map(ToString::to_string);
        let problems = spec.into_iter().chain(of_status).chain(of_labels).collect();
        Self { entry, condition, labels, problems }
    }

    pub(super) fn study(&self) -> Option<&str> {
        self.entry.study().map(|member| member.id.as_str())
    }

    pub(super) fn document(&self) -> anyhow::Result<serde_json::Value> {
        let Self { entry, condition, problems, .. } = self;
        let (spec, status) = (entry.spec.as_ref().ok(), entry.status.as_ref().ok());
        Ok(summary_document(&entry.run, spec, status, condition.as_ref(), problems)?.into())
    }

    pub(super) fn row(&self) -> RunRow {
        let status = self.entry.status.as_ref().ok();
        let condition = match (&self.condition, self.problems.first()) {
            (Some(condition), None) => condition.to_string(),
            (Some(condition), Some(problem)) => format!("{condition} (damaged: {})", printable(problem)),
            (None, problem) => format!("damaged · {}", printable(problem.map_or("", String::as_str))),
        };
        RunRow {
            name: self.entry.run.name(),
            progress: status.map(|status| (status.epoch, status.epochs)),
            best: status.and_then(|status| status.best.clone()),
            condition,
            labels: labels_text(&self.labels),
        }
    }

    /// What a line of the table in CSV is made of.
    pub(super) fn csv_facts<'a>(&'a self, name: &'a str) -> RunCsvFacts<'a> {
        RunCsvFacts {
            run: name,
            spec: self.entry.spec.as_ref().ok(),
            status: self.entry.status.as_ref().ok(),
            condition: self.condition.as_ref(),
            labels: Some(&self.labels),
        }
    }
}

/// The progress of runs that belong together.
pub(super) fn progress(runs: &[Listed]) -> StudyProgress {
    StudyProgress::of(runs.iter().map(|run| run.entry.status.as_ref().ok().zip(run.condition.as_ref())))
}

/// The blocks of a list in the order of the runs: studies in one line each, groups of several runs under their id.
pub(super) fn blocks(runs: &[Listed]) -> Vec<RunBlock> {
    let together = |one: &Listed, other: &Listed| match (one.study(), other.study()) {
        (None, None) => one.entry.group().is_some() && one.entry.group() == other.entry.group(),
        (one, other) => one == other,
    };
    runs.chunk_by(together)
        .map(|runs| match (runs, runs[0].study(), runs[0].entry.group()) {
            (_, Some(id), _) => RunBlock::Study { id: id.to_owned(), progress: progress(runs).to_string() },
            ([_, _, ..], None, Some(id)) => RunBlock::Group {
                id: id.to_owned(),
                progress: progress(runs).to_string(),
                rows: runs.iter().map(Listed::row).collect(),
            },
            _ => RunBlock::Single(runs[0].row()),
        })
        .collect()
}
