//! `mammoscope report`: a page for a paper, a quality meeting or another institute.

mod files;
mod gathering;
mod pictures;
mod repetition;

use std::path::{Path, PathBuf};

use clap::Args;

use self::gathering::gather;
use super::console::{Console, Outcome, WrongUse};
use super::evaluate::held_out_split;
use super::evaluate::inputs::view_file;
use super::evaluate::study_point::StudyChoice;
use super::output_folder::check_output_folder;
use crate::report::html::report_page;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

/// Write a report of runs or predictions: one HTML file
///
/// The question and the verdict, data, recipe, learning curves, confusion matrices, figures with 95 % intervals beside
/// readers and the one-feature baseline, ROC and precision–recall curves, calibration, the worst confident errors with
/// their maps, limits, provenance, and the items of CLAIM 2024 and TRIPOD+AI that the report answers. The file loads
/// nothing from anywhere, and names neither subjects nor folders.
///
/// Predictions that the runs have stored are used, which needs no libtorch; else the best checkpoints predict. Maps come
/// from --maps, or are computed for the errors shown. A run that is still at work gets a report so far.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope report latest
  mammoscope report 2026-11-23T10-15-02_modern_7f3a --out report.html
  Of predictions, with the images and the models that made them:
    mammoscope report predictions --data testset --model models
  With all maps, their sanity checks, and the charts as SVG, PNG and CSV:
    mammoscope explain --model latest --data DIR --split test --sanity \\
      --out maps
    mammoscope report latest --maps maps --figures figures
  Two networks on the same images:
    mammoscope report latest --against seed/predictions
  The reference's own files:
    mammoscope report --seed-txt CC_R=ccr.txt MLO_R=mlor.txt \\
      --class-counts 14,51,50,13")]
pub(super) struct ReportArguments {
    /// Runs, groups, studies, tables of predictions (predictions.csv), or folders that contain one
    #[arg(value_name = "INPUT", required_unless_present = "seed_txt")]
    inputs: Vec<PathBuf>,
    /// The reference's four-column files, one per view; line i of every file is subject i
    #[arg(long, value_name = "VIEW=FILE", num_args = 1.., value_parser = view_file, requires = "class_counts", conflicts_with = "inputs")]
    seed_txt: Vec<(View, PathBuf)>,
    /// Number of lines in each file that are of class A, B, C and D, in this order
    #[arg(long, value_name = "A,B,C,D", value_delimiter = ',', requires = "seed_txt")]
    class_counts: Vec<usize>,
    /// The file to write; an earlier report of this name is replaced, any other file is not
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Also write every chart as SVG, PNG and CSV to this folder
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// The title's name [default: that of the run, group, study or table]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Compare with another network's predictions on the same images, by paired bootstrap
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    against: Vec<PathBuf>,
    /// The split of the runs: validation or test [default: test, if there are test images]
    #[arg(long, value_name = "SPLIT", value_parser = held_out_split)]
    split: Option<Split>,
    #[command(flatten)]
    study: StudyChoice,
    /// The most pictures of errors, one for each view of a case
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(..=400))]
    images: u16,
    /// Show no images
    #[arg(long, conflicts_with = "images")]
    no_images: bool,
    /// The output folder of `mammoscope explain`: its maps, scores and sanity checks
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Folders in which the images of a table are looked for
    #[arg(long, value_name = "DIR", num_args = 1..)]
    data: Vec<PathBuf>,
    /// The models that made the predictions of a table, for maps: a model file, a folder with one per view, or a run
    #[arg(long, value_name = "M")]
    model: Option<PathBuf>,
    /// A table with a column such as scanner or site beside subject or file: figures for each of its values
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Audit the data set for the report, which reads every image
    #[arg(long)]
    audit: bool,
    /// Also write which subject each case number of the report stands for; keep this table in house
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = Bootstrap::default().seed)]
    seed: u64,
    /// Number of bootstrap resamples
    #[arg(long, default_value_t = Bootstrap::default().resamples, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    resamples: u32,
}

impl ReportArguments {
    const fn bootstrap(&self) -> Bootstrap {
        Bootstrap { resamples: self.resamples, seed: self.seed }
    }

    /// The most pictures.
    fn pictures(&self) -> usize {
        if self.no_images { 0 } else { usize::from(self.images) }
    }
}

pub(super) fn run(arguments: &ReportArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    // Said before minutes of work, not after.
    files::check_report_file("--out", &arguments.out, files::is_report)?;
    if let Some(key) = &arguments.key {
        files::check_report_file("--key", key, files::is_key)?;
        if key == &arguments.out {
            return Err(WrongUse("--key and --out name the same file".to_owned()).into());
        }
    }
    if let Some(folder) = &arguments.figures {
        check_output_folder(folder).map_err(|error| error.context("--figures"))?;
    }
    let facts = gather(arguments, workspace, console)?;
    let page = report_page(&facts)?;
    files::write_report(&arguments.out, &page.html)?;
    if let Some(folder) = &arguments.figures {
        files::write_figures(folder, &page.charts)?;
    }
    if let (Some(key), Some(predictions)) = (&arguments.key, &facts.predictions) {
        files::write_key(key, &facts.errors, &predictions.rows)?;
    }
    files::announce(arguments, &page, &facts, console);
    Ok(Outcome::Done)
}
