//! Writes tables of runs and of their curves into the workspace.

use std::fs;
use std::path::PathBuf;

use chrono::Utc;

use crate::report::run_csv::{CsvCurve, RunCsvFacts, curves_csv, run_csv};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::ExportedCurve;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::runs::workspace::Workspace;

/// Writes a table with a line for each run.
pub(super) fn export_table(workspace: &Workspace, rows: &[RunRow]) -> Result<PathBuf, Failure> {
    let names: Vec<String> = rows.iter().map(|row| row.run.name()).collect();
    let facts = rows.iter().zip(&names).map(|(row, name)| RunCsvFacts {
        run: name,
        spec: row.spec.as_deref(),
        status: row.status.as_ref(),
        condition: row.condition.as_ref(),
        labels: row.labels.as_deref(),
    });
    write(workspace, "runs", &run_csv(facts))
}

/// Writes a table with a line for each value of the curves of a metric.
pub(super) fn export_curves(workspace: &Workspace, metric: &str, curves: &[ExportedCurve]) -> Result<PathBuf, Failure> {
    let curves = curves.iter().map(|curve| CsvCurve {
        run: &curve.run,
        metric: &curve.metric,
        places: curve.places.each_ref().map(Vec::as_slice),
        series: &curve.series,
    });
    let name = metric.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    write(workspace, &format!("curves-{name}"), &curves_csv(curves))
}

/// Writes a file named after the time into the folder of exports.
fn write(workspace: &Workspace, name: &str, text: &str) -> Result<PathBuf, Failure> {
    let folder = workspace.path().join("exports");
    let file = folder.join(format!("{name}-{}.csv", Utc::now().format("%Y%m%dT%H%M%S%3f")));
    let written = fs::create_dir_all(&folder).and_then(|()| write_atomically(&file, text.as_bytes()));
    written.map_err(|error| Failure::new(format_args!("write to {}: {error}", printable_path(&file))))?;
    Ok(file)
}
