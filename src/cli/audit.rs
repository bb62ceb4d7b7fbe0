//! `mammoscope audit`: everything in a data set that would spoil training or its results.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::console::{Console, Interrupted, Outcome, WrongUse, print_result};
use super::data_arguments::DataArguments;
use super::interruption::Interruption;
use super::split_file::read_splits;
use crate::report::audit_text::audit_text;
use mammoscope_dataset::audit::{AuditOptions, AuditReport, PREPROCESS_MANIFEST, PreprocessManifest, audit};
use mammoscope_dataset::folder_layout::{FolderScan, ScanError, scan};
use mammoscope_dataset::split_table::FoldChoice;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::printable::printable_path;

/// List what in a data set would spoil training or its results
///
/// Reads every image once and lists unreadable files, copies, subjects in two splits, contradictory names, wrong sides,
/// film, letters, odd sizes, muscles that are filled in some images only, and features that go with the class, each with
/// what to do about it. Nothing is changed. The exit status is 1 if there are errors.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope audit testset
  mammoscope audit DIR --json > audit.json
  mammoscope audit DIR --splits splits.csv --bits 12")]
pub(super) struct AuditArguments {
    /// A tree of images, `<VIEW>/[split/]<CLASS>/*`, or a folder of images
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON document with all files and findings
    #[arg(long)]
    json: bool,
    /// A CSV file with the columns subject and split, to replace the data's own splits, or subject and fold
    #[arg(long, value_name = "FILE")]
    splits: Option<PathBuf>,
    /// The fold of --splits to hold out as the test images, or `test`
    #[arg(long, value_name = "I", requires = "splits")]
    fold: Option<FoldChoice>,
    /// Number of images to read at the same time: auto (one per core) or a number
    #[arg(long, value_name = "N", default_value = "auto", value_parser = jobs)]
    jobs: usize,
    #[command(flatten)]
    data_options: DataArguments,
}

/// Parses `auto` as 0.
fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) if text != "auto" => Err("expected auto or a number from 1".to_owned()),
        parsed => Ok(parsed.unwrap_or(0)),
    }
}

pub(super) fn run(arguments: &AuditArguments, console: &Console) -> anyhow::Result<Outcome> {
    let root = &arguments.data;
    let metadata = std::fs::metadata(root).with_context(|| printable_path(root))?;
    if !metadata.is_dir() {
        return Err(WrongUse(format!("{} is not a folder", printable_path(root))).into());
    }
    let interruption = Interruption::watch()?;
    let splits = arguments.splits.as_deref().map(|path| read_splits(path, arguments.fold)).transpose()?;
    let preprocessed = preprocess_manifest(root)?;
    let scanned = arguments.data_options.scan_for_audit(root, console)?;
    let bar = progress_bar(scanned.samples.len(), console);
    let count_image = || bar.inc(1);
    let is_interrupted = || interruption.requested();
    let options = AuditOptions {
        grey_range: arguments.data_options.grey.range(),
        splits: splits.as_ref(),
        preprocessed: preprocessed.as_ref(),
        on_image: &count_image,
        cancellation: Cancellation::new(&is_interrupted),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.jobs).build().context("start threads")?;
    let report = pool.install(|| audit(&scanned, options));
    bar.finish_and_clear();
    let report = report.ok_or(Interrupted)?;
    print_result(&if arguments.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        audit_text(&report, root, console.color())
    })?;
    Ok(if report.has_errors() { Outcome::Failed } else { Outcome::Done })
}

/// Audits a data set as it lies in its folder, with its own splits.
pub(super) fn audit_folder(root: &Path, range: GreyRange, console: &Console) -> anyhow::Result<AuditReport> {
    let interruption = Interruption::watch()?;
    let preprocessed = preprocess_manifest(root)?;
    let scanned = match scan(root) {
        Err(ScanError::NoSamples { path, problems }) => FolderScan::without_images(path, problems),
        scanned => scanned?,
    };
    let bar = progress_bar(scanned.samples.len(), console);
    let count_image = || bar.inc(1);
    let is_interrupted = || interruption.requested();
    let options = AuditOptions {
        grey_range: range,
        splits: None,
        preprocessed: preprocessed.as_ref(),
        on_image: &count_image,
        cancellation: Cancellation::new(&is_interrupted),
    };
    let report = audit(&scanned, options);
    bar.finish_and_clear();
    Ok(report.ok_or(Interrupted)?)
}

/// The record of preprocessing in a data set; `None` if there is none.
fn preprocess_manifest(root: &Path) -> anyhow::Result<Option<PreprocessManifest>> {
    let path = root.join(PREPROCESS_MANIFEST);
    // A folder or pipe of this name is not a manifest.
    if !std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let shown = || format!("read {}", printable_path(&path));
    let file = File::open(&path).with_context(shown)?;
    PreprocessManifest::read(BufReader::new(file)).map(Some).with_context(shown)
}

fn progress_bar(images: usize, console: &Console) -> ProgressBar {
    if !console.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} images  {per_sec:.1}  {eta} left")
        .expect("a valid template");
    ProgressBar::new(images as u64).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_a_number_or_auto() {
        assert_eq!((jobs("auto"), jobs("3")), (Ok(0), Ok(3)));
        assert!(jobs("0").is_err() && jobs("-1").is_err() && jobs("all").is_err());
    }
}
