//! What is said of a data set on the command line, besides where it is.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Interrupted};
use super::interruption::Interruption;
use crate::report::tables::counted;
use mammoscope_dataset::folder_layout::{FolderScan, ScanOptions, scan_with};
use mammoscope_dataset::grey_check::{GreyFacts, GreyRangeError, check_grey_range};
use mammoscope_dataset::stated::{IdPattern, LabelTable, StatedIds};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::regular_file::read_regular_file;

/// More bytes than a table of all the images of a country has.
const MAX_TABLE: u64 = 1 << 30;
/// How many files are named that a table has and the data has not.
const NAMED: usize = 3;

/// Options of every command that takes `--data`.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the data are")]
pub(super) struct DataArguments {
    #[command(flatten)]
    pub(super) grey: GreyArguments,
    /// A table (CSV) with the columns file, subject, exam, view, laterality and class, of which only file is needed; it goes
    /// before names and folders. The tables of INbreast, CBIS-DDSM and VinDr-Mammo are read as they are
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// A regular expression of paths below the data set with the groups `(?<subject>…)`, exam, view, laterality and class, or
    /// one of inbreast, cbis-ddsm and vindr-mammo
    #[arg(long, value_name = "PATTERN")]
    ids: Option<IdPattern>,
    /// Read folders within class folders, too
    #[arg(long)]
    nested: bool,
}

/// What is white in 16-bit files.
#[derive(Debug, Args)]
pub(super) struct GreyArguments {
    /// Bits of the images in 16-bit files: auto, 8, 10, 12, 14 or 16; auto takes those that use all 16, and refuses others
    #[arg(long, value_name = "BITS", default_value = "auto")]
    bits: GreyRange,
    /// The value that is white in 16-bit files, where it is that of no number of bits
    #[arg(long, value_name = "N", conflicts_with = "bits", value_parser = clap::value_parser!(u16).range(1..))]
    white: Option<u16>,
}

impl GreyArguments {
    /// What was said.
    pub(super) fn range(&self) -> GreyRange {
        self.white.map_or(self.bits, GreyRange::White)
    }

    /// Checks it against the images, and says what is odd.
    pub(super) fn check(&self, paths: &[&Path], console: &Console) -> anyhow::Result<GreyFacts> {
        let interruption = Interruption::watch()?;
        let facts = match check_grey_range(paths, self.range(), &|| interruption.requested()) {
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
    /// Lists a data set, and says what of it is not as it should be.
    pub(super) fn scan(&self, root: &Path, console: &Console) -> anyhow::Result<FolderScan> {
        let table = match &self.labels {
            Some(path) => {
                let bytes = read_regular_file(path, MAX_TABLE)
                    .with_context(|| format!("--labels: read {}", printable_path(path)))?;
                Some(LabelTable::parse(path, &bytes).context("--labels")?)
            }
            None => None,
        };
        let stated = StatedIds { table, pattern: self.ids.clone() };
        let scanned = scan_with(root, &ScanOptions { nested: self.nested, stated })?;
        for problem in &scanned.problems {
            console.warn(problem);
        }
        for remark in scanned.ignored.remarks(root) {
            console.note(remark);
        }
        let missing = &scanned.stated_but_missing;
        if !missing.is_empty() {
            let named: Vec<_> = missing.iter().take(NAMED).map(|file| printable(file)).collect();
            let more = if missing.len() > NAMED { ", …" } else { "" };
            console.warn(format!(
                "--labels names {} that the data does not have: {}{more}",
                counted(missing.len(), "file"),
                named.join(", ")
            ));
        }
        Ok(scanned)
    }
}
