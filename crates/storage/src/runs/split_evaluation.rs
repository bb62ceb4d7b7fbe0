//! The evaluation of a split within a run: predictions and figures of merit.

use std::fs;
use std::io;

use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::tables::prediction_table::write_split_tables;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_document::{EvaluatedSet, EvaluationDocument, Provenance, UnusableRows};
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;

/// An evaluation that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SplitEvaluationError {
    /// The rows do not form an evaluation set.
    #[error(transparent)]
    Rows(#[from] UnusableRows),
    /// The files cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes `predictions/<split>.csv` and `.txt` and, last, `evaluation/<split>.json` of a run, replacing earlier ones,
/// and returns the evaluation. `baseline` holds the one-feature baseline's rows for the same images; it may be empty.
pub fn write_split_evaluation(
    run: &RunDir,
    split: Split,
    rows: &[PredictionRow],
    baseline: &[PredictionRow],
) -> Result<EvaluationDocument, SplitEvaluationError> {
    let (fusion, bootstrap) = (Fusion::Mean, Bootstrap::default());
    let sets = EvaluatedSet::of_rows(rows, baseline, fusion, bootstrap)?;
    write_split_tables(run, split, rows)?;
    let table = run.prediction_table(split, "csv");
    let provenance = Provenance {
        inputs: vec![run.in_shown_paths(&printable_path(&table))],
        split: Some(split),
        rows: rows.len(),
        rows_without_label: 0,
    };
    let document = EvaluationDocument::new(provenance, fusion, bootstrap, sets);
    fs::create_dir_all(run.evaluations())?;
    write_atomically(&run.evaluation(split), document.to_json().as_bytes())?;
    Ok(document)
}
