//! `mammoscope runs`: lists the runs of a workspace, or those of a study with their ranking.

mod export;
mod labelling;
mod listed;
mod sorting;

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::export::ExportArguments;
use self::labelling::Labelling;
use self::listed::{Listed, blocks, progress};
use self::sorting::{SortKey, sort};
use super::console::{Console, Outcome, print_result};
use super::run_document::RUNS_SCHEMA;
use super::study_document::{progress_document, ranking_document};
use crate::report::run_csv::run_csv;
use crate::report::run_list::{RunBlock, run_list};
use crate::report::study_text::ranking_text;
use mammoscope_domain::run::run_status::BestEpoch;
use mammoscope_domain::study::study_ranking::{RankedRun, StudyRanking};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_runs::cluster_conditions::{ClusterConditions, amend};
use mammoscope_runs::condition::settle;
use mammoscope_storage::runs::run_catalog::{find_runs, list_any_runs};
use mammoscope_storage::runs::workspace::Workspace;

/// List the runs of the workspace, newest first
///
/// Runs that were started together are listed under the id of their group, which other commands accept in place of a
/// run; a study takes one line, and --study lists its runs and ranks its points by the monitored metric on the validation
/// images. A state is shown with its evidence: `stale` is a run that is recorded as active although its trainer is gone.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  mammoscope runs
  mammoscope runs --study latest
  mammoscope runs --study 2026-11-23T10-15-02_modern_7f3a --sort val_kappa
  mammoscope runs --tag paper --sort val_kappa
  mammoscope runs --csv > runs.csv
  mammoscope runs export latest --csv > curves.csv
  mammoscope runs rename latest \"five classes, wide\"
  mammoscope runs --json | jq '.runs[] | select(.state == \"failed\") | .name'
  mammoscope runs --workspace /data/density"
)]
pub(super) struct RunsArguments {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    /// The id of a study or a group, the beginning of one, or `latest`: list its runs, and rank its points
    #[arg(long, value_name = "ID")]
    study: Option<String>,
    /// Sort by a metric of the best epoch, by state or by name [default: newest first]
    #[arg(long, value_name = "KEY", value_enum)]
    sort: Option<SortKey>,
    /// List the runs with this tag; of several, those with all of them
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Print a table in CSV, with a line for every run
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What is done with single runs instead of listing all of them.
#[derive(Debug, Subcommand)]
enum RunsCommand {
    Export(ExportArguments),
    #[command(flatten)]
    Labelling(Labelling),
}

pub(super) fn run(arguments: &RunsArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let workspace = Workspace::open_to_read(workspace)?;
    match &arguments.command {
        Some(RunsCommand::Export(export)) => return export::run(export, &workspace, console),
        Some(RunsCommand::Labelling(labelling)) => return labelling::run(labelling, &workspace),
        None => {}
    }
    let entries = list_any_runs(&workspace).with_context(|| format!("read {}", printable_path(&workspace.runs())))?;
    let mut listed: Vec<Listed> = entries.into_iter().map(Listed::new).collect();
    settle(listed.iter_mut().filter_map(|listed| Some((&listed.entry.run, listed.condition.as_mut()?))));
    ask_slurm(&mut listed, &workspace, console);
    let mut heading = String::new();
    let mut document = json!({ "schema": RUNS_SCHEMA, "workspace": workspace.path().to_string_lossy() });
    if let Some(id) = &arguments.study {
        let found = find_runs(&workspace, id)?;
        let Some(id) = found.study.or(found.group) else {
            bail!("--study: {} is a run, not a study or a group; `mammoscope status` shows it", printable(id));
        };
        listed.retain(|run| found.runs.contains(&run.entry.run));
        let progress = progress(&listed);
        heading = format!("{}: {progress}\n\n", printable(&id));
        document["study"] = json!(id);
        document["progress"] = progress_document(&progress);
        if let Some(ranking) = ranking(&listed) {
            let text = ranking_text(&ranking);
            if !text.is_empty() {
                heading += &(text + "\n");
            }
            document["ranking"] = ranking_document(&ranking);
        }
    }
    listed.retain(|run| arguments.tag.iter().all(|tag| run.labels.tags.contains(tag)));
    let values = arguments.sort.map(|key| sort(&mut listed, key));
    if arguments.json {
        document["runs"] = Value::Array(listed.iter().map(Listed::document).collect::<anyhow::Result<_>>()?);
        print_result(&format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    } else if arguments.csv {
        let names: Vec<String> = listed.iter().map(|run| run.entry.run.name()).collect();
        print_result(&run_csv(listed.iter().zip(&names).map(|(run, name)| run.csv_facts(name))))?;
    } else if listed.is_empty() && !arguments.tag.is_empty() {
        console.note(format_args!("no run has the tag {}", printable(&arguments.tag.join(" and "))));
    } else if listed.is_empty() {
        console.note(format_args!("no runs in {} yet", printable_path(&workspace.runs())));
    } else {
        let blocks = match (&values, &arguments.study) {
            (None, None) if arguments.tag.is_empty() => blocks(&listed),
            (values, _) => each_alone(&listed, values.as_deref(), arguments.sort),
        };
        let best = arguments.sort.and_then(SortKey::metric).map_or("best", Monitor::name);
        print_result(&(heading + &run_list(&blocks, best)))?;
    }
    Ok(Outcome::Done)
}

/// Joins the conditions of submitted runs with what Slurm says about their jobs.
fn ask_slurm(listed: &mut [Listed], workspace: &Workspace, console: &Console) {
    let names: Vec<String> = listed.iter().map(|run| run.entry.run.name()).collect();
    let conditions = names.iter().zip(listed.iter());
    let conditions = conditions.filter_map(|(name, run)| Some((name.as_str(), run.condition.as_ref()?)));
    match ClusterConditions::new(workspace).evidence(conditions) {
        Ok(evidence) => {
            for (run, name) in listed.iter_mut().zip(&names) {
                if let Some(condition) = &mut run.condition {
                    amend(condition, name, &evidence);
                }
            }
        }
        Err(error) => console.note(format_args!("submitted runs are shown as their trainers left them: {error}")),
    }
}

/// The ranking of the runs of a study, by the metric that they monitor; `None` for a group.
fn ranking(runs: &[Listed]) -> Option<StudyRanking> {
    let monitor = runs.iter().find_map(|run| Some(run.entry.spec.as_ref().ok()?.config.monitor))?;
    let ranked: Vec<RankedRun> = runs
        .iter()
        .filter_map(|run| RankedRun::of(run.entry.spec.as_ref().ok()?, run.entry.status.as_ref().ok()))
        .collect();
    (!ranked.is_empty()).then(|| StudyRanking::of(&ranked, monitor))
}

/// Every run as a block of its own. The column of the best epoch shows the metric that the runs are sorted by.
fn each_alone(runs: &[Listed], values: Option<&[Option<f64>]>, key: Option<SortKey>) -> Vec<RunBlock> {
    let is_metric = key.is_some_and(|key| key.metric().is_some());
    let row = |(place, run): (usize, &Listed)| {
        let mut row = run.row();
        if is_metric {
            row.best =
                row.best.zip(values.and_then(|values| values[place])).map(|(best, value)| BestEpoch { value, ..best });
        }
        RunBlock::Single(row)
    };
    runs.iter().enumerate().map(row).collect()
}
