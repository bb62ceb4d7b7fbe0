//! The splits of a data set by subject.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::random_split::draw;
use super::sample::DatasetSample;
use super::split_table::SplitTable;
use mammoscope_domain::run::dataset_manifest::{SplitFile, SplitSource};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The source of the splits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SplitPlan {
    /// The split folders if there are any, otherwise a random draw: 80 : 10 : 10 by subject, stratified by class.
    FoldersOrDrawn { seed: u64 },
    /// A table, which overrides the folders; subjects that it does not name are left out.
    Table(SplitTable),
    /// All images for training and the same images for validation, whatever the folders.
    AllAsTrain,
}

/// An error of the splits in a data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Some images are in split folders and some are not: the first of the latter and their number.
    #[error(
        "{}: is not in a split folder (train, validation, test), although other images are{}; move it into one, or define \
         all splits with --splits FILE",
        printable_path(file),
        and_more(*.images, "image")
    )]
    OutsideFolders { file: PathBuf, images: usize },
    /// Subjects in two splits: the first one and their number.
    #[error(
        "{first}{}; move all images of a subject into one split, or use --allow-duplicates", and_more(*.subjects, "subject")
    )]
    Leakage { first: StraddlingSubject, subjects: usize },
}

/// A subject in two splits, which would leak from training into testing. Its id may be spelled in two ways ([`IdKey`]).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subject {}{} is in two splits: {} ({}) and {} ({})",
    printable(&places[0].subject.0), other_spelling(places),
    places[0].split, printable_path(&places[0].file), places[1].split, printable_path(&places[1].file)
)]
pub struct StraddlingSubject {
    /// One image in each of the two splits.
    pub places: [SplitPlace; 2],
}

/// An image and its split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPlace {
    /// The subject's id as spelled for this image.
    pub subject: SubjectId,
    pub split: Split,
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

/// The split of every subject that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splits {
    pub(super) source: SplitSource,
    /// 0 if nothing was drawn.
    pub(super) seed: u64,
    /// The table of splits, if there is one.
    pub(super) file: Option<SplitFile>,
    /// The subjects that the table keeps for a final test.
    pub(super) set_aside: BTreeSet<SubjectId>,
    /// Empty if the split folders decide.
    pub(super) of_subject: BTreeMap<SubjectId, Split>,
}

/// Determines the splits of labelled samples. The samples of all views are given together, so that a subject is in the
/// same split in all of them. Subjects in two splits, in any spelling, are an error unless `allow_straddling`.
pub(super) fn make_splits(
    samples: &[&DatasetSample],
    plan: SplitPlan,
    allow_straddling: bool,
) -> Result<Splits, SplitError> {
    let (mut file, mut set_aside) = (None, BTreeSet::new());
    let (source, seed, of_subject) = match plan {
        SplitPlan::FoldersOrDrawn { .. } if samples.iter().any(|sample| sample.split.is_some()) => {
            check_folders(samples)?;
            (SplitSource::Folders, 0, BTreeMap::new())
        }
        SplitPlan::FoldersOrDrawn { seed } => (SplitSource::Seeded, seed, draw(&densest_classes(samples), seed)),
        SplitPlan::Table(table) => {
            file = Some(table.file().clone());
            set_aside.clone_from(table.set_aside());
            (SplitSource::File, 0, table.into_splits())
        }
        SplitPlan::AllAsTrain => {
            let all = samples.iter().map(|sample| (sample.subject.clone(), Split::Train));
            (SplitSource::AllAsTrain, 0, all.collect())
        }
    };
    let splits = Splits { source, seed, file, set_aside, of_subject };
    match splits.straddling(samples) {
        Some(error) if !allow_straddling => Err(error),
        _ => Ok(splits),
    }
}

impl Splits {
    /// The split of an image; `None` if its subject is not used.
    pub(super) fn of(&self, sample: &DatasetSample) -> Option<Split> {
        match self.source {
            SplitSource::Folders => sample.split,
            _ => self.of_subject.get(&sample.subject).copied(),
        }
    }

    /// [`SplitError::Leakage`] if there are subjects in two splits. Ids that look the same belong to one subject.
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

/// The densest class of each subject: breasts become less dense over the years, and the rarer class should be distributed
/// evenly.
#[must_use]
pub fn densest_classes(samples: &[&DatasetSample]) -> BTreeMap<SubjectId, DensityClass> {
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
