//! `mammoscope status`: the state of one run, or of the runs of a group.

use std::path::Path;

use chrono::Utc;
use clap::Args;
use serde_json::{Value, json};

use super::console::{Console, Outcome, print_result};
use super::run_document::{RUNS_SCHEMA, whole_document};
use super::study_document::progress_document;
use crate::report::run_text::{RunFacts, run_text};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::cluster_conditions::{ClusterConditions, amend};
use mammoscope_runs::condition::settle;
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

/// A run with its condition.
type Shown = (RunSnapshot, Option<RunCondition>);

pub(super) fn run(arguments: &StatusArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let workspace = Workspace::open_to_read(workspace)?;
    let found = find_runs(&workspace, &arguments.run)?;
    let snapshots = found.runs.into_iter().map(RunSnapshot::read);
    let with_condition = |snapshot: RunSnapshot| {
        let condition = snapshot.condition().ok();
        (snapshot, condition)
    };
    let mut shown: Vec<Shown> = snapshots.map(with_condition).collect();
    settle(shown.iter_mut().filter_map(|(snapshot, condition)| Some((snapshot.run(), condition.as_mut()?))));
    ask_slurm(&mut shown, &workspace, console);
    if arguments.json {
        let documents = shown.iter().map(|(run, condition)| whole_document(run, condition.as_ref()));
        let documents = documents.collect::<anyhow::Result<Vec<_>>>()?;
        let document = match (found.group, documents) {
            (None, mut single) if single.len() == 1 => Value::Object(single.remove(0)),
            (group, runs) => {
                let progress = progress_document(&progress(&shown));
                let (study, schema) = (found.study, RUNS_SCHEMA);
                json!({ "schema": schema, "group": group, "study": study, "progress": progress, "runs": runs })
            }
        };
        print_result(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else {
        let texts: Vec<String> = shown.iter().map(text_of).collect();
        let heading = match found.study.or(found.group) {
            Some(id) if shown.len() > 1 => format!("{}: {}\n\n", printable(&id), progress(&shown)),
            _ => String::new(),
        };
        print_result(&(heading + &texts.join("\n")))?;
    }
    Ok(Outcome::Done)
}

/// Joins the conditions of submitted runs with what Slurm says about their jobs.
fn ask_slurm(shown: &mut [Shown], workspace: &Workspace, console: &Console) {
    let names: Vec<String> = shown.iter().map(|(snapshot, _)| snapshot.run().name()).collect();
    let conditions = names.iter().zip(shown.iter());
    let conditions = conditions.filter_map(|(name, (_, condition))| Some((name.as_str(), condition.as_ref()?)));
    match ClusterConditions::new(workspace).evidence(conditions) {
        Ok(evidence) => {
            for ((_, condition), name) in shown.iter_mut().zip(&names) {
                if let Some(condition) = condition {
                    amend(condition, name, &evidence);
                }
            }
        }
        Err(error) => console.note(format_args!("submitted runs are shown as their trainers left them: {error}")),
    }
}

fn progress(shown: &[Shown]) -> StudyProgress {
    StudyProgress::of(shown.iter().map(|(snapshot, condition)| snapshot.status().ok().zip(condition.as_ref())))
}

fn text_of((snapshot, condition): &Shown) -> String {
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
