//! Tables of predictions: `predictions.csv`, and the reference's four columns beside it.
//!
//! `predictions.csv` has the columns `file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D`, quoted as RFC 4180 has
//! it; exam, view and label are empty where they are not known. `predictions_<VIEW>.txt` holds the four probabilities
//! only, in the order of the csv, as NumPy's `savetxt` writes them.

mod reader;
mod writer;

use std::fmt;
use std::path::PathBuf;

pub use mammoscope_domain::subject::prediction::PredictionRow;
pub use reader::{read_probability_columns, read_table};
pub use writer::{PredictionWriter, columns_file_name, write_split_tables};

use mammoscope_domain::text::bad_lines::bad_lines;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The name of the table in a folder of predictions.
pub const FILE_NAME: &str = "predictions.csv";

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 10] = ["file", "subject", "exam", "view", "label", "predicted", "p_A", "p_B", "p_C", "p_D"];

/// Why a table of predictions cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("read {}", printable_path(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The first line is not that of a table of predictions.
    #[error("{}: not a table of predictions: {reason}", printable_path(path))]
    NoTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Lines are wrong.
    #[error("{}", bad_lines(path, lines.iter().map(|line| (line.line, line.reason.as_str()))))]
    BadLines {
        /// The file.
        path: PathBuf,
        /// All wrong lines.
        lines: Vec<BadLine>,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Number of the line, from 1.
    pub line: u64,
    /// What is wrong, in which column.
    pub reason: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, printable(&self.reason))
    }
}

#[cfg(test)]
mod tests;
