//! Which subject belongs to which split.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::sample::DatasetSample;
use super::split_draw::draw;
use super::split_table::SplitTable;
use crate::domain::dataset_manifest::SplitSource;
use crate::domain::density::DensityClass;
use crate::domain::printable::{printable, printable_path};
use crate::domain::split::Split;
use crate::domain::subject::SubjectId;

/// How the splits are to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitPlan {
    /// By the tree's own split folders where it has some, else drawn: 80 : 10 : 10 by subject, stratified by class.
    FoldersOrDrawn {
        /// What a draw depends on besides the subjects' ids and classes.
        seed: u64,
    },
    /// By a table, whatever the folders say; subjects that it does not name are left out.
    Table(SplitTable),
    /// Every image is for training, whatever the folders say, and the same images are for validation.
    AllAsTrain,
}

/// Why there are no splits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Some images lie in split folders and some do not.
    #[error(
        "{}: lies in no split folder (train, validation, test), though others of these images do{}; move it into one, or \
         name all splits with --splits FILE",
        printable_path(file),
        and_more(*.images, "image")
    )]
    OutsideFolders {
        /// The first such image.
        file: PathBuf,
        /// How many such images there are.
        images: usize,
    },
    /// Subjects that lie in the folders of two splits.
    #[error("{first}{}; move all images of a subject into one split", and_more(*.subjects, "subject"))]
    Leakage {
        /// The first such subject.
        first: StraddlingSubject,
        /// How many such subjects there are.
        subjects: usize,
    },
}

/// A subject that lies in the folders of two splits: what is learnt from one image would be tested on the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subject {} is in two splits: {} ({}) and {} ({})",
    printable(&subject.0), places[0].0, printable_path(&places[0].1), places[1].0, printable_path(&places[1].1)
)]
pub struct StraddlingSubject {
    /// Who.
    pub subject: SubjectId,
    /// An image in either split.
    pub places: [(Split, PathBuf); 2],
}

fn and_more(count: usize, of: &str) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        1 => format!(" (and 1 more {of})"),
        more => format!(" (and {more} more {of}s)"),
    }
}

/// The split of every subject that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splits {
    pub(super) source: SplitSource,
    /// 0 where nothing was drawn.
    pub(super) seed: u64,
    pub(super) of_subject: BTreeMap<SubjectId, Split>,
}

/// Makes the splits of labelled samples: those of all views, so that a subject is in the same split in each of them.
pub(super) fn make_splits(samples: &[&DatasetSample], plan: SplitPlan) -> Result<Splits, SplitError> {
    let (source, seed, of_subject) = match plan {
        SplitPlan::FoldersOrDrawn { .. } if samples.iter().any(|sample| sample.split.is_some()) => {
            (SplitSource::Folders, 0, by_folders(samples)?)
        }
        SplitPlan::FoldersOrDrawn { seed } => (SplitSource::Seeded, seed, draw(&classes(samples), seed)),
        SplitPlan::Table(table) => (SplitSource::File, 0, table.into_splits()),
        SplitPlan::AllAsTrain => {
            let all = samples.iter().map(|sample| (sample.subject.clone(), Split::Train));
            (SplitSource::AllAsTrain, 0, all.collect())
        }
    };
    Ok(Splits { source, seed, of_subject })
}

/// The densest class of each subject: a breast gets less dense over the years, and what is rare should be dealt evenly.
fn classes(samples: &[&DatasetSample]) -> BTreeMap<SubjectId, DensityClass> {
    let mut classes = BTreeMap::new();
    for sample in samples {
        if let Some(label) = sample.label {
            let densest = classes.entry(sample.subject.clone()).or_insert(label);
            *densest = label.max(*densest);
        }
    }
    classes
}

fn by_folders(samples: &[&DatasetSample]) -> Result<BTreeMap<SubjectId, Split>, SplitError> {
    let mut outside = samples.iter().filter(|sample| sample.split.is_none());
    if let Some(first) = outside.next() {
        return Err(SplitError::OutsideFolders { file: first.path.clone(), images: 1 + outside.count() });
    }
    let mut first_places = BTreeMap::new();
    let mut straddling = BTreeMap::new();
    for sample in samples {
        let Some(split) = sample.split else { continue };
        let (first, path) = *first_places.entry(&sample.subject).or_insert((split, &sample.path));
        if first != split {
            straddling.entry(&sample.subject).or_insert_with(|| StraddlingSubject {
                subject: sample.subject.clone(),
                places: [(first, path.clone()), (split, sample.path.clone())],
            });
        }
    }
    let subjects = straddling.len();
    match straddling.into_values().next() {
        Some(first) => Err(SplitError::Leakage { first, subjects }),
        None => Ok(first_places.into_iter().map(|(subject, (split, _))| (subject.clone(), split)).collect()),
    }
}
