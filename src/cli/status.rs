//! `mammoscope status`: the state of one run, or of the runs of a group.

use std::path::Path;

use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};

use super::console::{Outcome, print_result};
use super::run_document::{RUNS_SCHEMA, whole_document};
use crate::report::run_text::{RunFacts, run_text};
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::workspace::Workspace;

/// Show the state of a run with its evidence, progress, best epoch and errors
///
/// RUN is a run's name or a prefix of it, its path, `latest`, or the id of a group, whose runs are all shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope status latest
  mammoscope status 2026-11-23T10-15-02_CC_R_seed
  mammoscope status workspace/runs/2026-11-23T10-15-02_CC_R_seed
  mammoscope status latest --json            described in docs/file_formats.md")]
pub(super) struct StatusArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &StatusArguments, workspace: Option<&Path>) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    let snapshots: Vec<RunSnapshot> = found.runs.into_iter().map(RunSnapshot::read).collect();
    if arguments.json {
        let documents = snapshots.iter().map(whole_document).collect::<anyhow::Result<Vec<_>>>()?;
        let document = match (found.group, documents) {
            (None, mut single) if single.len() == 1 => Value::Object(single.remove(0)),
            (group, runs) => json!({ "schema": RUNS_SCHEMA, "group": group, "runs": runs }),
        };
        print_result(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        let texts: Vec<String> = snapshots.iter().map(text_of).collect();
        print_result(&texts.join("\n"))?;
    }
    Ok(Outcome::Done)
}

fn text_of(snapshot: &RunSnapshot) -> String {
    let condition = snapshot.condition().ok();
    let facts = RunFacts {
        name: &snapshot.run().name(),
        condition: condition.as_ref(),
        spec: snapshot.spec().ok(),
        status: snapshot.status().ok(),
        summary: snapshot.summary(),
        problems: &snapshot.problems(),
    };
    run_text(&facts, Utc::now())
}
