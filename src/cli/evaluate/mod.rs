//! `mammoscope evaluate`: metrics of predictions.

mod calibrating;
mod folds;
pub(super) mod inputs;
pub(super) mod runs;
mod stored;
pub(super) mod study_point;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};

use self::calibrating::{CalibrationChoice, note_next};
use self::inputs::{Inputs, Predictions, read_seed_txt, read_tables, view_file};
use self::runs::RunSource;
use self::study_point::StudyChoice;
use super::console::{Console, Outcome, WrongUse, print_result};
use super::output_folder::check_output_folder;
use crate::report::baseline_table::baseline_blocks;
use crate::report::calibration_table::calibration_blocks;
use crate::report::comparison_table::comparison_blocks;
use crate::report::fold_spread::fold_spread_blocks;
use crate::report::table::{Block, TableFormat};
use crate::report::tables::Detail;
use crate::report::{plots, tables};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_document::{
    ComparedSet, Comparison, EvaluatedSet, EvaluationDocument, Provenance,
};
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::ambiguous_ids::AmbiguousIds;
use mammoscope_domain::subject::examination::UnlabelledRows;
use mammoscope_domain::subject::fusion::{Fusion, ViewWeights};
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;

/// Compute metrics of predictions, with 95 % intervals
///
/// Accuracy, recall, precision, F1, kappas, ROC areas, dense against non-dense, calibration and the confusion matrix:
/// for each view, each breast and the whole examination. Views are matched by subject and examination, never by their
/// order; a case that lacks views is fused from those it has, and counted. Intervals are bootstrapped over subjects.
///
/// For a run, its best checkpoint predicts the validation and test images of its own data; the tables and metrics of
/// both are stored in its folders `predictions` and `evaluation`. Several runs, or a group, are fused. Runs of the folds
/// of one table (`train --fold`) are pooled: each subject is predicted by the network that held her out, the intervals
/// are those of the pool, and the spread over folds is shown beside it. Of a study, the point that ranks first by the
/// validation images is evaluated. The one-feature baseline, the deviation of grey within the breast, is shown beside a
/// network.
///
/// --calibrate and --sensitivity fit temperatures and thresholds to the validation images of runs, after fusion, and keep
/// them in `calibration.json` of each run. Test images are only measured.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Metrics of what `mammoscope predict … --out predictions` wrote:
    mammoscope evaluate predictions
  The same, with evaluation.json and a confusion matrix (PNG) per set:
    mammoscope evaluate predictions --out evaluation
  Several tables together, as one JSON document:
    mammoscope evaluate cc/predictions.csv mlo/predictions.csv --json
  The four runs of the newest group, on the test images of their data:
    mammoscope evaluate latest
  A cross-validation or a sweep; the folds are pooled:
    mammoscope evaluate 2026-11-23T10-15-02_modern_7f3a
  The folds of a cross-validation that were trained one by one:
    mammoscope evaluate FOLD1 FOLD2 FOLD3
  Calibrated probabilities, and a threshold for dense that finds 90 %:
    mammoscope evaluate latest --calibrate --sensitivity 0.9
  Two networks on the same images, with intervals of the differences:
    mammoscope evaluate modern/predictions --against seed/predictions
  Tables for a paper, and all numbers for R or pandas:
    mammoscope evaluate latest --format latex > tables.tex
    mammoscope evaluate latest --format csv > figures.csv
  The reference's own files:
    mammoscope evaluate --seed-txt CC_R=ccr.txt MLO_R=mlor.txt \\
      --class-counts 14,51,50,13")]
pub(super) struct EvaluateArguments {
    /// Runs, groups, studies, tables of predictions (predictions.csv), or folders that contain one
    #[arg(value_name = "INPUT", required_unless_present = "seed_txt")]
    inputs: Vec<PathBuf>,
    /// The reference's four-column files, one per view; line i of every file is subject i
    #[arg(long, value_name = "VIEW=FILE", num_args = 1.., value_parser = view_file, requires = "class_counts", conflicts_with = "inputs")]
    seed_txt: Vec<(View, PathBuf)>,
    /// Number of lines in each file that are of class A, B, C and D, in this order
    #[arg(long, value_name = "A,B,C,D", value_delimiter = ',', requires = "seed_txt")]
    class_counts: Vec<usize>,
    /// Compare with another network's predictions on the same images, by paired bootstrap
    #[arg(long, value_name = "INPUT", num_args = 1.., conflicts_with = "seed_txt")]
    against: Vec<PathBuf>,
    /// The split of the runs whose metrics are printed: validation or test [default: test, if there are test images]
    #[arg(long, value_name = "SPLIT", value_parser = held_out_split)]
    split: Option<Split>,
    #[command(flatten)]
    study: StudyChoice,
    #[command(flatten)]
    calibration: CalibrationChoice,
    /// Use the predictions that the runs have stored, which needs no libtorch, instead of predicting again
    #[arg(long)]
    stored: bool,
    /// Also write `evaluation.json` and a picture of each confusion matrix to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the overview of all sets, and details of the last set only
    #[arg(long, conflicts_with = "json")]
    brief: bool,
    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,
    /// The format of the tables [default: table]
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Rule for fusing the views of a breast or an examination
    #[arg(long, value_enum, default_value = "mean")]
    fusion: FusionName,
    /// The views' weights for `--fusion weighted`, for example their validation accuracies
    #[arg(long, value_name = "VIEW=WEIGHT", value_delimiter = ',', num_args = 1.., value_parser = view_weight)]
    weights: Vec<(View, f64)>,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = Bootstrap::default().seed)]
    seed: u64,
    /// Number of bootstrap resamples
    #[arg(long, default_value_t = Bootstrap::default().resamples, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    resamples: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FusionName {
    /// The mean of the views
    Mean,
    /// Each class's largest probability, renormalised
    Max,
    /// The mean of the denser side
    Denser,
    /// The mean weighted by `--weights`
    Weighted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Plain text for 80 columns
    Table,
    /// Tables for GitHub and pandoc
    Markdown,
    /// Tables for LaTeX with the package booktabs, each with a caption and a label
    Latex,
    /// One long table with a line for each number
    Csv,
}

pub(super) fn run(
    arguments: &EvaluateArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let format = table_format(arguments)?;
    let inputs = Inputs::sort(&arguments.inputs, workspace, arguments.study, console)?;
    let against = Inputs::sort(&arguments.against, workspace, StudyChoice::default(), console).context("--against")?;
    arguments.calibration.check(&inputs, !arguments.seed_txt.is_empty(), arguments.split)?;
    if let Some(folder) = &arguments.out {
        check_output_folder(folder).context("--out")?;
    }
    // Tables are read first, so that their errors are reported before a network computes for minutes.
    let mut predictions = if arguments.seed_txt.is_empty() {
        read_tables(&inputs.tables)?
    } else {
        read_seed_txt(&arguments.seed_txt, &arguments.class_counts)?
    };
    let mut others = read_tables(&against.tables)?;
    let mut outcome = Outcome::Done;
    let (mut split, mut held_out) = (None, Vec::new());
    if inputs.runs.is_empty() && against.runs.is_empty() {
        if arguments.split.is_some() {
            return Err(WrongUse("--split is for runs; a table contains whatever was predicted".to_owned()).into());
        }
    } else {
        let source = if arguments.stored { RunSource::Stored } else { RunSource::Network };
        let evaluated = runs::evaluate(
            &[&inputs.runs, &against.runs],
            arguments.split,
            source,
            arguments.calibration.is_made(),
            console,
        )?;
        held_out = evaluated.held_out;
        let [of_inputs, of_against] = evaluated.predictions;
        predictions.extend(of_inputs);
        others.extend(of_against);
        split = Some(evaluated.split);
        if evaluated.failed > 0 {
            outcome = Outcome::Failed;
        }
    }
    let fusion = fusion(arguments, &predictions.rows)?;
    let rows_without_label = warn_of_missing_labels(&predictions.rows, console)?;
    for warning in AmbiguousIds::of(predictions.rows.iter().chain(&others.rows)).warnings() {
        console.warn(warning);
    }
    let bootstrap = Bootstrap { resamples: arguments.resamples, seed: arguments.seed };
    let sets = EvaluatedSet::of_rows(&predictions.rows, &predictions.baseline, fusion, bootstrap)
        .map_err(|error| error.of_tables(predictions.paths.len()))?;
    let comparison = compare(&sets, &others, fusion, bootstrap)?;
    let pool = predictions.folds.as_ref().map(|folds| folds.spread(fusion)).transpose()?;
    let inputs = predictions.paths.iter().map(|path| printable_path(path)).collect();
    let provenance = Provenance { inputs, split, rows: predictions.rows.len(), rows_without_label };
    let document = EvaluationDocument::new(provenance, fusion, bootstrap, sets);
    let (calibrations, unkept) = arguments.calibration.fit(held_out, fusion, bootstrap, console)?;
    if unkept > 0 {
        outcome = Outcome::Failed;
    }
    let document = document.with_comparison(comparison).with_pool(pool).with_calibrations(calibrations);
    if let Some(folder) = &arguments.out {
        write_files(&document, fusion, folder, console)?;
    }
    let detail = if arguments.brief { Detail::LastSet } else { Detail::EverySet };
    print_result(&if arguments.json {
        document.to_json()
    } else {
        format.render(&blocks(&document, detail, fusion, bootstrap))
    })?;
    note_next(document.calibrations(), &arguments.inputs, console);
    Ok(outcome)
}

/// The format of the tables, which other options may contradict.
fn table_format(arguments: &EvaluateArguments) -> Result<TableFormat, WrongUse> {
    let Some(format) = arguments.format else { return Ok(TableFormat::Plain) };
    if arguments.json {
        return Err(WrongUse("--json prints one document and --format tables; leave one of them out".to_owned()));
    }
    Ok(match format {
        FormatName::Table => TableFormat::Plain,
        FormatName::Markdown => TableFormat::Markdown,
        FormatName::Latex => TableFormat::Latex,
        FormatName::Csv if arguments.brief => {
            return Err(WrongUse("--format csv has every number; leave out --brief".to_owned()));
        }
        FormatName::Csv => TableFormat::Csv,
    })
}

/// Everything that the tables show.
fn blocks(document: &EvaluationDocument, detail: Detail, fusion: Fusion, bootstrap: Bootstrap) -> Vec<Block> {
    let mut blocks = tables::evaluation_blocks(document.sets(), detail, fusion, bootstrap);
    if let Some(pool) = document.pool() {
        blocks.extend(fold_spread_blocks(pool, document.sets(), detail));
    }
    blocks.extend(calibration_blocks(document.calibrations(), detail));
    blocks.extend(baseline_blocks(document.sets()));
    if let Some(Comparison { against, sets }) = document.comparison() {
        blocks.extend(comparison_blocks(sets, &against.join(", "), bootstrap));
    }
    blocks
}

/// Warns of rows without a label and returns their number; an error if no row has one.
fn warn_of_missing_labels(rows: &[PredictionRow], console: &Console) -> anyhow::Result<usize> {
    let (all, unlabelled) = (rows.len(), UnlabelledRows::of(rows));
    if unlabelled.total() == all {
        bail!(
            "none of the {all} predictions has a label, so there is nothing to compare them with: labels come from \
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

/// Compares the sets with those of other predictions; `None` if there are no others.
pub(super) fn compare(
    sets: &[EvaluatedSet],
    against: &Predictions,
    fusion: Fusion,
    bootstrap: Bootstrap,
) -> anyhow::Result<Option<Comparison>> {
    if against.paths.is_empty() {
        return Ok(None);
    }
    let others = EvaluationSet::of_rows(&against.rows, fusion).context("--against")?;
    let mut compared = Vec::new();
    // Images without a view cannot be identified, so they cannot be paired.
    for EvaluatedSet { set, .. } in sets.iter().filter(|evaluated| evaluated.set.name != SetName::Unspecified) {
        let Some(other) = others.iter().find(|other| other.name == set.name) else { continue };
        let comparison =
            PairedComparison::of(set, other, bootstrap).with_context(|| format!("compare {}", set.name))?;
        compared.extend(comparison.map(|comparison| ComparedSet { name: set.name, comparison }));
    }
    if compared.is_empty() {
        bail!("--against: no examination and view in common with the predictions that are evaluated");
    }
    Ok(Some(Comparison { against: against.paths.iter().map(|path| printable_path(path)).collect(), sets: compared }))
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
                    None => return Err(WrongUse(format!("--fusion weighted needs --weights {view}=WEIGHT")).into()),
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
    // A picture from an earlier evaluation, of a set that this one lacks, must not remain beside the new metrics.
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
    console.note(format!("wrote evaluation.json and {pictures} confusion matrices to {folder}"));
    Ok(())
}

fn picture_name(set: SetName) -> String {
    format!("confusion_matrix_{set}.png")
}

fn view_weight(text: &str) -> Result<(View, f64), String> {
    let (view, weight) = text.split_once('=').ok_or("expected VIEW=WEIGHT, as in CC_R=0.8")?;
    let view = view.parse::<View>().map_err(|error| error.to_string())?;
    Ok((view, weight.parse().map_err(|_| format!("'{weight}' is not a number"))?))
}

pub(super) fn held_out_split(text: &str) -> Result<Split, String> {
    match text.parse().map_err(|error: mammoscope_domain::subject::split::UnknownSplit| error.to_string())? {
        Split::Train => Err("a network is not judged by the images that it was trained on".to_owned()),
        split => Ok(split),
    }
}
