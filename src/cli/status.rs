//! `mammoscope status`: the state of one run, or of the runs of a group.

use std::path::Path;

use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};

use super::console::{Outcome, print_result};
use super::run_document::{RUNS_SCHEMA, whole_document};
use super::study_document::progress_document;
use crate::report::run_text::{RunFacts, run_text};
use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::workspace::Workspace;

/// Show the state of a run with its evidence, progress, best epoch and errors
///
/// RUN is a run's name or a prefix of it, its path, `latest`, or the id of a group or a study, whose runs are all shown
/// after a line of their progress.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope status latest
  mammoscope status 2026-11-23T10-15-02_CC_R_seed
  mammoscope status workspace/runs/2026-11-23T10-15-02_CC_R_seed
  mammoscope status latest --json            described in docs/file_formats.md")]
pub(super) struct StatusArguments {
    /// A run's name or a prefix of it, its path, the id of a group or a study, or `latest`
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
            (group, runs) => {
                let progress = progress_document(&progress(&snapshots));
                let (study, schema) = (found.study, RUNS_SCHEMA);
                json!({ "schema": schema, "group": group, "study": study, "progress": progress, "runs": runs })
            }
        };
        print_result(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        let texts: Vec<String> = snapshots.iter().map(text_of).collect();
        let heading = match found.study.or(found.group) {
            Some(id) if snapshots.len() > 1 => format!("{}: {}\n\n", printable(&id), progress(&snapshots)),
            _ => String::new(),
        };
        print_result(&(heading + &texts.join("\n")))?;
    }
    Ok(Outcome::Done)
}

fn progress(snapshots: &[RunSnapshot]) -> StudyProgress {
    let conditions: Vec<_> = snapshots.iter().map(|snapshot| snapshot.condition().ok()).collect();
    let runs = snapshots.iter().zip(&conditions);
    StudyProgress::of(runs.map(|(snapshot, condition)| snapshot.status().ok().zip(condition.as_ref())))
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
