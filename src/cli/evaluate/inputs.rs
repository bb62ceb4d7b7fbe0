//! The sources of the predictions to evaluate: tables, runs, or the reference's own files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::folds::PooledRuns;
use super::study_point::{StudyChoice, runs_of_point};
use crate::cli::console::{Console, WrongUse};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_storage::tables::prediction_table::{self, TableError};

/// Predictions, and the tables they were read from.
#[derive(Debug, Default)]
pub(in crate::cli) struct Predictions {
    pub(in crate::cli) paths: Vec<PathBuf>,
    pub(in crate::cli) rows: Vec<PredictionRow>,
    /// The one-feature baseline's rows for the same images, if there is a baseline.
    pub(in crate::cli) baseline: Vec<PredictionRow>,
    /// The folds of a cross-validation, if the rows are those of several.
    pub(in crate::cli) folds: Option<PooledRuns>,
}

impl Predictions {
    pub(in crate::cli) fn extend(&mut self, others: Self) {
        self.paths.extend(others.paths);
        self.rows.extend(others.rows);
        self.baseline.extend(others.baseline);
        self.folds = self.folds.take().or(others.folds);
    }
}

/// The inputs named on the command line: tables, and runs whose predictions are still to be computed.
#[derive(Debug, Default)]
pub(in crate::cli) struct Inputs {
    pub(in crate::cli) tables: Vec<PathBuf>,
    pub(in crate::cli) runs: Vec<RunDir>,
}

impl Inputs {
    /// Sorts inputs into tables and runs. An existing path is a table or a folder with one, unless it is a run
    /// directory; anything that neither exists nor looks like a path is the name of a run, a group or a study.
    pub(in crate::cli) fn sort(
        inputs: &[PathBuf],
        workspace: Option<&Path>,
        choice: StudyChoice,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let mut sorted = Self::default();
        for input in inputs {
            let is_run = RunDir::new(input).spec().is_file();
            let is_path = input.exists() || input.components().count() > 1 || input.extension().is_some();
            match input.to_str() {
                Some(name) if is_run || !is_path => {
                    let found = find_runs(&Workspace::open_to_read(workspace)?, name)?;
                    let runs = match &found.study {
                        Some(study) => runs_of_point(study, found.runs, choice, console)?,
                        None => found.runs,
                    };
                    if let Some(twice) = runs.iter().find(|run| sorted.runs.contains(run)) {
                        return Err(WrongUse(format!("{} is given twice", printable_path(twice.path()))).into());
                    }
                    sorted.runs.extend(runs);
                }
                _ => sorted.tables.push(input.clone()),
            }
        }
        Ok(sorted)
    }
}

/// Reads all rows of the tables, which are given directly or by their folders.
pub(in crate::cli) fn read_tables(inputs: &[PathBuf]) -> anyhow::Result<Predictions> {
    let (mut rows, mut seen, mut paths) = (Vec::new(), HashSet::new(), Vec::new());
    for input in inputs {
        let path = if input.is_dir() { input.join(prediction_table::FILE_NAME) } else { input.clone() };
        if input.is_dir() && !path.exists() {
            bail!("{} holds no {}", printable_path(input), prediction_table::FILE_NAME);
        }
        if !seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
            return Err(WrongUse(format!("{} is given twice", printable_path(&path))).into());
        }
        rows.extend(prediction_table::read_table(&path).map_err(|error| with_columns_hint(error, &path))?);
        paths.push(path);
    }
    Ok(Predictions { paths, rows, ..Predictions::default() })
}

/// Adds a hint to the error of a file that probably holds the reference's columns.
fn with_columns_hint(error: TableError, path: &Path) -> anyhow::Error {
    let is_columns = matches!(error, TableError::NotATable { .. }) && path.extension() == Some("txt".as_ref());
    if is_columns {
        let hint = "pass the reference's four columns as --seed-txt VIEW=FILE --class-counts A,B,C,D";
        WrongUse(format!("{error} ({hint})")).into()
    } else {
        error.into()
    }
}

/// Reads the rows of the reference's files: subject i is line i, and the labels are in blocks.
pub(in crate::cli) fn read_seed_txt(files: &[(View, PathBuf)], class_counts: &[usize]) -> anyhow::Result<Predictions> {
    let counts: [usize; DensityClass::COUNT] = class_counts.try_into().map_err(|_| {
        WrongUse(format!("--class-counts needs four numbers, for A, B, C and D, not {}", class_counts.len()))
    })?;
    let sum = counts.into_iter().try_fold(0_usize, usize::checked_add);
    let (mut rows, mut paths) = (Vec::new(), Vec::new());
    for (place, (view, path)) in files.iter().enumerate() {
        if files[..place].iter().any(|(earlier, _)| earlier == view) {
            return Err(WrongUse(format!("--seed-txt names {view} twice")).into());
        }
        let lines = prediction_table::read_probability_columns(path)?;
        if sum != Some(lines.len()) {
            let sum = sum.map_or_else(|| "too large a number".to_owned(), |sum| sum.to_string());
            bail!("{} has {} predictions, but the class counts add up to {sum}", printable_path(path), lines.len());
        }
        // The counts match the file by now, so they cannot allocate more than the file did.
        let labels =
            DensityClass::ALL.into_iter().zip(counts).flat_map(|(class, count)| std::iter::repeat_n(class, count));
        rows.extend((1..).zip(lines.into_iter().zip(labels)).map(|(line, (probabilities, label))| PredictionRow {
            file: format!("{}:{line}", path.display()),
            subject: SubjectId(line.to_string()),
            exam: None,
            view: Some(*view),
            label: Some(label),
            predicted: probabilities.most_probable(),
            probabilities,
        }));
        paths.push(path.clone());
    }
    Ok(Predictions { paths, rows, ..Predictions::default() })
}

pub(in crate::cli) fn view_file(text: &str) -> Result<(View, PathBuf), String> {
    let (view, file) = text.split_once('=').ok_or("expected VIEW=FILE, as in CC_R=predictions.txt")?;
    Ok((view.parse::<View>().map_err(|error| error.to_string())?, PathBuf::from(file)))
}
