//! `scores_over_epochs.csv`: the scores of the maps of each image at each kept epoch of a run.

use std::io;
use std::path::Path;

use super::score_table::{ScoreRow, columns, record};
use crate::atomic_file::AtomicFile;

/// The file name of the table in a folder of explanations.
pub const FILE_NAME: &str = "scores_over_epochs.csv";

/// The columns before those of `scores.csv`.
const OF_EPOCH: [&str; 2] = ["epoch", "checkpoint"];
/// The column of `scores.csv` that is left out: the maps of single epochs have no files.
const WITHOUT_FILE: &str = "map_file";

/// Writes the table row by row; it appears at [`EpochScoreWriter::finish`], and a writer that is dropped before leaves
/// nothing behind. The columns are those of `scores.csv`, after the epoch and the file name of its model.
///
/// `create → write* → finish`.
pub struct EpochScoreWriter {
    table: csv::Writer<AtomicFile>,
}

impl EpochScoreWriter {
    /// Starts the table in a folder, which must exist.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let mut table = csv::Writer::from_writer(AtomicFile::create(&folder.join(FILE_NAME))?);
        table.write_record(OF_EPOCH.into_iter().chain(columns().filter(|name| *name != WITHOUT_FILE)))?;
        Ok(Self { table })
    }

    /// Appends a row.
    pub fn write(&mut self, epoch: u32, checkpoint: &str, row: &ScoreRow) -> io::Result<()> {
        let of_epoch = [epoch.to_string(), checkpoint.to_owned()];
        let others = columns().zip(record(row)).filter(|(name, _)| *name != WITHOUT_FILE).map(|(_, field)| field);
        Ok(self.table.write_record(of_epoch.into_iter().chain(others))?)
    }

    /// Moves the table into place.
    pub fn finish(self) -> io::Result<()> {
        self.table.into_inner().map_err(csv::IntoInnerError::into_error)?.commit()
    }
}
