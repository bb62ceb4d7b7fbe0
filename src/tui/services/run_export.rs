//! Writes tables of runs and of their curves into the workspace.

use std::path::PathBuf;

use super::export_folder::{export_path, write_file, write_pictures};
use crate::report::charts::curve_chart;
use crate::report::run_csv::{CsvCurve, RunCsvFacts, curves_csv, run_csv};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::ExportedCurve;
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
    write(export_path(workspace, "runs"), &run_csv(facts))
}

/// Writes a table with a line for each value of the curves of a metric, and the chart of it as SVG and PNG.
pub(super) fn export_curves(workspace: &Workspace, metric: &str, curves: &[ExportedCurve]) -> Result<PathBuf, Failure> {
    let curves = curves.iter().map(|curve| CsvCurve {
        run: &curve.run,
        metric: &curve.metric,
        places: curve.places.each_ref().map(Vec::as_slice),
        series: &curve.series,
    });
    let curves: Vec<CsvCurve<'_>> = curves.collect();
    let name = metric.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let stem = export_path(workspace, &format!("curves-{name}"));
    if let Some(chart) = curve_chart(metric, &curves).map_err(Failure::new)? {
        write_pictures(&stem, &chart)?;
    }
    write(stem, &curves_csv(curves))
}

/// Writes a table with this stem, and returns it.
fn write(stem: PathBuf, text: &str) -> Result<PathBuf, Failure> {
    let mut file = stem.into_os_string();
    file.push(".csv");
    let file = PathBuf::from(file);
    write_file(&file, text.as_bytes())?;
    Ok(file)
}
