//! Writes the figures of an evaluation into the workspace.

use std::path::PathBuf;

use crate::report::charts::{Chart, ChartFault, ReliabilityLine, matrix_chart, reliability_chart, threshold_charts};
use crate::report::tables::cases_and_missing;
use crate::tui::protocol::evaluate::ExportedSet;
use crate::tui::protocol::failure::Failure;
use crate::tui::services::export_folder::write_charts;
use mammoscope_storage::runs::workspace::Workspace;

/// Writes confusion matrix, curves and reliability of a set as SVG, PNG and CSV into a folder named after the time.
pub(super) fn export_figures(workspace: &Workspace, exported: &ExportedSet) -> Result<PathBuf, Failure> {
    let charts = charts(exported).map_err(Failure::new)?;
    write_charts(workspace, &format!("figures-{}", exported.set.name), &charts)
}

fn charts(ExportedSet { set, evaluation }: &ExportedSet) -> Result<Vec<Chart>, ChartFault> {
    let name = format!("confusion-matrix-{}", set.name);
    let title = format!("{}, {}", set.name, cases_and_missing(set));
    let mut charts = vec![matrix_chart(&name, &title, &evaluation.confusion_matrix)?];
    charts.extend(threshold_charts(set)?);
    let line = ReliabilityLine {
        label: "as predicted".to_owned(),
        bins: evaluation.ece15_bins.clone(),
        error: evaluation.figures.ece15.unwrap_or_default(),
    };
    charts.push(reliability_chart(set.name, &[line])?);
    Ok(charts)
}
