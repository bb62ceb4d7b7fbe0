//! `mammoscope runs export`: the curves of runs as a table.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cli::console::{Console, Outcome, print_result};
use crate::cli::new_file::{check_new_file, write_new};
use crate::report::run_csv::{CsvHistory, history_csv};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{StepReport, Timed};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::snapshot::{RunChange, RunSnapshot};
use mammoscope_storage::runs::event_tail::TailEntry;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// Print the curves of a run as a table in CSV
///
/// A line for each report within an epoch and for each completed epoch: losses, accuracies, kappa, learning rate and
/// images per second by step, epoch and seconds since the start. Reports of steps that were trained again are left out.
/// The runs of a group or a study make one table.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope runs export latest --csv > curves.csv
  mammoscope runs export 2026-11-23T10-15-02_CC_R_seed --csv --out curves.csv")]
pub(super) struct ExportArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// In CSV, which is the only format and may be left out
    #[arg(long)]
    csv: bool,
    /// The file to write, which must not exist [default: print the table]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A run with its reports.
struct History {
    name: String,
    snapshot: RunSnapshot,
    reports: Vec<Timed<StepReport>>,
}

pub(super) fn run(arguments: &ExportArguments, workspace: &Workspace, console: &Console) -> anyhow::Result<Outcome> {
    if let Some(out) = &arguments.out {
        check_new_file(out)?;
    }
    let histories = find_runs(workspace, &arguments.run)?.runs.into_iter().map(History::read);
    let histories: Vec<History> = histories.collect::<anyhow::Result<_>>()?;
    for history in &histories {
        history.announce(console);
    }
    let text = history_csv(histories.iter().map(|History { name, snapshot, reports }| CsvHistory {
        run: name,
        summary: snapshot.summary(),
        reports,
    }));
    match &arguments.out {
        None => print_result(&text)?,
        Some(out) => {
            write_new(out, text.as_bytes()).with_context(|| format!("--out: write {}", printable_path(out)))?;
            let lines = counted(text.lines().count() - 1, "line");
            console.note(format!("wrote {lines} to {}", printable_path(out)));
        }
    }
    Ok(Outcome::Done)
}

impl History {
    /// Reads a run; an error if its events cannot be read at all.
    fn read(run: RunDir) -> anyhow::Result<Self> {
        let (name, events) = (run.name(), run.events());
        let shown = printable(&name);
        let mut snapshot = RunSnapshot::new(run);
        let (mut reports, mut events_read) = (Vec::new(), 0_u64);
        snapshot.refresh(&mut |snapshot, change| {
            if let Some(step) = change.void_from() {
                reports.truncate(reports.partition_point(|report: &Timed<StepReport>| report.step < step));
            }
            if let RunChange::Entry(TailEntry::Event(event)) = change {
                events_read += 1;
                if matches!(event.kind, RunEventKind::StepReported(_)) {
                    reports.extend(snapshot.state().last_report);
                }
            }
        });
        if let Some(problem) = snapshot.events_problem() {
            bail!("{shown} has no curves to export: {problem}");
        }
        if !events.exists() {
            bail!("{shown} has no curves to export: its events.jsonl is missing");
        }
        if events_read == 0 && snapshot.bad_lines() > 0 {
            bail!("{shown} has no curves to export: no line of its events.jsonl can be read");
        }
        Ok(Self { name, snapshot, reports })
    }

    /// Says what the table lacks, and why.
    fn announce(&self, console: &Console) {
        let (name, summary) = (printable(&self.name), self.snapshot.summary());
        let bad_lines = self.snapshot.bad_lines();
        if bad_lines > 0 {
            let lines = counted(usize::try_from(bad_lines).unwrap_or(usize::MAX), "line");
            console.warn(format!("{name}: {lines} of events.jsonl cannot be read, so the table may lack values"));
        }
        let condition = self.snapshot.condition().ok();
        let state = condition.as_ref().map_or_else(|| "damaged".to_owned(), ToString::to_string);
        if self.reports.is_empty() && summary.records.is_empty() {
            console.note(format!("{name} has reported no steps yet ({state}): it has no lines in the table"));
        } else if summary.records.is_empty() {
            console.note(format!("{name} has completed no epoch yet ({state}): the table has reports of steps only"));
        } else if condition.as_ref().is_some_and(RunCondition::is_active) {
            console.note(format!("{name} is not over ({state}): the table ends at step {}", summary.step));
        }
    }
}
