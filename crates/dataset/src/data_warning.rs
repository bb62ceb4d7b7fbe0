//! What is doubtful about the images of a training; it goes on all the same.

use std::collections::BTreeMap;

use super::repeated_views::RepeatedViews;
use super::split::SplitError;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable;

/// Below so many training images a view, what is learnt seldom holds for other data.
pub const FEW_IMAGES: usize = 1000;
/// Below so many training images a class is hardly learnt.
pub const FEW_OF_CLASS: usize = 10;

/// How many subjects are named; the rest are counted.
const LISTED: usize = 5;

/// Something about the images of a training that its user should know; one line, for all views that it concerns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataWarning {
    /// Images in no class folder.
    #[error("left out, since no class folder (A, B, C, D) tells the label: {}", counted(*images, "image"))]
    Unlabelled {
        /// How many.
        images: usize,
    },
    /// Images whose view neither folder nor name tells.
    #[error("left out, since neither folder nor name tells the view: {}", counted(*images, "image"))]
    UnknownView {
        /// How many.
        images: usize,
    },
    /// Nothing tells the view, so it is the one that was asked for.
    #[error("neither folder nor name tells the view of {}: taken to be {view}, as --view says", counted(*images, "image"))]
    AssumedView {
        /// How many.
        images: usize,
        /// The view that was asked for.
        view: View,
    },
    /// Files that are subjects of their own for want of an id.
    #[error(
        "no subject id (<subject>_<exam>_<class>_<view>) in {}: each file counts as a subject of its own, so images of \
         one woman may stand in different splits",
        counted(*images, "file name")
    )]
    NamesWithoutIds {
        /// How many.
        images: usize,
    },
    /// Images of one examination with different labels.
    #[error(
        "labels contradict each other in {}: {}; every image keeps its own",
        counted(examinations.len(), "examination"),
        listed(examinations.iter().map(|(subject, exam, labels)| {
            format!("{} of subject {} ({})", printable(&exam.0), printable(&subject.0), names(labels))
        }))
    )]
    ContradictingLabels {
        /// Which, with their labels.
        examinations: Vec<(SubjectId, ExamId, Vec<DensityClass>)>,
    },
    /// Subjects whose examinations have different labels.
    #[error(
        "examinations of {} have different labels: {}; the densest counts where splits are drawn",
        counted(subjects.len(), "subject"),
        listed(subjects.iter().map(|(subject, labels)| format!("{} ({})", printable(&subject.0), names(labels))))
    )]
    SeveralClasses {
        /// Which, with their labels.
        subjects: Vec<(SubjectId, Vec<DensityClass>)>,
    },
    /// Subject ids that look the same.
    #[error("{}; write each id in one way (they are kept in one split)", alike.taken_apart("subject"))]
    LookAlikes {
        /// Which.
        alike: LookAlikes,
    },
    /// Ids that the table of splits spells otherwise than the data.
    #[error("--splits spells ids otherwise than the data ({alike}), which are not matched; write them in one way")]
    SpelledOtherwise {
        /// Which.
        alike: LookAlikes,
    },
    /// Subjects in two splits, which was allowed.
    #[error("{}; allowed, as --allow-duplicates says", straddling(.0))]
    Straddling(SplitError),
    /// Images that are a second one of their subject, examination and view.
    #[error("{repeated}; each counts as an image of its own")]
    RepeatedViews {
        /// Which.
        repeated: RepeatedViews,
    },
    /// Subjects that the table of splits does not name.
    #[error("left out, since --splits does not name them: {} ({})", counted(subjects.len(), "subject"), ids(subjects))]
    NotInTable {
        /// Which.
        subjects: Vec<SubjectId>,
    },
    /// Subjects of the table of splits that have no image.
    #[error("--splits names {} that the data does not have: {}", counted(subjects.len(), "subject"), ids(subjects))]
    NotInData {
        /// Which.
        subjects: Vec<SubjectId>,
    },
    /// A split without images.
    #[error("no {split} images in {}{}", names(views), consequence(*split))]
    EmptySplit {
        /// Which.
        split: Split,
        /// Where.
        views: Vec<View>,
    },
    /// A class that splits lack.
    #[error("no image of class {class} in {} of {}", names(splits), names(views))]
    MissingClass {
        /// Which.
        class: DensityClass,
        /// The splits that lack it though they have images.
        splits: Vec<Split>,
        /// Where.
        views: Vec<View>,
    },
    /// Few training images of a class.
    #[error("fewer than {FEW_OF_CLASS} training images of class {class}: {}", by_count(counts))]
    FewOfClass {
        /// Which.
        class: DensityClass,
        /// How many there are, where they are few.
        counts: Vec<(View, usize)>,
    },
    /// Few training images.
    #[error("fewer than 1,000 training images: {}; what is learnt may not hold for other data", by_count(counts))]
    FewImages {
        /// How many there are, where they are few.
        counts: Vec<(View, usize)>,
    },
}

/// The first subject in two splits, and how many there are.
fn straddling(error: &SplitError) -> String {
    match error {
        SplitError::Leakage { first, subjects: 1 } => first.to_string(),
        SplitError::Leakage { first, subjects } => format!("{first} and {} more", subjects - 1),
        other @ SplitError::OutsideFolders { .. } => other.to_string(),
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
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
    if split == Split::Validation { ": the best epoch cannot be told" } else { "" }
}

/// `3 in CC_R, CC_L; 4 in MLO_R`.
fn by_count(counts: &[(View, usize)]) -> String {
    let mut views: BTreeMap<usize, Vec<View>> = BTreeMap::new();
    for &(view, count) in counts {
        views.entry(count).or_default().push(view);
    }
    let parts: Vec<_> = views.iter().map(|(count, views)| format!("{count} in {}", names(views))).collect();
    parts.join("; ")
}
