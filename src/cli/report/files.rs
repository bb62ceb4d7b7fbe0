//! The files of a report.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};

use super::ReportArguments;
use crate::analysis::report_facts::{ErrorCase, ReportFacts};
use crate::cli::console::Console;
use crate::report::charts::{Chart, svg_to_png};
use crate::report::html::{GENERATOR, ReportPage};
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;

/// The bytes of a file in which its kind shows.
const START: u64 = 2048;
/// The columns of the key of cases.
const KEY_COLUMNS: [&str; 7] = ["case", "subject", "exam", "true", "predicted", "view", "file"];

/// Refuses a file that cannot be written, and one that another program made.
pub(super) fn check_report_file(option: &str, file: &Path, is_own: fn(&[u8]) -> bool) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("{option}: there is no folder {}", printable_path(folder));
    }
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(io::Error::from)
        .with_context(|| format!("{option}: write to {}", printable_path(folder)))?;
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{option}: {}", printable_path(file))),
        Ok(found) => {
            let mut start = Vec::new();
            let read =
                found.is_file() && File::open(file).and_then(|file| file.take(START).read_to_end(&mut start)).is_ok();
            if !read || !is_own(&start) {
                bail!("{option}: {} exists already and is no earlier one; choose another name", printable_path(file));
            }
            Ok(())
        }
    }
}

/// True for the beginning of a report.
pub(super) fn is_report(start: &[u8]) -> bool {
    String::from_utf8_lossy(start).contains(GENERATOR)
}

/// True for the beginning of a key of cases.
pub(super) fn is_key(start: &[u8]) -> bool {
    start.starts_with(KEY_COLUMNS.join(",").as_bytes())
}

pub(super) fn write_report(out: &Path, html: &str) -> anyhow::Result<()> {
    write_atomically(out, html.as_bytes()).with_context(|| format!("write {}", printable_path(out)))
}

/// Writes each chart as SVG, PNG and CSV.
pub(super) fn write_figures(folder: &Path, charts: &[Chart]) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", printable_path(folder)))?;
    for chart in charts {
        let png = svg_to_png(&chart.name, &chart.svg)?;
        for (extension, bytes) in [("svg", chart.svg.as_bytes()), ("png", &png), ("csv", chart.csv.as_bytes())] {
            let path = folder.join(format!("{}.{extension}", chart.name));
            write_atomically(&path, bytes).with_context(|| format!("write {}", printable_path(&path)))?;
        }
    }
    Ok(())
}

/// Writes which subject each case number stands for.
pub(super) fn write_key(path: &Path, cases: &[ErrorCase], rows: &[PredictionRow]) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(KEY_COLUMNS)?;
    for (number, case) in (1..).zip(cases) {
        for view in &case.views {
            let row = &rows[view.row];
            table.write_record([
                format!("{number}"),
                row.subject.0.clone(),
                row.exam.as_ref().map_or_else(String::new, |exam| exam.0.clone()),
                case.truth.to_string(),
                case.predicted.to_string(),
                row.view.map_or_else(String::new, |view| view.to_string()),
                row.file.clone(),
            ])?;
        }
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    write_atomically(path, &bytes).with_context(|| format!("write {}", printable_path(path)))
}

/// Says what was written.
pub(super) fn announce(arguments: &ReportArguments, page: &ReportPage, facts: &ReportFacts, console: &Console) {
    for missing in &facts.missing {
        console.warn(missing);
    }
    let pictures = facts.errors.iter().flat_map(|case| &case.views).filter(|view| view.picture.is_some()).count();
    let so_far = if facts.so_far.is_some() { ", so far" } else { "" };
    console.note(format!(
        "wrote {}{so_far}: {} and {}, {:.1} MB",
        printable_path(&arguments.out),
        counted(page.charts.len(), "chart"),
        counted(pictures, "picture"),
        page.html.len() as f64 / 1e6
    ));
    if let Some(folder) = &arguments.figures {
        console.note(format!(
            "wrote {} as SVG, PNG and CSV to {}",
            counted(page.charts.len(), "chart"),
            printable_path(folder)
        ));
    }
    if let Some(key) = &arguments.key {
        console.note(format!("wrote the key of the cases to {}; it names subjects", printable_path(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reports_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        let check = || check_report_file("--out", &path, is_report).map_err(|error| error.to_string());
        assert_eq!(check(), Ok(()));
        fs::write(&path, format!("<!DOCTYPE html><html><head>{GENERATOR}")).unwrap();
        assert_eq!(check(), Ok(()));
        fs::write(&path, "<html>a page of mine").unwrap();
        assert!(
            check().unwrap_err().ends_with("report.html exists already and is no earlier one; choose another name")
        );
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(check().is_err());
        let missing = check_report_file("--out", &folder.path().join("no/report.html"), is_report);
        assert!(missing.unwrap_err().to_string().starts_with("--out: there is no folder "));
        assert!(is_key(b"case,subject,exam,true,predicted,view,file\n1,") && !is_key(b"case,subject\n"));
    }
}
