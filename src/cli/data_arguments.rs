//! The command-line options that describe a data set.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Interrupted};
use super::interruption::Interruption;
use crate::report::reader_agreement::reader_agreement_text;
use mammoscope_dataset::folder_layout::{FolderScan, ScanError, ScanOptions, scan_with};
use mammoscope_dataset::grey_check::{GreyFacts, GreyRangeError, check_grey_range};
use mammoscope_dataset::stated::{IdPattern, LabelFile, StatedIds};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::regular_file::read_regular_file;

/// The size limit of a table, in bytes: more than one with all the images of a country.
const MAX_TABLE: u64 = 1 << 30;
/// The number of files that a warning names.
const MAX_NAMED: usize = 3;

/// The options of every command that takes `--data`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data options")]
pub(super) struct DataArguments {
    #[command(flatten)]
    pub(super) grey: GreyArguments,
    /// A CSV file of labels with the column file, or subject and, where they matter, exam, view and laterality, and class
    /// or, for several readers, `reader_1`, `reader_2` and so on; it takes precedence over names and folders. The tables of
    /// INbreast, CBIS-DDSM and VinDr-Mammo are read as published
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// A regular expression for paths below the data set, with the groups `(?<subject>…)`, exam, view, laterality and
    /// class, or one of inbreast, cbis-ddsm and vindr-mammo
    #[arg(long, value_name = "PATTERN")]
    ids: Option<IdPattern>,
    /// Also read folders within class folders
    #[arg(long)]
    nested: bool,
}

/// The options for the grey range of 16-bit files.
#[derive(Debug, Args)]
pub(super) struct GreyArguments {
    /// Bits used by 16-bit files: auto, 8, 10, 12, 14 or 16; auto accepts files that use all 16 and refuses others
    #[arg(long, value_name = "BITS", default_value = "auto")]
    bits: GreyRange,
    /// The value that is white in 16-bit files, if no number of bits gives it
    #[arg(long, value_name = "N", conflicts_with = "bits", value_parser = clap::value_parser!(u16).range(1..))]
    white: Option<u16>,
}

impl GreyArguments {
    pub(super) fn range(&self) -> GreyRange {
        self.white.map_or(self.bits, GreyRange::White)
    }

    /// Checks the range against the images, and warns of doubtful ones.
    pub(super) fn check(&self, paths: &[&Path], console: &Console) -> anyhow::Result<GreyFacts> {
        let interruption = Interruption::watch()?;
        let facts = match check_grey_range(paths, self.range(), Cancellation::new(&|| interruption.requested())) {
            Err(GreyRangeError::Interrupted) => return Err(Interrupted.into()),
            checked => checked?,
        };
        if let Some(remark) = facts.note(self.range()) {
            console.warn(remark);
        }
        Ok(facts)
    }
}

impl DataArguments {
    /// Lists a data set, and reports its problems on `console`.
    pub(super) fn scan(&self, root: &Path, console: &Console) -> anyhow::Result<FolderScan> {
        let options = self.scan_options(console)?;
        let scanned = scan_with(root, &options)?;
        for problem in &scanned.problems {
            console.warn(problem);
        }
        for remark in scanned.ignored.notes(root) {
            console.note(remark);
        }
        let missing = &scanned.stated_but_missing;
        if !missing.is_empty() {
            let named: Vec<_> = missing.iter().take(MAX_NAMED).map(|file| printable(file)).collect();
            let more = if missing.len() > MAX_NAMED { ", …" } else { "" };
            let by_file = options.stated.labels.as_ref().is_some_and(LabelFile::is_by_file);
            console.warn(format!(
                "--labels names {} that the data does not have: {}{more}",
                counted(missing.len(), if by_file { "file" } else { "subject" }),
                named.join(", ")
            ));
        }
        Ok(scanned)
    }

    /// Lists a data set whose problems an audit reports. A folder without images is not an error here.
    pub(super) fn scan_for_audit(&self, root: &Path, console: &Console) -> anyhow::Result<FolderScan> {
        Ok(match scan_with(root, &self.scan_options(console)?) {
            Err(ScanError::NoSamples { path, problems }) => FolderScan::without_images(path, problems),
            scanned => scanned?,
        })
    }

    /// Reads the statements about images, and reports doubts about them on `console`.
    fn scan_options(&self, console: &Console) -> anyhow::Result<ScanOptions> {
        let labels = self.label_file()?;
        if let Some(labels) = &labels {
            for warning in labels.warnings() {
                console.warn(warning);
            }
            note_agreement(labels, console);
        }
        Ok(ScanOptions { nested: self.nested, stated: StatedIds { labels, pattern: self.ids.clone() } })
    }

    /// Reads the file `--labels`; `None` if none was given.
    pub(super) fn label_file(&self) -> anyhow::Result<Option<LabelFile>> {
        self.labels.as_deref().map(read_label_file).transpose()
    }
}

/// Reads a label file.
pub(super) fn read_label_file(path: &Path) -> anyhow::Result<LabelFile> {
    let bytes =
        read_regular_file(path, MAX_TABLE).with_context(|| format!("--labels: read {}", printable_path(path)))?;
    LabelFile::parse(path, &bytes).context("--labels")
}

/// Prints the agreement of the readers of a label file, if it has several.
pub(super) fn note_agreement(labels: &LabelFile, console: &Console) {
    if let Some(agreement) = reader_agreement_text(labels.reader_pairs()) {
        console.note(agreement);
    }
}
