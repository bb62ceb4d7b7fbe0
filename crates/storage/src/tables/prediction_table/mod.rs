//! Prediction tables: `predictions.csv`, and the reference's four-column text files beside it.
//!
//! `predictions.csv` has the columns `file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D`, quoted according to
//! RFC 4180; exam, view and label are empty if unknown. `predictions_<VIEW>.txt` holds only the four probabilities, in
//! the order of the csv, as NumPy's `savetxt` writes them.

mod reader;
mod writer;

use std::fmt;
use std::path::PathBuf;

pub use mammoscope_domain::subject::prediction::PredictionRow;
pub use reader::{read_probability_columns, read_table};
pub use writer::{PredictionWriter, columns_file_name, write_split_tables};

use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The file name of the table in a folder of predictions.
pub const FILE_NAME: &str = "predictions.csv";

/// The columns in writing order.
pub const COLUMNS: [&str; 10] = ["file", "subject", "exam", "view", "label", "predicted", "p_A", "p_B", "p_C", "p_D"];

/// A prediction table that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("read {}", printable_path(path))]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The header is not that of a prediction table.
    #[error("{}: not a table of predictions: {reason}", printable_path(path))]
    NotATable { path: PathBuf, reason: String },
    /// Some lines are invalid.
    #[error("{}", bad_lines(path, lines.iter().map(|line| (line.line, line.reason.as_str()))))]
    BadLines {
        path: PathBuf,
        /// All invalid lines.
        lines: Vec<BadLine>,
    },
}

/// An invalid line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The number of the line, from 1.
    pub line: u64,
    /// The fault, with its column.
    pub reason: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, printable(&self.reason))
    }
}

#[cfg(test)]
mod tests;
