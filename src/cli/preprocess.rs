//! `mammoscope preprocess`: from a folder of DICOM and image files to a prepared data set.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::available_parallelism;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::console::{Console, Outcome, WrongUse, print_result};
use super::data_arguments::{note_agreement, read_label_file};
use super::interruption::Interruption;
use mammoscope_dataset::stated::LabelFile;
use mammoscope_dicom::examination::Force;
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_preprocessing::candidate::LabelQuery;
use mammoscope_preprocessing::manifest::read_manifest;
use mammoscope_preprocessing::picture::OutputBits;
use mammoscope_preprocessing::pseudonym::{PseudonymKey, usual_key_file};
use mammoscope_preprocessing::record::Record;
use mammoscope_preprocessing::replay::replay;
use mammoscope_preprocessing::run::{Progress, RunPlan, Stage, Summary, run as prepare};
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};
use mammoscope_preprocessing::source::{Source, find_sources};
use mammoscope_preprocessing::stated_class::stated_class;

/// The error of a label file without its details.
const UNREADABLE_LABELS: &str = "--labels: the file cannot be used; its problems may name persons, --phi shows them";

/// The digits of a hash by which a source is shown.
const SHOWN_DIGITS: usize = 8;

/// Prepare a folder of DICOM, PNG, TIFF and JPEG mammograms for training
///
/// Files at any depth of folders, with or without an extension, become
/// `<VIEW>/<CLASS>/<subject>_<exam>_<class>_<view>.png` (`unlabelled/` without a class): rendered as the DICOM standard
/// says, cropped at the skin, black beside the breast, the pectoral muscle of MLO views filled. manifest.jsonl records
/// everything that was done, so that any output can be made again. Women get keyed pseudonyms; names of persons appear
/// nowhere. Interrupted, the same command continues; run again, it does only what has changed. A second image of a view
/// gets a name of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mammoscope preprocess /archive/mammo data/prepared
  mammoscope preprocess /archive/mammo data/prepared --labels readers.csv
  mammoscope preprocess /archive/mammo data/prepared --dry-run --phi
  mammoscope preprocess films data/prepared16 --bits 16 --pectoral keep
  mammoscope preprocess /archive/mammo data/prepared --verify")]
pub(super) struct PreprocessArguments {
    /// The folder of source files, or one file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The folder to write to: new, empty, or one of an earlier run
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// A CSV table of classes: by subject (the patient's id or the pseudonym), exam and view, or by file
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Bits of the prepared images: 8 or 16
    #[arg(long, value_name = "BITS", default_value = "8", value_parser = ["8", "16"])]
    bits: String,
    /// The pectoral muscle in MLO views: auto (filled where its edge is certain, otherwise left), keep or fill
    #[arg(long, value_name = "WORD", default_value = "auto")]
    pectoral: PectoralTreatment,
    /// Greyscale transformation of DICOM files: auto (lookup table, else first window, else range), a window's number
    /// from 0, lut or range
    #[arg(long, value_name = "N|lut|range", default_value = "auto")]
    window: GreyRequest,
    /// Bits used by 16-bit PNG and TIFF sources: auto, 8, 10, 12, 14 or 16
    #[arg(long, value_name = "BITS", default_value = "auto")]
    source_bits: GreyRange,
    /// Images prepared at once [default: the number of processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Judge everything and write nothing
    #[arg(long, conflicts_with = "verify")]
    dry_run: bool,
    /// Make every output again from its source and its line in the manifest, and compare; write nothing
    #[arg(long, conflicts_with = "labels")]
    verify: bool,
    /// Accept files that would be refused: all, or some of not-mammography, for-processing, tomosynthesis (the first
    /// frame) and laterality
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    force: Vec<Force>,
    /// The secret key of the pseudonyms, made on first use [default: in the user's data directory]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Name files in messages by their paths, which may identify persons
    #[arg(long)]
    phi: bool,
}

pub(super) fn run(arguments: &PreprocessArguments, console: &Console) -> anyhow::Result<Outcome> {
    if !arguments.input.exists() {
        return Err(WrongUse(format!("{}: no such file or folder", printable_path(&arguments.input))).into());
    }
    let key_file = match &arguments.key {
        Some(path) => path.clone(),
        None => usual_key_file().context("no folder for the key of the pseudonyms; give --key FILE")?,
    };
    let is_new = !key_file.exists();
    let key = PseudonymKey::load_or_make(&key_file)?;
    if is_new {
        console.note(format_args!(
            "a new key of pseudonyms is in {}; keep it secret and safe: without it, the same women get other pseudonyms",
            printable_path(&key_file)
        ));
    }
    let jobs = arguments.jobs.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    if arguments.verify {
        return verify(arguments, &key, jobs, console);
    }
    let labels = arguments.labels.as_deref().map(|path| labels(path, arguments.phi, console)).transpose()?;
    let class_of = |query: &LabelQuery<'_>| labels.as_ref().and_then(|labels| stated_class(labels, query));
    let interruption = Interruption::watch()?;
    let is_interrupted = || interruption.requested();
    let display = Display::new(console, arguments.phi);
    let plan = RunPlan {
        input: &arguments.input,
        output: &arguments.output,
        settings: settings(arguments),
        labels: labels.is_some().then_some(&class_of),
        key: &key,
        program: concat!("mammoscope ", env!("CARGO_PKG_VERSION")),
        jobs,
        dry_run: arguments.dry_run,
    };
    let summary = prepare(&plan, &display, Cancellation::new(&is_interrupted));
    display.finish();
    let summary = summary?;
    print_result(&text_of(&summary, arguments))?;
    if summary.refused > 0 && !arguments.phi {
        console.note("refused files are named by their number in the order of paths; --phi names them by their paths");
    }
    Ok(match summary {
        Summary { cancelled: true, .. } => Outcome::Interrupted,
        Summary { refused: 0, .. } => Outcome::Done,
        _ => Outcome::Failed,
    })
}

/// Reads the label file. Its problems name subjects, so they are shown with `--phi` only.
fn labels(path: &Path, phi: bool, console: &Console) -> anyhow::Result<LabelFile> {
    let read = read_label_file(path);
    let labels = if phi { read? } else { read.map_err(|_| anyhow::anyhow!(UNREADABLE_LABELS))? };
    let warnings = labels.warnings();
    if phi {
        for warning in &warnings {
            console.warn(warning);
        }
    } else if !warnings.is_empty() {
        let count = counted(warnings.len(), "warning");
        console.warn(format_args!("--labels: {count}, which may name persons; --phi shows them"));
    }
    note_agreement(&labels, console);
    Ok(labels)
}

fn settings(arguments: &PreprocessArguments) -> Settings {
    Settings {
        bits: if arguments.bits == "16" { OutputBits::Sixteen } else { OutputBits::Eight },
        pectoral: arguments.pectoral,
        grey: arguments.window,
        source_range: arguments.source_bits,
        force: arguments.force.clone(),
    }
}

fn text_of(summary: &Summary, arguments: &PreprocessArguments) -> String {
    let verb = if arguments.dry_run { "would be written" } else { "written" };
    let mut parts = vec![format!("{} {verb}", counted(summary.written, "image"))];
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    add(summary.unchanged, "unchanged");
    add(summary.refused, "refused");
    add(summary.rejected, "rejected by a reviewer");
    add(summary.skipped, "skipped (not images)");
    add(summary.with_warning, "with a warning");
    add(summary.uncertain_muscles, "with an uncertain muscle, left untouched");
    add(summary.unlabelled, "without a class");
    add(summary.without_source, "kept although their source is gone");
    let end = if summary.cancelled { "; interrupted: the same command continues" } else { "" };
    format!("{}; {}{end}\n", printable_path(&arguments.output), parts.join(", "))
}

/// Makes every output again and compares.
fn verify(
    arguments: &PreprocessArguments,
    key: &PseudonymKey,
    jobs: usize,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let records = read_manifest(&arguments.output)?;
    let outputs: Vec<&Record> = records.values().filter(|record| record.output.is_some()).collect();
    anyhow::ensure!(!outputs.is_empty(), "{}: no manifest with outputs", printable_path(&arguments.output));
    let found = find_sources(&arguments.input, &arguments.output);
    let sources: BTreeMap<String, &Source> =
        found.sources.iter().map(|source| (key.path(&source.relative), source)).collect();
    let interruption = Interruption::watch()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().context("start threads")?;
    let problems: Vec<String> = pool.install(|| {
        let pending = outputs.par_iter().filter(|_| !interruption.requested());
        pending.filter_map(|record| difference(record, &sources, &arguments.output)).collect()
    });
    if interruption.requested() {
        return Ok(Outcome::Interrupted);
    }
    for problem in &problems {
        console.error(&anyhow::anyhow!("{problem}"));
    }
    let (good, all) = (outputs.len() - problems.len(), counted(outputs.len(), "output"));
    print_result(&format!("{good} of {all} made again, bit by bit the same\n"))?;
    Ok(if problems.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// The difference between an output and its replay, in one line; `None` if there is none.
fn difference(record: &Record, sources: &BTreeMap<String, &Source>, folder: &Path) -> Option<String> {
    let output = &record.output.as_ref()?.output;
    let problem = |reason: String| Some(format!("{output}: {reason}"));
    let Some(source) = sources.get(&record.source.path) else { return problem("its source is gone".to_owned()) };
    let bytes = match fs::read(&source.path) {
        Ok(bytes) => bytes,
        Err(error) => return problem(format!("its source cannot be read: {error}")),
    };
    let png = match replay(record, bytes) {
        Ok(png) => png,
        Err(fault) => return problem(fault.to_string()),
    };
    match fs::read(folder.join(output)) {
        Ok(written) if written == png => None,
        Ok(_) => problem("the file was changed after it was written".to_owned()),
        Err(error) => problem(format!("cannot be read: {error}")),
    }
}

/// Progress on stderr; refused files, a line each.
struct Display<'a> {
    console: &'a Console,
    phi: bool,
    bar: Mutex<ProgressBar>,
}

impl<'a> Display<'a> {
    fn new(console: &'a Console, phi: bool) -> Self {
        Self { console, phi, bar: Mutex::new(ProgressBar::hidden()) }
    }

    fn bar(&self) -> ProgressBar {
        self.bar.lock().expect("no thread panics while it holds the lock").clone()
    }

    fn finish(&self) {
        self.bar().finish_and_clear();
    }
}

impl Progress for Display<'_> {
    fn begin(&self, stage: Stage, sources: usize, _bytes: u64) {
        self.finish();
        if !self.console.shows_progress() || sources == 0 {
            return;
        }
        let stage = match stage {
            Stage::Identifying => "identify",
            Stage::Preparing => "prepare",
        };
        let style = ProgressStyle::with_template("{prefix:>8} {wide_bar} {pos}/{len} files  {per_sec:.1}  {eta} left");
        let bar = ProgressBar::new(sources as u64).with_style(style.expect("a fixed template")).with_prefix(stage);
        *self.bar.lock().expect("no thread panics while it holds the lock") = bar;
    }

    fn advance(&self, _bytes: u64) {
        self.bar().inc(1);
    }

    fn refused(&self, number: usize, path: &Path, sha256: &str, reason: &str) {
        let name = match (self.phi, sha256.get(..SHOWN_DIGITS)) {
            (true, _) => printable_path(path),
            (false, Some(digits)) => format!("file {number} ({digits}…)"),
            (false, None) => format!("file {number}"),
        };
        let warn = || self.console.warn(format_args!("{name}: {}", printable(reason)));
        self.bar().suspend(warn);
    }
}
