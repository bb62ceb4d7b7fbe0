//! The folder of exports in the workspace, whose files are named after the time.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;

use crate::report::charts::{Chart, svg_to_png};
use crate::tui::protocol::failure::Failure;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::runs::workspace::Workspace;

/// A path in the folder of exports that does not exist yet.
pub(super) fn export_path(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.path().join("exports").join(format!("{name}-{}", Utc::now().format("%Y%m%dT%H%M%S%3f")))
}

/// Writes a file, and the folder that it is in.
pub(super) fn write_file(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| write_atomically(file, bytes));
    written.map_err(|error| Failure::new(format_args!("write to {}: {error}", printable_path(file))))
}

/// Writes charts as SVG, PNG and CSV into a new folder, and returns it.
pub(super) fn write_charts(workspace: &Workspace, name: &str, charts: &[Chart]) -> Result<PathBuf, Failure> {
    let folder = export_path(workspace, name);
    for chart in charts {
        write_pictures(&folder.join(&chart.name), chart)?;
        write_file(&folder.join(format!("{}.csv", chart.name)), chart.csv.as_bytes())?;
    }
    Ok(folder)
}

/// Writes a chart as SVG and PNG with this stem.
pub(super) fn write_pictures(stem: &Path, chart: &Chart) -> Result<(), Failure> {
    let png = svg_to_png(&chart.name, &chart.svg).map_err(Failure::new)?;
    for (extension, bytes) in [("svg", chart.svg.as_bytes()), ("png", &png)] {
        // A stem may have a point in it, as times have.
        let mut name = stem.as_os_str().to_owned();
        name.push(format!(".{extension}"));
        write_file(Path::new(&name), bytes)?;
    }
    Ok(())
}
