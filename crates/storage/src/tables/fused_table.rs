//! `fused.csv`: the predictions of breasts and examinations.

use std::fs;
use std::io;
use std::path::Path;

use super::numpy_text::scientific;
use crate::atomic_file::write_atomically;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::subject::fused_case::FusedCase;

/// The name of the table.
pub const FUSED_FILE: &str = "fused.csv";

const COLUMNS: [&str; 10] = ["set", "subject", "exam", "label", "predicted", "views", "p_A", "p_B", "p_C", "p_D"];

/// Writes the table, with the cases of each set in their order.
pub fn write_fused_table(folder: &Path, sets: &[(SetName, Vec<FusedCase>)]) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for (set, case) in sets.iter().flat_map(|(set, cases)| cases.iter().map(move |case| (set, case))) {
        let [a, b, c, d] = case.probabilities.0.map(|probability| scientific(probability, 16));
        table.write_record([
            set.name(),
            &case.id.subject.0,
            case.id.exam.as_ref().map_or("", |exam| &exam.0),
            case.label.map_or("", |label| label.letter()),
            case.probabilities.most_probable().letter(),
            &case.views.to_string(),
            &a,
            &b,
            &c,
            &d,
        ])?;
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    write_atomically(&folder.join(FUSED_FILE), &bytes)
}

/// Removes the table of an earlier prediction.
pub fn remove_fused_table(folder: &Path) -> io::Result<()> {
    match fs::remove_file(folder.join(FUSED_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
