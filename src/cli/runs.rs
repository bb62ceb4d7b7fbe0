//! `mammoscope runs`: lists the runs of a workspace.

use std::path::Path;

use anyhow::Context as _;
use chrono::Utc;
use clap::Args;
use serde_json::json;

use super::console::{Console, Outcome, print_result};
use super::run_document::{RUNS_SCHEMA, summary_document};
use crate::report::run_list::{RunRow, run_list};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::process_evidence::process_evidence;
use mammoscope_storage::runs::run_catalog::{RunEntry, list_runs};
use mammoscope_storage::runs::workspace::Workspace;

/// List the runs of the workspace, newest first
///
/// Runs that were started together are listed under the id of their group, which other commands accept in place of a
/// run. A state is shown with its evidence: `stale` is a run that is recorded as active although its trainer is gone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope runs
  mammoscope runs --json | jq '.runs[] | select(.state == \"failed\") | .name'
  mammoscope runs --workspace /data/density")]
pub(super) struct RunsArguments {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &RunsArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let workspace = Workspace::open(workspace)?;
    let entries = list_runs(&workspace).with_context(|| format!("read {}", printable_path(&workspace.runs())))?;
    let listed: Vec<Listed> = entries.into_iter().map(Listed::new).collect();
    if arguments.json {
        let runs = listed.iter().map(Listed::document).collect::<anyhow::Result<Vec<_>>>()?;
        let document = json!({
            "schema": RUNS_SCHEMA,
            "workspace": workspace.path().to_string_lossy(),
            "runs": runs,
        });
        print_result(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else if listed.is_empty() {
        console.note(format_args!("no runs in {} yet", printable_path(&workspace.runs())));
    } else {
        let rows: Vec<RunRow> = listed.iter().map(Listed::row).collect();
        print_result(&run_list(&rows))?;
    }
    Ok(Outcome::Done)
}

/// A run with the evidence for its state.
struct Listed {
    entry: RunEntry,
    condition: Option<RunCondition>,
    problems: Vec<String>,
}

impl Listed {
    fn new(entry: RunEntry) -> Self {
        let condition = entry.status.as_ref().ok();
        let condition = condition.map(|status| RunCondition::new(Utc::now(), status, process_evidence(status)));
        let spec = entry.spec.as_ref().err().map(|error| format!("run.toml: {error}"));
        let problems = spec.into_iter().chain(entry.status.as_ref().err().map(ToString::to_string)).collect();
        Self { entry, condition, problems }
    }

    fn document(&self) -> anyhow::Result<serde_json::Value> {
        let Self { entry, condition, problems } = self;
        let (spec, status) = (entry.spec.as_ref().ok(), entry.status.as_ref().ok());
        Ok(summary_document(&entry.run, spec, status, condition.as_ref(), problems)?.into())
    }

    fn row(&self) -> RunRow {
        let status = self.entry.status.as_ref().ok();
        let condition = match (&self.condition, self.problems.first()) {
            (Some(condition), None) => condition.to_string(),
            (Some(condition), Some(problem)) => format!("{condition} (damaged: {})", printable(problem)),
            (None, problem) => format!("damaged · {}", printable(problem.map_or("", String::as_str))),
        };
        RunRow {
            name: self.entry.run.name(),
            group: self.entry.group().map(str::to_owned),
            progress: status.map(|status| (status.epoch, status.epochs)),
            best: status.and_then(|status| status.best.clone()),
            condition,
        }
    }
}
