//! Writes prediction tables, row by row.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{COLUMNS, FILE_NAME, PredictionRow};
use crate::atomic_file::AtomicFile;
use crate::runs::run_dir::RunDir;
use crate::tables::numpy_text::scientific;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

/// Writes `predictions.csv` and one `predictions_<VIEW>.txt` per view (`predictions.txt` for images without a view).
/// Rows go to disk as they come; the files appear under their names at [`PredictionWriter::finish`], and a writer that
/// is dropped before leaves nothing behind.
///
/// `create → write* → finish`.
pub struct PredictionWriter {
    folder: PathBuf,
    table: csv::Writer<AtomicFile>,
    columns: BTreeMap<Option<View>, AtomicFile>,
}

impl PredictionWriter {
    /// Starts the files in `folder`, which is created if it does not exist.
    pub fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut table = csv::Writer::from_writer(AtomicFile::create(&folder.join(FILE_NAME))?);
        table.write_record(COLUMNS)?;
        Ok(Self { folder: folder.to_owned(), table, columns: BTreeMap::new() })
    }

    /// Appends a row.
    pub fn write(&mut self, row: &PredictionRow) -> io::Result<()> {
        write_record(&mut self.table, row)?;
        let columns = match self.columns.entry(row.view) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(AtomicFile::create(&self.folder.join(columns_file_name(row.view)))?)
            }
        };
        write_columns(columns, row)
    }

    /// Moves all files into place, the table last, so that its text files always exist. Text files of an earlier table
    /// for views that this one lacks are removed.
    pub fn finish(self) -> io::Result<()> {
        let table = self.table.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let all = View::ALL.into_iter().map(Some).chain([None]);
        for absent in all.filter(|view| !self.columns.contains_key(view)) {
            match fs::remove_file(self.folder.join(columns_file_name(absent))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for columns in self.columns.into_values() {
            columns.commit()?;
        }
        table.commit()
    }
}

/// Writes the predictions of a run's split, `predictions/<split>.csv` and `.txt`, replacing earlier ones.
pub fn write_split_tables(run: &RunDir, split: Split, rows: &[PredictionRow]) -> io::Result<()> {
    fs::create_dir_all(run.predictions())?;
    let mut table = csv::Writer::from_writer(AtomicFile::create(&run.prediction_table(split, "csv"))?);
    let mut columns = AtomicFile::create(&run.prediction_table(split, "txt"))?;
    table.write_record(COLUMNS)?;
    for row in rows {
        write_record(&mut table, row)?;
        write_columns(&mut columns, row)?;
    }
    columns.commit()?;
    table.into_inner().map_err(csv::IntoInnerError::into_error)?.commit()
}

fn write_record(table: &mut csv::Writer<AtomicFile>, row: &PredictionRow) -> io::Result<()> {
    let [a, b, c, d] = row.probabilities.0.map(|probability| scientific(probability, 16));
    Ok(table.write_record([
        row.file.as_str(),
        &row.subject.0,
        row.exam.as_ref().map_or("", |exam| &exam.0),
        row.view.map_or("", View::name),
        row.label.map_or("", |label| label.letter()),
        row.predicted.letter(),
        &a,
        &b,
        &c,
        &d,
    ])?)
}

/// Writes the reference's four columns for one image.
fn write_columns(file: &mut AtomicFile, row: &PredictionRow) -> io::Result<()> {
    let [a, b, c, d] = row.probabilities.0.map(|probability| scientific(probability, 18));
    writeln!(file, "{a} {b} {c} {d}")
}

/// Returns the name of the file with the reference's four columns for a view.
#[must_use]
pub fn columns_file_name(view: Option<View>) -> String {
    view.map_or_else(|| "predictions.txt".to_owned(), |view| format!("predictions_{view}.txt"))
}
