//! An audit of subjects by file names alone: subjects in several splits and examinations with missing views.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::folder_listing::FolderContext;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SampleName;
use mammoscope_domain::subject::view::View;

/// The facts about an image that an audit needs, kept small because there are many images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedImage {
    subject: u64,
    examination: u64,
    view: Option<View>,
    split: Option<Split>,
}

impl AuditedImage {
    /// The facts from a file's name and folders; `None` for a name without ids.
    #[must_use]
    pub fn of(file: &str, context: FolderContext) -> Option<Self> {
        let name = sample_name(file)?;
        Some(Self {
            subject: subject_key(&name),
            examination: examination_key(&name),
            view: Some(context.view.unwrap_or(name.view)),
            split: context.split,
        })
    }
}

/// Parses a file name; `None` if it has no ids.
#[must_use]
pub fn sample_name(file: &str) -> Option<SampleName> {
    SampleName::parse(file.rsplit_once('.').map_or(file, |(stem, _)| stem))
}

fn subject_key(name: &SampleName) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.subject.hash(&mut hasher);
    hasher.finish()
}

fn examination_key(name: &SampleName) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&name.subject, &name.exam).hash(&mut hasher);
    hasher.finish()
}

/// Subjects in several splits, and examinations that lack views which others have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectAudit {
    /// The splits of each subject that is in several, one bit per split.
    splits: HashMap<u64, u8>,
    /// The views that an examination lacks, one bit per view.
    missing: HashMap<u64, u8>,
}

impl SubjectAudit {
    /// Audits all images of a data set.
    #[must_use]
    pub fn of<'a>(images: impl Iterator<Item = &'a AuditedImage>) -> Self {
        let mut audit = Self::default();
        let mut present = 0;
        for image in images {
            *audit.splits.entry(image.subject).or_default() |= image.split.map_or(0, |split| 1 << split as u8);
            let view = image.view.map_or(0, |view| 1 << view as u8);
            *audit.missing.entry(image.examination).or_default() |= view;
            present |= view;
        }
        audit.splits.retain(|_, splits| splits.count_ones() > 1);
        audit.missing.values_mut().for_each(|views| *views = present & !*views);
        audit.missing.retain(|_, missing| *missing != 0);
        audit.splits.shrink_to_fit();
        audit.missing.shrink_to_fit();
        audit
    }

    /// The other splits of an image's subject; normally none.
    #[must_use]
    pub fn other_splits(&self, name: &SampleName, split: Option<Split>) -> Vec<Split> {
        let splits = self.splits.get(&subject_key(name)).copied().unwrap_or(0);
        Split::ALL.into_iter().filter(|&other| splits >> other as u8 & 1 == 1 && Some(other) != split).collect()
    }

    /// The views that the examination of an image lacks.
    #[must_use]
    pub fn missing_views(&self, name: &SampleName) -> Vec<View> {
        let missing = self.missing.get(&examination_key(name)).copied().unwrap_or(0);
        View::ALL.into_iter().filter(|&view| missing >> view as u8 & 1 == 1).collect()
    }

    #[must_use]
    pub fn subjects_in_several_splits(&self) -> usize {
        self.splits.len()
    }

    #[must_use]
    pub fn incomplete_examinations(&self) -> usize {
        self.missing.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_in_two_splits_and_missing_views_are_found() {
        let image = |file: &str, split| {
            AuditedImage::of(file, FolderContext { split: Some(split), ..FolderContext::default() }).unwrap()
        };
        let images = [
            image("1_1_A_CC_R.png", Split::Train),
            image("1_1_A_MLO_R.png", Split::Train),
            image("1_2_A_CC_R.png", Split::Test),
            image("1_2_A_MLO_R.png", Split::Test),
            image("2_1_B_CC_R.png", Split::Train),
        ];
        let audit = SubjectAudit::of(images.iter());
        let name = |file| sample_name(file).unwrap();
        assert_eq!(audit.other_splits(&name("1_1_A_CC_R.png"), Some(Split::Train)), [Split::Test]);
        assert_eq!(audit.other_splits(&name("2_1_B_CC_R.png"), Some(Split::Train)), []);
        assert_eq!(audit.missing_views(&name("2_1_B_CC_R.png")), [View::MloR], "no image shows a left breast");
        assert_eq!(audit.missing_views(&name("1_1_A_CC_R.png")), []);
        assert_eq!((audit.subjects_in_several_splits(), audit.incomplete_examinations()), (1, 1));
        assert_eq!(AuditedImage::of("IMG_1.png", FolderContext::default()), None);
    }
}
