//! Where the predictions come from that are evaluated: tables, runs, or the reference's own files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::cli::console::WrongUse;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::subject::SubjectId;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_storage::tables::prediction_table::{self, TableError};

/// Predictions, and where they were read.
#[derive(Debug, Default)]
pub(super) struct Predictions {
    /// The tables.
    pub(super) paths: Vec<PathBuf>,
    /// Their rows.
    pub(super) rows: Vec<PredictionRow>,
    /// The one-feature baseline's rows of the same images, where there is one.
    pub(super) baseline: Vec<PredictionRow>,
}

impl Predictions {
    /// Takes others in.
    pub(super) fn extend(&mut self, others: Self) {
        self.paths.extend(others.paths);
        self.rows.extend(others.rows);
        self.baseline.extend(others.baseline);
    }
}

/// What was typed: tables, and runs whose predictions are yet to be computed.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) tables: Vec<PathBuf>,
    pub(super) runs: Vec<RunDir>,
}

impl Inputs {
    /// Tells tables from runs: what exists is a table, or a folder that holds one, unless it is a run directory; what
    /// does not exist and looks like no path is the name of a run or a group.
    pub(super) fn tell_apart(inputs: &[PathBuf], workspace: Option<&Path>) -> anyhow::Result<Self> {
        let mut told = Self::default();
        for input in inputs {
            let is_run = RunDir::new(input).spec().is_file();
            let is_path = input.exists() || input.components().count() > 1 || input.extension().is_some();
            match input.to_str() {
                Some(name) if is_run || !is_path => {
                    let found = find_runs(&Workspace::open(workspace)?, name)?;
                    if let Some(twice) = found.runs.iter().find(|run| told.runs.contains(run)) {
                        return Err(WrongUse(format!("{} is given twice", printable_path(twice.path()))).into());
                    }
                    told.runs.extend(found.runs);
                }
                _ => told.tables.push(input.clone()),
            }
        }
        Ok(told)
    }
}

/// All rows of the tables named, directly or by their folders.
pub(super) fn read_tables(inputs: &[PathBuf]) -> anyhow::Result<Predictions> {
    let (mut rows, mut seen, mut paths) = (Vec::new(), HashSet::new(), Vec::new());
    for input in inputs {
        let path = if input.is_dir() { input.join(prediction_table::FILE_NAME) } else { input.clone() };
        if input.is_dir() && !path.exists() {
            bail!("{} holds no {}", printable_path(input), prediction_table::FILE_NAME);
        }
        if !seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
            return Err(WrongUse(format!("{} is given twice", printable_path(&path))).into());
        }
        rows.extend(prediction_table::read_table(&path).map_err(|error| explained(error, &path))?);
        paths.push(path);
    }
    Ok(Predictions { paths, rows, baseline: Vec::new() })
}

/// Who gives the reference's columns as a table is told how they are given.
fn explained(error: TableError, path: &Path) -> anyhow::Error {
    let is_columns = matches!(error, TableError::NoTable { .. }) && path.extension() == Some("txt".as_ref());
    if is_columns {
        let hint = "the reference's four columns are given as --seed-txt VIEW=FILE --class-counts A,B,C,D";
        WrongUse(format!("{error} ({hint})")).into()
    } else {
        error.into()
    }
}

/// The rows of the reference's files: subject i is line i, and the labels come in blocks.
pub(super) fn read_seed_txt(files: &[(View, PathBuf)], class_counts: &[usize]) -> anyhow::Result<Predictions> {
    let counts: [usize; DensityClass::COUNT] = class_counts.try_into().map_err(|_| {
        WrongUse(format!("--class-counts wants four numbers, for A, B, C and D, not {}", class_counts.len()))
    })?;
    let sum = counts.into_iter().try_fold(0_usize, usize::checked_add);
    let (mut rows, mut paths) = (Vec::new(), Vec::new());
    for (place, (view, path)) in files.iter().enumerate() {
        if files[..place].iter().any(|(earlier, _)| earlier == view) {
            return Err(WrongUse(format!("--seed-txt names {view} twice")).into());
        }
        let lines = prediction_table::read_probability_columns(path)?;
        if sum != Some(lines.len()) {
            let sum = sum.map_or_else(|| "more than can be counted".to_owned(), |sum| sum.to_string());
            bail!("{} has {} predictions, but the class counts add up to {sum}", printable_path(path), lines.len());
        }
        // The counts are known to fit by now: they cannot ask for more memory than the file did.
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
    Ok(Predictions { paths, rows, baseline: Vec::new() })
}

pub(super) fn view_file(text: &str) -> Result<(View, PathBuf), String> {
    let (view, file) = text.split_once('=').ok_or("expected VIEW=FILE, as in CC_R=predictions.txt")?;
    Ok((view.parse::<View>().map_err(|error| error.to_string())?, PathBuf::from(file)))
}
