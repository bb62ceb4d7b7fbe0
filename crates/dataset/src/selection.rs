//! Selection of samples by `--view` and `--split`.

use super::folder_layout::FolderScan;
use super::sample::DatasetSample;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

/// The selected samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The samples in the order of the scan.
    pub samples: Vec<DatasetSample>,
    /// Number of samples of unknown view that are assumed to be of the requested one.
    pub views_assumed: usize,
    /// Number of samples of unknown view that were left out.
    pub views_unknown: usize,
}

/// A requested split or view that is missing; `present` lists those that exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The data has no splits at all.
    #[error(
        "--split {asked}: the data has no split folders (train, validation, test) and the model does not know these \
         subjects, so it is unknown which images are {asked}; use --split all"
    )]
    NoSplits { asked: Split },
    #[error("--split {asked}: the data has no such images; it has {present}")]
    SplitMissing { asked: Split, present: String },
    #[error("--view {asked}: the data has no such images{}; it has {present}", within_split(*split))]
    ViewMissing { asked: View, split: SplitSelection, present: String },
}

fn within_split(split: SplitSelection) -> String {
    match split {
        SplitSelection::All => String::new(),
        SplitSelection::Only(split) => format!(" in {split}"),
    }
}

/// Selects samples by view and split. Every view that is named must exist. If a single view is requested and no image has
/// a known view, all are assumed to be of that view.
pub fn select(scan: &FolderScan, views: &ViewSelection, split: SplitSelection) -> Result<Selection, SelectionError> {
    let in_split = select_split(&scan.samples, split)?;
    let ViewSelection::Only(asked) = views else {
        return Ok(Selection { samples: in_split.into_iter().cloned().collect(), views_assumed: 0, views_unknown: 0 });
    };
    let views_unknown = in_split.iter().filter(|sample| sample.view.is_none()).count();
    if let ([only], true) = (asked.as_slice(), views_unknown == in_split.len()) {
        let samples =
            in_split.into_iter().map(|sample| DatasetSample { view: Some(*only), ..sample.clone() }).collect();
        return Ok(Selection { samples, views_assumed: views_unknown, views_unknown: 0 });
    }
    if let Some(&missing) = asked.iter().find(|&&view| in_split.iter().all(|sample| sample.view != Some(view))) {
        let present = View::ALL.into_iter().filter(|&view| in_split.iter().any(|sample| sample.view == Some(view)));
        return Err(SelectionError::ViewMissing { asked: missing, split, present: listed(present.map(View::name)) });
    }
    let samples =
        in_split.into_iter().filter(|sample| sample.view.is_some_and(|view| views.contains(view))).cloned().collect();
    Ok(Selection { samples, views_assumed: 0, views_unknown })
}

fn select_split(samples: &[DatasetSample], split: SplitSelection) -> Result<Vec<&DatasetSample>, SelectionError> {
    let SplitSelection::Only(asked) = split else { return Ok(samples.iter().collect()) };
    if samples.iter().all(|sample| sample.split.is_none()) {
        return Err(SelectionError::NoSplits { asked });
    }
    let selected: Vec<_> = samples.iter().filter(|sample| sample.split == Some(asked)).collect();
    if selected.is_empty() {
        let present = Split::ALL.into_iter().filter(|&split| samples.iter().any(|sample| sample.split == Some(split)));
        return Err(SelectionError::SplitMissing { asked, present: listed(present.map(Split::name)) });
    }
    Ok(selected)
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() { "images of unknown view only".to_owned() } else { names.join(", ") }
}
