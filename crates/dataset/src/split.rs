//! Which subject belongs to which split.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::random_split::draw;
use super::sample::DatasetSample;
use super::split_table::SplitTable;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject::SubjectId;
use mammoscope_domain::text::printable::{printable, printable_path};

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
    /// Subjects that are in two splits.
    #[error(
        "{first}{}; move all images of a subject into one split, or say --allow-duplicates", and_more(*.subjects, "subject")
    )]
    Leakage {
        /// The first such subject.
        first: StraddlingSubject,
        /// How many such subjects there are.
        subjects: usize,
    },
}

/// A subject that is in two splits: what is learnt from one image would be tested on the other. Its id may be spelled
/// in two ways ([`IdKey`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subject {}{} is in two splits: {} ({}) and {} ({})",
    printable(&places[0].subject.0), other_spelling(places),
    places[0].split, printable_path(&places[0].file), places[1].split, printable_path(&places[1].file)
)]
pub struct StraddlingSubject {
    /// An image in either split.
    pub places: [SplitPlace; 2],
}

/// An image and its split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPlace {
    /// Whose, as the id is spelled there.
    pub subject: SubjectId,
    /// The split.
    pub split: Split,
    /// The image.
    pub file: PathBuf,
}

fn other_spelling(places: &[SplitPlace; 2]) -> String {
    let [one, other] = places;
    if one.subject == other.subject { String::new() } else { format!(" (also {})", printable(&other.subject.0)) }
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
    /// Empty where folders say it.
    pub(super) of_subject: BTreeMap<SubjectId, Split>,
}

/// Makes the splits of labelled samples: those of all views, so that a subject is in the same split in each of them.
/// Subjects in two splits, by whatever spelling, are an error unless `straddling_is_meant`.
pub(super) fn make_splits(
    samples: &[&DatasetSample],
    plan: SplitPlan,
    straddling_is_meant: bool,
) -> Result<Splits, SplitError> {
    let (source, seed, of_subject) = match plan {
        SplitPlan::FoldersOrDrawn { .. } if samples.iter().any(|sample| sample.split.is_some()) => {
            check_folders(samples)?;
            (SplitSource::Folders, 0, BTreeMap::new())
        }
        SplitPlan::FoldersOrDrawn { seed } => (SplitSource::Seeded, seed, draw(&classes(samples), seed)),
        SplitPlan::Table(table) => (SplitSource::File, 0, table.into_splits()),
        SplitPlan::AllAsTrain => {
            let all = samples.iter().map(|sample| (sample.subject.clone(), Split::Train));
            (SplitSource::AllAsTrain, 0, all.collect())
        }
    };
    let splits = Splits { source, seed, of_subject };
    match splits.straddling(samples) {
        Some(error) if !straddling_is_meant => Err(error),
        _ => Ok(splits),
    }
}

impl Splits {
    /// The split of an image; `None` where its subject takes no part.
    pub(super) fn of(&self, sample: &DatasetSample) -> Option<Split> {
        match self.source {
            SplitSource::Folders => sample.split,
            _ => self.of_subject.get(&sample.subject).copied(),
        }
    }

    /// The error that subjects in two splits are; `None` where there are none. Ids that look the same are one subject's.
    pub(super) fn straddling(&self, samples: &[&DatasetSample]) -> Option<SplitError> {
        let mut first_places: BTreeMap<IdKey, SplitPlace> = BTreeMap::new();
        let mut straddling = BTreeMap::new();
        for sample in samples {
            let Some(split) = self.of(sample) else { continue };
            let key = IdKey::of(&sample.subject.0);
            let place = SplitPlace { subject: sample.subject.clone(), split, file: sample.path.clone() };
            let first = first_places.entry(key.clone()).or_insert_with(|| place.clone());
            if first.split != split {
                straddling.entry(key).or_insert_with(|| StraddlingSubject { places: [first.clone(), place] });
            }
        }
        let subjects = straddling.len();
        straddling.into_values().next().map(|first| SplitError::Leakage { first, subjects })
    }
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

fn check_folders(samples: &[&DatasetSample]) -> Result<(), SplitError> {
    let mut outside = samples.iter().filter(|sample| sample.split.is_none());
    match outside.next() {
        Some(first) => Err(SplitError::OutsideFolders { file: first.path.clone(), images: 1 + outside.count() }),
        None => Ok(()),
    }
}
