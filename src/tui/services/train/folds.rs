//! The folds of a cross-validation, drawn as `mammoscope split --folds` draws them.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::tui::protocol::train::DataRequest;
use mammoscope_dataset::folder_layout::FolderScan;
use mammoscope_dataset::picture_copies::{find_copies, read_identities};
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_dataset::split::{SplitPlan, densest_classes};
use mammoscope_dataset::split_table::{FoldChoice, SplitTable};
use mammoscope_dataset::subject_split::{Division, split_csv, subject_units, subjects_with_copies};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_storage::runs::study_folder::FOLDS;

/// How the images of a data set are compared before its folds are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Not at all, which is enough for an estimate.
    None,
    /// All pictures: subjects who share one stay together.
    Pictures,
}

/// The table of folds.
pub(super) fn fold_table(
    data: &DataRequest,
    folds: u32,
    scanned: &FolderScan,
    comparison: Comparison,
    cancellation: Cancellation<'_>,
) -> anyhow::Result<Vec<u8>> {
    let division = Division::Folds { folds, test: 0.0 };
    division.check()?;
    let labelled: Vec<&DatasetSample> = scanned.samples.iter().filter(|sample| sample.label.is_some()).collect();
    if labelled.is_empty() {
        bail!("folds: none of the images has a label, and folds are stratified by class");
    }
    let classes = densest_classes(&labelled);
    division.check_folds(&subject_units(&classes, &[])).map_err(|error| in_the_form(&error))?;
    let mut shared = Vec::new();
    if comparison == Comparison::Pictures {
        let paths: Vec<PathBuf> = labelled.iter().map(|sample| sample.path.clone()).collect();
        let read = read_identities(&paths, data.grey_range, cancellation, &|| {});
        let Some(read) = read else { bail!("cancelled") };
        let unreadable = read.iter().filter(|identity| identity.is_err()).count();
        if unreadable > 0 {
            let images = counted_as(unreadable, "image", "images");
            bail!("folds: {images} cannot be read, so copies are not found; repair or remove {}", them(unreadable));
        }
        let identities: Vec<_> = read.into_iter().map(Result::ok).collect();
        let Some(copies) = find_copies(&identities, cancellation) else { bail!("cancelled") };
        shared = subjects_with_copies(&labelled, &copies).into_keys().collect();
    }
    let units = subject_units(&classes, &shared);
    division.check_folds(&units).map_err(|error| in_the_form(&error))?;
    Ok(split_csv(&division, &units, data.seed))
}

/// The plan of the run that holds out a fold of a table.
pub(super) fn plan_of(table: &[u8], fold: u32) -> anyhow::Result<SplitPlan> {
    Ok(SplitPlan::Table(SplitTable::parse(Path::new(FOLDS), table, Some(FoldChoice::Fold(fold)))?))
}

/// An error about folds without the dashes of the option.
fn in_the_form(error: &impl ToString) -> anyhow::Error {
    anyhow::anyhow!(error.to_string().trim_start_matches("--").to_owned())
}

fn them(images: usize) -> &'static str {
    if images == 1 { "it" } else { "them" }
}
