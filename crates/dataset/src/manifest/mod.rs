//! The images of training runs: one manifest per view, with warnings.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::data_checks::{
    warn_about_counts, warn_about_labels, warn_about_repeated_views, warn_about_spelling, warn_about_table,
};
use super::data_warning::DataWarning;
use super::folder_layout::FolderScan;
use super::natural_order::natural_order;
use super::sample::DatasetSample;
use super::selection::{Selection, SelectionError, select};
use super::split::{SplitError, SplitPlan, Splits, make_splits};
use super::unmatched_table::UnmatchedTable;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, MANIFEST_SCHEMA, ManifestSample, SplitSource};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
use mammoscope_domain::subject::selection::{SplitSelection, ViewSelection};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;

/// The manifests of the runs that are started together.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestSet {
    /// One per view, in the order of [`View::ALL`]; no image has been opened yet.
    pub manifests: Vec<DatasetManifest>,
    pub warnings: Vec<DataWarning>,
}

/// A one-line reason why a data set cannot be used for training.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{}: cannot be read: {error}", printable_path(root))]
    Root { root: PathBuf, error: io::Error },
    /// A requested view is missing.
    #[error(transparent)]
    View(#[from] SelectionError),
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A table of splits that names none of the data's subjects.
    #[error("--splits {0}")]
    Table(UnmatchedTable),
    #[error("none of the {images} images has a label; training needs class folders: <VIEW>/[split/]<A|B|C|D>/*.png")]
    NoLabels { images: usize },
    /// A requested view without labels.
    #[error("{view}: no image has a label; training needs class folders: <VIEW>/[split/]<A|B|C|D>/*.png")]
    NoLabelsInView { view: View },
    #[error(
        "neither folders nor file names give the view of the {images} labelled images; specify it, for example --view \
         CC_R"
    )]
    NoViews { images: usize },
    /// A view without training images, with the number of its labelled images.
    #[error("{view}: no training images; the splits assign none of its {images} labelled images to train")]
    NoTrainingImages { view: View, images: usize },
    /// A view whose training images all have the same class.
    #[error("{view}: all {images} training images are of class {class}; there is nothing to learn")]
    OneClass { view: View, class: DensityClass, images: usize },
}

/// Builds the manifests of the requested views; each view that is named must exist.
///
/// The splits are those of the whole data set, whatever views are requested. Samples are ordered by split, class and name
/// in natural order; files are relative to the root. Images without a label are left out, and so are subjects that a
/// [`SplitPlan::Table`] does not name. With `allow_duplicates` a subject may be in two splits.
pub fn build_manifests(
    scan: &FolderScan,
    views: &ViewSelection,
    plan: SplitPlan,
    allow_duplicates: bool,
) -> Result<ManifestSet, ManifestError> {
    let root = scan.root.canonicalize().map_err(|error| ManifestError::Root { root: scan.root.clone(), error })?;
    let labelled: Vec<_> = scan.samples.iter().filter(|sample| sample.label.is_some()).collect();
    if labelled.is_empty() {
        return Err(ManifestError::NoLabels { images: scan.samples.len() });
    }
    let splits = make_splits(&labelled, plan, allow_duplicates)?;
    if splits.source == SplitSource::File {
        let of_data = labelled.iter().map(|sample| &sample.subject).collect();
        if let Some(unmatched) = UnmatchedTable::of(&splits.of_subject.keys().collect(), &of_data) {
            return Err(ManifestError::Table(unmatched));
        }
    }
    let selection = select(scan, views, SplitSelection::All)?;

    let mut warnings = warn_about_selection(&selection);
    if scan.facts.names_without_ids > 0 && splits.source != SplitSource::AllAsTrain {
        warnings.push(DataWarning::NamesWithoutIds { images: scan.facts.names_without_ids });
    }
    warnings.extend(splits.straddling(&labelled).map(DataWarning::Straddling));
    warnings.extend(warn_about_labels(&labelled));
    warnings.extend(warn_about_spelling(&labelled));
    warnings.extend(warn_about_repeated_views(&labelled));
    if splits.source == SplitSource::File {
        let used: Vec<_> =
            labelled.iter().copied().filter(|sample| !splits.set_aside.contains(&sample.subject)).collect();
        warnings.extend(warn_about_table(&used, &splits.of_subject));
    }

    let mut manifests = Vec::new();
    for view in View::ALL {
        let of_view = || selection.samples.iter().filter(|sample| sample.view == Some(view) && sample.label.is_some());
        if of_view().next().is_some() {
            let samples = of_view().filter_map(|sample| manifest_sample(sample, &splits, &scan.root));
            let manifest = manifest(view, root.clone(), &splits, allow_duplicates, samples.collect());
            check_training_images(&manifest, of_view().count())?;
            manifests.push(manifest);
        } else if matches!(views, ViewSelection::Only(named) if named.contains(&view)) {
            return Err(ManifestError::NoLabelsInView { view });
        }
    }
    if manifests.is_empty() {
        return Err(ManifestError::NoViews { images: labelled.len() });
    }
    warnings.extend(warn_about_counts(&manifests));
    Ok(ManifestSet { manifests, warnings })
}

/// Sets the readers' classes of every image for which the label file has them, so that the network is trained on their
/// shares; returns the number of such training images.
pub fn use_reader_votes(manifests: &mut [DatasetManifest], scan: &FolderScan) -> usize {
    let below = |path: &Path| path.strip_prefix(&scan.root).unwrap_or(path).to_owned();
    let votes: HashMap<PathBuf, ReaderVotes> =
        scan.samples.iter().filter_map(|sample| Some((below(&sample.path), sample.votes?))).collect();
    let mut training = 0;
    for sample in manifests.iter_mut().flat_map(|manifest| &mut manifest.samples) {
        sample.votes = votes.get(&sample.file).copied();
        training += usize::from(sample.split == Split::Train && sample.votes.is_some());
    }
    training
}

fn warn_about_selection(selection: &Selection) -> Vec<DataWarning> {
    let mut warnings = Vec::new();
    let unlabelled = selection.samples.iter().filter(|sample| sample.label.is_none()).count();
    if unlabelled > 0 {
        warnings.push(DataWarning::Unlabelled { images: unlabelled });
    }
    let of_unknown_view =
        selection.samples.iter().filter(|sample| sample.view.is_none() && sample.label.is_some()).count()
            + selection.views_unknown;
    if of_unknown_view > 0 {
        warnings.push(DataWarning::UnknownView { images: of_unknown_view });
    }
    if let (1.., Some(view)) = (selection.views_assumed, selection.samples.first().and_then(|sample| sample.view)) {
        warnings.push(DataWarning::AssumedView { images: selection.views_assumed, view });
    }
    warnings
}

/// `None` for an image without a label or a subject without a split.
fn manifest_sample(sample: &DatasetSample, splits: &Splits, root: &Path) -> Option<ManifestSample> {
    Some(ManifestSample {
        file: sample.path.strip_prefix(root).unwrap_or(&sample.path).to_owned(),
        subject: sample.subject.clone(),
        exam: sample.exam.clone(),
        label: sample.label?,
        votes: None,
        split: splits.of(sample)?,
        pixels: None,
        unusable: None,
    })
}

fn manifest(
    view: View,
    root: PathBuf,
    splits: &Splits,
    allow_duplicates: bool,
    mut samples: Vec<ManifestSample>,
) -> DatasetManifest {
    samples.sort_by(|left, right| {
        let key = |sample: &ManifestSample| (sample.split, sample.label);
        key(left)
            .cmp(&key(right))
            .then_with(|| natural_order(&left.file.to_string_lossy(), &right.file.to_string_lossy()))
    });
    DatasetManifest {
        schema: MANIFEST_SCHEMA,
        root,
        view,
        split_source: splits.source,
        split_seed: splits.seed,
        split_file: splits.file.clone(),
        grey_range: GreyRange::Auto,
        allow_duplicates,
        samples,
    }
}

fn check_training_images(manifest: &DatasetManifest, labelled: usize) -> Result<(), ManifestError> {
    let view = manifest.view;
    let mut labels = manifest.of_split(Split::Train).map(|(_, sample)| sample.label);
    let Some(class) = labels.next() else {
        return Err(ManifestError::NoTrainingImages { view, images: labelled });
    };
    if labels.all(|label| label == class) {
        let images = manifest.of_split(Split::Train).count();
        return Err(ManifestError::OneClass { view, class, images });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
