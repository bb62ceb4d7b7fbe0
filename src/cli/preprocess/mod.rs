//! `mammoscope preprocess`: from a folder of DICOM and image files to a prepared data set.

mod display;
mod merging;
mod verifying;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::Context as _;

use super::console::{Console, Outcome, WrongUse, print_result};
use super::data_arguments::{note_agreement, read_label_file};
use super::interruption::Interruption;
use super::sharding::{ShardArguments, prepare_output};
use mammoscope_dataset::stated::LabelFile;
use mammoscope_dicom::examination::Force;
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_protocol::VERSION;
use mammoscope_preprocessing::candidate::LabelQuery;
use mammoscope_preprocessing::manifest::MANIFEST;
use mammoscope_preprocessing::merge::{PreprocessingShard, RefusedSource};
use mammoscope_preprocessing::picture::OutputBits;
use mammoscope_preprocessing::pseudonym::{PseudonymKey, usual_key_file};
use mammoscope_preprocessing::run::{RunPlan, Summary, run as prepare};
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};
use mammoscope_preprocessing::stated_class::stated_class;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::shards::shard_record::{ShardFile, ShardRecord};

use display::Display;
pub(super) use merging::{PreprocessMerge, merge};

/// The error of a label file without its details.
const UNREADABLE_LABELS: &str = "--labels: the file cannot be used; its problems may name persons, --phi shows them";

/// Prepare a folder of DICOM, PNG, TIFF and JPEG mammograms for training
///
/// Files at any depth of folders, with or without an extension, become
/// `<VIEW>/<CLASS>/<subject>_<exam>_<class>_<view>.png` (`unlabelled/` without a class): rendered as the DICOM standard
/// says, cropped at the skin, black beside the breast, the pectoral muscle of MLO views filled. manifest.jsonl records
/// everything that was done, so that any output can be made again. Women get keyed pseudonyms; names of persons appear
/// nowhere. Interrupted, the same command continues; run again, it does only what has changed. A second image of a view
/// gets a name of its own.
///
/// With --shard I/N, N processes share the work; `mammoscope preprocess merge` then makes of their outputs what one process
/// would have written. They need one key. (A folder that is named merge is written ./merge.)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mammoscope preprocess /archive/mammo data/prepared
  mammoscope preprocess /archive/mammo data/prepared --labels readers.csv
  mammoscope preprocess /archive/mammo data/prepared --dry-run --phi
  mammoscope preprocess films data/prepared16 --bits 16 --pectoral keep
  mammoscope preprocess /archive/mammo data/prepared --verify
  In two processes:
    mammoscope preprocess archive --out part1 --shard 1/2
    mammoscope preprocess archive --out part2 --shard 2/2
    mammoscope preprocess merge part1 part2 --out data/prepared")]
pub(super) struct PreprocessArguments {
    /// The folder of source files, or one file
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The folder to write to: new, empty, or one of an earlier run
    #[arg(value_name = "OUT", required_unless_present = "out")]
    output: Option<PathBuf>,
    /// The same as OUT, as in other commands
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    out: Option<PathBuf>,
    #[command(flatten)]
    sharding: ShardArguments,
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
    /// Judge everything and write nothing; without --shard, since there is nothing to merge
    #[arg(long, conflicts_with_all = ["verify", "shard"])]
    dry_run: bool,
    /// Make every output again from its source and its line in the manifest, and compare; write nothing
    #[arg(long, conflicts_with_all = ["labels", "shard"])]
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

impl PreprocessArguments {
    fn output(&self) -> &Path {
        self.out.as_ref().or(self.output.as_ref()).expect("the parser requires one of the two")
    }
}

pub(super) fn run(arguments: &PreprocessArguments, console: &Console) -> anyhow::Result<Outcome> {
    if !arguments.input.exists() {
        return Err(WrongUse(format!("{}: no such file or folder", printable_path(&arguments.input))).into());
    }
    let shard = arguments.sharding.shard;
    if shard.is_some() {
        check_outside(&arguments.input, arguments.output())?;
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
        return verifying::verify(&arguments.input, arguments.output(), &key, jobs, console);
    }
    let labels = arguments.labels.as_deref().map(|path| labels(path, arguments.phi, console)).transpose()?;
    let class_of = |query: &LabelQuery<'_>| labels.as_ref().and_then(|labels| stated_class(labels, query));
    let interruption = Interruption::watch()?;
    let is_interrupted = || interruption.requested();
    if !arguments.dry_run {
        prepare_output(arguments.output(), shard)?;
    }
    let display = Display::new(console, arguments.phi);
    let plan = RunPlan {
        input: &arguments.input,
        output: arguments.output(),
        settings: settings(arguments),
        labels: labels.is_some().then_some(&class_of),
        key: &key,
        program: concat!("mammoscope ", env!("CARGO_PKG_VERSION")),
        jobs,
        dry_run: arguments.dry_run,
        shard,
    };
    let summary = prepare(&plan, &display, Cancellation::new(&is_interrupted));
    let refused = display.finish();
    let summary = summary?;
    print_result(&text_of(&summary, arguments.output(), arguments.dry_run))?;
    if summary.refused > 0 && !arguments.phi {
        console.note("refused files are named by their number in the order of paths; --phi names them by their paths");
    }
    if let Some(shard) = shard.filter(|_| !summary.cancelled) {
        write_record(arguments, shard, &key, summary.clone(), refused)?;
        let folder = printable_path(arguments.output());
        console.note(format_args!(
            "shard {shard} is done: {folder}; when all are: mammoscope preprocess merge DIR… --out DIR"
        ));
    }
    Ok(outcome_of(&summary))
}

fn outcome_of(summary: &Summary) -> Outcome {
    match summary {
        Summary { cancelled: true, .. } => Outcome::Interrupted,
        Summary { refused: 0, .. } => Outcome::Done,
        _ => Outcome::Failed,
    }
}

/// Refuses a folder within the input: the outputs of other shards would be taken for sources.
fn check_outside(input: &Path, output: &Path) -> anyhow::Result<()> {
    let input = input.canonicalize().with_context(|| format!("read {}", printable_path(input)))?;
    let absolute = std::path::absolute(output).context("find the current folder")?;
    // The folder may not exist yet.
    let existing = absolute.ancestors().find_map(|above| above.canonicalize().ok()).unwrap_or_default();
    if existing.starts_with(&input) {
        let output = printable_path(output);
        return Err(WrongUse(format!("{output} is within the input; shards are written elsewhere")).into());
    }
    Ok(())
}

/// Writes the record of a shard.
fn write_record(
    arguments: &PreprocessArguments,
    shard: Shard,
    key: &PseudonymKey,
    summary: Summary,
    mut refused: Vec<RefusedSource>,
) -> anyhow::Result<()> {
    let out = arguments.output();
    let labels = match &arguments.labels {
        Some(path) => {
            sha256_hex(&std::fs::read(path).with_context(|| format!("--labels: read {}", printable_path(path)))?)
        }
        None => "none".to_owned(),
    };
    let conditions = BTreeMap::from([
        ("the program's version".to_owned(), VERSION.to_owned()),
        ("the sources (SHA-256 of their list)".to_owned(), summary.sources.clone()),
        ("the key of the pseudonyms".to_owned(), key.fingerprint()),
        ("the settings".to_owned(), serde_json::to_string(&settings(arguments).recorded())?),
        ("--labels (SHA-256)".to_owned(), labels),
    ]);
    refused.sort();
    let mut record = ShardRecord::new("preprocess", shard, conditions, PreprocessingShard { summary, refused });
    let written = ShardFile::of(out, MANIFEST).and_then(|manifest| {
        record.files.push(manifest);
        record.write(out)
    });
    written.with_context(|| format!("write to {}", printable_path(out)))
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

/// The outcome in one line.
fn text_of(summary: &Summary, output: &Path, dry_run: bool) -> String {
    let verb = if dry_run { "would be written" } else { "written" };
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
    format!("{}; {}{end}\n", printable_path(output), parts.join(", "))
}
