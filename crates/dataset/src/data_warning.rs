//! Warnings about the images of a training run, which starts nevertheless.

use std::collections::BTreeMap;

use super::repeated_views::RepeatedViews;
use super::split::SplitError;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// A model from fewer training images of a view rarely generalises to other data.
pub const FEW_IMAGES: usize = 1000;
/// A class with fewer training images is hardly learnt.
pub const FEW_OF_CLASS: usize = 10;

/// The most subjects listed in a message; the rest are counted.
const LISTED: usize = 5;

/// A one-line warning about the images of a training run, for all views that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataWarning {
    /// Images outside the class folders.
    #[error("left out, since no class folder (A, B, C, D) gives the label: {}", counted(*images, "image"))]
    Unlabelled { images: usize },
    #[error("left out, since neither folder nor file name gives the view: {}", counted(*images, "image"))]
    UnknownView { images: usize },
    /// Images of unknown view, which are assumed to be of the one requested.
    #[error("{} without a known view: assumed to be {view}, from --view", counted(*images, "image"))]
    AssumedView { images: usize, view: View },
    /// Files without an id, each of which is treated as a subject.
    #[error(
        "no subject id (<subject>_<exam>_<class>_<view>) in {}: each file counts as a subject of its own, so images of \
         one woman may be in different splits",
        counted(*images, "file name")
    )]
    NamesWithoutIds { images: usize },
    /// Images of one examination with different labels.
    #[error(
        "labels contradict each other in {}: {}; every image keeps its own",
        counted(examinations.len(), "examination"),
        listed(examinations.iter().map(|(subject, exam, labels)| {
            format!("{} of subject {} ({})", printable(&exam.0), printable(&subject.0), names(labels))
        }))
    )]
    ContradictingLabels { examinations: Vec<(SubjectId, ExamId, Vec<DensityClass>)> },
    /// Subjects whose examinations have different labels.
    #[error(
        "examinations of {} have different labels: {}; random splits use the densest",
        counted(subjects.len(), "subject"),
        listed(subjects.iter().map(|(subject, labels)| format!("{} ({})", printable(&subject.0), names(labels))))
    )]
    SeveralClasses { subjects: Vec<(SubjectId, Vec<DensityClass>)> },
    /// Subject ids that look the same.
    #[error("{}; write each id in one way (they are kept in one split)", alike.described("subject"))]
    LookAlikes { alike: LookAlikes },
    /// Ids that the table of splits and the data spell differently.
    #[error("--splits spells ids differently from the data ({alike}), so they do not match; write them in one way")]
    SpelledDifferently { alike: LookAlikes },
    /// Subjects in two splits, with permission.
    #[error("{}; allowed by --allow-duplicates", straddling(.0))]
    Straddling(SplitError),
    /// Several images of the same subject, examination and view.
    #[error("{repeated}; each counts as a separate image")]
    RepeatedViews { repeated: RepeatedViews },
    /// Subjects of the data that are missing from the table of splits.
    #[error("left out, since they are not in --splits: {} ({})", counted(subjects.len(), "subject"), ids(subjects))]
    NotInTable { subjects: Vec<SubjectId> },
    /// Subjects of the table of splits that have no image.
    #[error("--splits names {} that are not in the data: {}", counted(subjects.len(), "subject"), ids(subjects))]
    NotInData { subjects: Vec<SubjectId> },
    /// A split without images.
    #[error("no {split} images in {}{}", names(views), consequence(*split))]
    EmptySplit { split: Split, views: Vec<View> },
    /// A class that is missing from splits that have images.
    #[error("no image of class {class} in {} of {}", names(splits), names(views))]
    MissingClass { class: DensityClass, splits: Vec<Split>, views: Vec<View> },
    /// Few training images of a class, in the views listed with their counts.
    #[error("fewer than {FEW_OF_CLASS} training images of class {class}: {}", by_count(counts))]
    FewOfClass { class: DensityClass, counts: Vec<(View, usize)> },
    /// Few training images, in the views listed with their counts.
    #[error("fewer than 1,000 training images: {}; the model may not generalise to other data", by_count(counts))]
    FewImages { counts: Vec<(View, usize)> },
}

/// The first subject in two splits and the number of others.
fn straddling(error: &SplitError) -> String {
    match error {
        SplitError::Leakage { first, subjects: 1 } => first.to_string(),
        SplitError::Leakage { first, subjects } => format!("{first} and {} more", subjects - 1),
        other @ SplitError::OutsideFolders { .. } => other.to_string(),
    }
}

fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let shown = items.take(LISTED).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn ids(subjects: &[SubjectId]) -> String {
    listed(subjects.iter().map(|subject| printable(&subject.0)))
}

fn names<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn consequence(split: Split) -> &'static str {
    if split == Split::Validation { ": the best epoch cannot be determined" } else { "" }
}

/// Formats counts per view: `3 in CC_R, CC_L; 4 in MLO_R`.
fn by_count(counts: &[(View, usize)]) -> String {
    let mut views: BTreeMap<usize, Vec<View>> = BTreeMap::new();
    for &(view, count) in counts {
        views.entry(count).or_default().push(view);
    }
    let parts: Vec<_> = views.iter().map(|(count, views)| format!("{count} in {}", names(views))).collect();
    parts.join("; ")
}
