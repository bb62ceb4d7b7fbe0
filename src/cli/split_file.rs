//! Tables of splits on the command line.

use std::path::Path;

use anyhow::Context as _;

use mammoscope_dataset::split_table::{FoldChoice, SplitTable};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::regular_file::read_regular_file;

/// The size limit of a table, in bytes: more than one with all the subjects of a country.
const MAX_TABLE: u64 = 1 << 30;

/// Reads the table of `--splits`; `fold` is the one to hold out, for a table of folds.
pub(super) fn read_splits(path: &Path, fold: Option<FoldChoice>) -> anyhow::Result<SplitTable> {
    let bytes =
        read_regular_file(path, MAX_TABLE).with_context(|| format!("--splits: read {}", printable_path(path)))?;
    SplitTable::parse(path, &bytes, fold).context("--splits")
}
