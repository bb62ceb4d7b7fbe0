//! `mammoscope evaluate`: figures of merit of predictions.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use super::console::{Console, Outcome, WrongUse, print_result};
use crate::domain::ambiguous_ids::AmbiguousIds;
use crate::domain::bootstrap::Bootstrap;
use crate::domain::density::DensityClass;
use crate::domain::evaluation_document::{ComparedSet, Comparison, EvaluatedSet, EvaluationDocument, Provenance};
use crate::domain::evaluation_set::{EvaluationSet, SetName};
use crate::domain::examination::UnlabelledRows;
use crate::domain::fusion::{Fusion, ViewWeights};
use crate::domain::paired_comparison::PairedComparison;
use crate::domain::prediction::PredictionRow;
use crate::domain::printable::printable_path;
use crate::domain::subject::SubjectId;
use crate::domain::view::View;
use crate::report::comparison_table::comparison_text;
use crate::report::tables::Detail;
use crate::report::{plots, tables};
use crate::storage::atomic_file::write_atomically;
use crate::storage::prediction_table::{self, TableError};

/// Figures of merit of predictions, with 95 % intervals
///
/// Accuracy, recall, precision, F1, kappas, ROC areas, dense against non-dense, calibration and the confusion matrix:
/// for each view, each breast and the whole examination. Views are joined by subject and examination, never by their
/// order; a case that lacks views is fused from those it has, and counted. Intervals are bootstrapped over subjects.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Figures of what `mammoscope predict … --out predictions` wrote:
    mammoscope evaluate predictions
  The same, with evaluation.json and a confusion matrix (PNG) a set:
    mammoscope evaluate predictions --out evaluation
  Several tables together, as one JSON document:
    mammoscope evaluate cc/predictions.csv mlo/predictions.csv --json
  Two networks on the same images, with the differences' intervals:
    mammoscope evaluate modern/predictions --against seed/predictions
  The reference's own files:
    mammoscope evaluate --seed-txt CC_R=ccr.txt MLO_R=mlor.txt \\
      --class-counts 14,51,50,13")]
pub(super) struct EvaluateArguments {
    /// Tables of predictions (predictions.csv), or folders that hold one
    #[arg(value_name = "INPUT", required_unless_present = "seed_txt")]
    inputs: Vec<PathBuf>,
    /// The reference's four-column files, one a view; line i of every file is subject i
    #[arg(long, value_name = "VIEW=FILE", num_args = 1.., value_parser = view_file, requires = "class_counts", conflicts_with = "inputs")]
    seed_txt: Vec<(View, PathBuf)>,
    /// How many of the files' lines are of class A, of B, of C and of D, in this order
    #[arg(long, value_name = "A,B,C,D", value_delimiter = ',', requires = "seed_txt")]
    class_counts: Vec<usize>,
    /// Compare with another network's predictions on the same images, by paired bootstrap
    #[arg(long, value_name = "INPUT", num_args = 1.., conflicts_with = "seed_txt")]
    against: Vec<PathBuf>,
    /// Also write `evaluation.json` and a picture of each confusion matrix to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the overview of all sets, and the details of the last only
    #[arg(long, conflicts_with = "json")]
    brief: bool,
    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,
    /// How the views of a breast or an examination become one
    #[arg(long, value_enum, default_value = "mean")]
    fusion: FusionName,
    /// The views' weights in `--fusion weighted`, their validation accuracies, say
    #[arg(long, value_name = "VIEW=WEIGHT", value_delimiter = ',', num_args = 1.., value_parser = view_weight)]
    weights: Vec<(View, f64)>,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = Bootstrap::default().seed)]
    seed: u64,
    /// How many times the bootstrap draws
    #[arg(long, default_value_t = Bootstrap::default().resamples, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    resamples: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FusionName {
    /// The mean of the views
    Mean,
    /// Each class' largest probability, renormalised
    Max,
    /// The mean of the denser side
    Denser,
    /// The mean, weighted by `--weights`
    Weighted,
}

pub(super) fn run(arguments: &EvaluateArguments, console: &Console) -> anyhow::Result<Outcome> {
    let (paths, rows) =
        if arguments.seed_txt.is_empty() { read_tables(&arguments.inputs)? } else { read_seed_txt(arguments)? };
    let fusion = fusion(arguments, &rows)?;
    if let Some(folder) = arguments.out.as_deref().filter(|folder| folder.is_file()) {
        bail!("--out: {} is a file, not a folder", printable_path(folder));
    }
    let rows_without_label = warn_of_missing_labels(&rows, console)?;
    let (against, other_rows) = read_tables(&arguments.against)?;
    for warning in AmbiguousIds::of(rows.iter().chain(&other_rows)).warnings() {
        console.warn(warning);
    }
    let bootstrap = Bootstrap { resamples: arguments.resamples, seed: arguments.seed };
    let sets = EvaluationSet::of_rows(&rows, fusion)?;
    let comparison = compare(&sets, &against, &other_rows, fusion, bootstrap)?;
    let sets = EvaluatedSet::of_rows(&rows, &[], fusion, bootstrap)?;
    let inputs = paths.iter().map(|path| printable_path(path)).collect();
    let provenance = Provenance { inputs, rows: rows.len(), rows_without_label };
    let document = EvaluationDocument::new(provenance, fusion, bootstrap, sets).with_comparison(comparison);
    if let Some(folder) = &arguments.out {
        write_files(&document, fusion, folder, console)?;
    }
    let detail = if arguments.brief { Detail::LastSet } else { Detail::EverySet };
    print_result(&if arguments.json {
        document.to_json()
    } else {
        let mut text = tables::evaluation_text(document.sets(), detail, fusion, bootstrap);
        if let Some(Comparison { against, sets }) = document.comparison() {
            text.push('\n');
            text.push_str(&comparison_text(sets, &against.join(", "), bootstrap));
        }
        text
    })?;
    Ok(Outcome::Done)
}

/// How many rows have no label, which is told; an error where none has one.
fn warn_of_missing_labels(rows: &[PredictionRow], console: &Console) -> anyhow::Result<usize> {
    let (all, unlabelled) = (rows.len(), UnlabelledRows::of(rows));
    if unlabelled.total() == all {
        bail!(
            "none of the {all} predictions has a label, so there is nothing to hold them against: labels come from \
             class folders <VIEW>/<CLASS>/ when predicting"
        );
    }
    if unlabelled.left_out > 0 {
        console.warn(format!("{} of {all} predictions have no label and are left out", unlabelled.left_out));
    }
    if unlabelled.fused > 0 {
        let fused = unlabelled.fused;
        console.warn(format!(
            "{fused} of {all} predictions have no label of their own: they count only where views are fused, with the \
             label of their examination's other views"
        ));
    }
    Ok(unlabelled.total())
}

/// All rows of the tables named, directly or by their folders.
fn read_tables(inputs: &[PathBuf]) -> anyhow::Result<(Vec<PathBuf>, Vec<PredictionRow>)> {
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
    Ok((paths, rows))
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
fn read_seed_txt(arguments: &EvaluateArguments) -> anyhow::Result<(Vec<PathBuf>, Vec<PredictionRow>)> {
    let counts: [usize; DensityClass::COUNT] = arguments.class_counts.as_slice().try_into().map_err(|_| {
        WrongUse(format!("--class-counts wants four numbers, for A, B, C and D, not {}", arguments.class_counts.len()))
    })?;
    let sum = counts.into_iter().try_fold(0_usize, usize::checked_add);
    let (mut rows, mut paths) = (Vec::new(), Vec::new());
    for (place, (view, path)) in arguments.seed_txt.iter().enumerate() {
        if arguments.seed_txt[..place].iter().any(|(earlier, _)| earlier == view) {
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
    Ok((paths, rows))
}

/// The sets against those of other tables; `None` where there are none to compare with.
fn compare(
    sets: &[EvaluationSet],
    against: &[PathBuf],
    rows: &[PredictionRow],
    fusion: Fusion,
    bootstrap: Bootstrap,
) -> anyhow::Result<Option<Comparison>> {
    if against.is_empty() {
        return Ok(None);
    }
    let others = EvaluationSet::of_rows(rows, fusion).context("--against")?;
    let mut compared = Vec::new();
    // Images without a view have nothing that tells them apart, so they cannot be paired.
    for set in sets.iter().filter(|set| set.name != SetName::Unspecified) {
        let Some(other) = others.iter().find(|other| other.name == set.name) else { continue };
        let comparison =
            PairedComparison::of(set, other, bootstrap).with_context(|| format!("compare {}", set.name))?;
        compared.extend(comparison.map(|comparison| ComparedSet { name: set.name, comparison }));
    }
    if compared.is_empty() {
        bail!("--against: no examination and view in common with the predictions that are evaluated");
    }
    Ok(Some(Comparison { against: against.iter().map(|path| printable_path(path)).collect(), sets: compared }))
}

fn fusion(arguments: &EvaluateArguments, rows: &[PredictionRow]) -> anyhow::Result<Fusion> {
    if arguments.fusion != FusionName::Weighted && !arguments.weights.is_empty() {
        return Err(WrongUse("--weights is for --fusion weighted".to_owned()).into());
    }
    Ok(match arguments.fusion {
        FusionName::Mean => Fusion::Mean,
        FusionName::Max => Fusion::Max,
        FusionName::Denser => Fusion::DenserSide,
        FusionName::Weighted => {
            // A view that does not occur needs no weight.
            let mut weights = [1.0; View::ALL.len()];
            for view in View::ALL {
                let mut given = arguments.weights.iter().filter(|(given, _)| *given == view);
                let first = given.next();
                if given.next().is_some() {
                    return Err(WrongUse(format!("--weights names {view} twice")).into());
                }
                match first {
                    Some((_, weight)) => weights[view as usize] = *weight,
                    None if rows.iter().all(|row| row.view != Some(view)) => {}
                    None => return Err(WrongUse(format!("--fusion weighted wants --weights {view}=WEIGHT")).into()),
                }
            }
            Fusion::Weighted(ViewWeights::new(weights).map_err(|error| WrongUse(error.to_string()))?)
        }
    })
}

fn write_files(document: &EvaluationDocument, fusion: Fusion, folder: &Path, console: &Console) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", printable_path(folder)))?;
    let write = |name: &str, contents: &[u8]| {
        let path = folder.join(name);
        write_atomically(&path, contents).with_context(|| format!("write {}", printable_path(&path)))
    };
    for EvaluatedSet { set, evaluation, .. } in document.sets() {
        let (title, cases) = (tables::title(set.name, fusion), tables::cases_and_missing(set));
        let picture = plots::confusion_matrix_png(&title, &cases, &evaluation.confusion_matrix)?;
        write(&picture_name(set.name), &picture)?;
    }
    // A picture of an earlier evaluation, of a set that this one lacks, must not stand beside the new figures.
    let is_written = |name: &SetName| document.sets().iter().any(|evaluated| evaluated.set.name == *name);
    for absent in SetName::ALL.into_iter().filter(|name| !is_written(name)) {
        let path = folder.join(picture_name(absent));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("remove {}", printable_path(&path)));
            }
            _ => {}
        }
    }
    write("evaluation.json", document.to_json().as_bytes())?;
    let (pictures, folder) = (document.sets().len(), printable_path(folder));
    console.remark(format!("wrote evaluation.json and {pictures} confusion matrices to {folder}"));
    Ok(())
}

fn picture_name(set: SetName) -> String {
    format!("confusion_matrix_{set}.png")
}

fn view_file(text: &str) -> Result<(View, PathBuf), String> {
    let (view, file) = text.split_once('=').ok_or("expected VIEW=FILE, as in CC_R=predictions.txt")?;
    Ok((view.parse::<View>().map_err(|error| error.to_string())?, PathBuf::from(file)))
}

fn view_weight(text: &str) -> Result<(View, f64), String> {
    let (view, weight) = text.split_once('=').ok_or("expected VIEW=WEIGHT, as in CC_R=0.8")?;
    let view = view.parse::<View>().map_err(|error| error.to_string())?;
    Ok((view, weight.parse().map_err(|_| format!("'{weight}' is no number"))?))
}
