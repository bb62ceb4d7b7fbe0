//! The files of the training images, checked before every epoch: those that are lost are left out, those that come back are
//! used again, and a data folder that is away is one fact.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mammoscope_dataset::pixel_cache::{ImageRecord, verify_unchanged};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::text::printable::printable_path;

use crate::learning::training_observer::{ImageChanges, UnusableImage};

/// A training image and its record from the start of the run.
#[derive(Debug)]
pub(super) struct WatchedImage {
    pub(super) path: PathBuf,
    /// `None` for an image whose pixels are not at hand.
    pub(super) record: Option<ImageRecord>,
}

/// The training images of a run.
#[derive(Debug, Default)]
pub(super) struct WatchedImages {
    /// The folder of the data set.
    root: PathBuf,
    images: Vec<WatchedImage>,
    /// The white level of 16-bit images.
    grey_range: GreyRange,
    /// The images that are left out, by their indices.
    unusable: BTreeSet<usize>,
    /// True while none of the files is there.
    is_away: bool,
}

impl WatchedImages {
    pub(super) fn new(
        root: &Path,
        images: Vec<WatchedImage>,
        grey_range: GreyRange,
        unusable: &BTreeSet<usize>,
    ) -> Self {
        Self { root: root.to_owned(), images, grey_range, unusable: unusable.clone(), is_away: false }
    }

    /// What has changed since the last check.
    pub(super) fn check(&mut self) -> ImageChanges {
        let mut changes = ImageChanges::default();
        let was_away = std::mem::replace(&mut self.is_away, are_away(self.images.iter().map(|image| &image.path)));
        if self.is_away {
            if !was_away {
                changes.notice = Some(format!(
                    "the data in {} are not there: training continues with the pixels that were read",
                    printable_path(&self.root)
                ));
            }
            return changes;
        }
        if was_away {
            changes.notice = Some(format!("the data in {} are there again", printable_path(&self.root)));
        }
        for (image, watched) in self.images.iter().enumerate() {
            let Some(record) = &watched.record else { continue };
            match (verify_unchanged(record, &watched.path, self.grey_range), self.unusable.contains(&image)) {
                (Some(reason), false) => changes.unusable.push(UnusableImage { image, reason }),
                (None, true) => changes.restored.push(image),
                _ => {}
            }
        }
        self.unusable.extend(changes.unusable.iter().map(|unusable| unusable.image));
        self.unusable.retain(|image| !changes.restored.contains(image));
        changes
    }
}

/// True if there are files, and none of them can be reached: their folder is away, and not each of them lost.
pub(super) fn are_away<'p>(files: impl IntoIterator<Item = &'p PathBuf>) -> bool {
    let mut files = files.into_iter().peekable();
    files.peek().is_some() && files.all(|file| std::fs::metadata(file).is_err())
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::run::dataset_manifest::PixelFacts;

    use super::*;

    #[test]
    fn a_folder_that_is_away_is_one_fact_and_images_come_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("data");
        std::fs::create_dir(&root).expect("a folder");
        let watched = |name: &str| {
            let path = root.join(name);
            std::fs::write(&path, name).expect("a file");
            let facts = std::fs::metadata(&path).expect("its metadata");
            let pixels =
                PixelFacts { sha256: String::new(), width: 1, height: 1, grey_deviation: None, findings: None };
            let modified = facts.modified().expect("a modification time");
            let record = ImageRecord { slot: 0, facts: pixels, signature: None, file_len: facts.len(), modified };
            WatchedImage { path, record: Some(record) }
        };
        let images = ["a.png", "b.png"].map(watched).into();
        let mut watched = WatchedImages::new(&root, images, GreyRange::Auto, &BTreeSet::from([1]));
        let changes = watched.check();
        assert_eq!((changes.restored, changes.unusable, changes.notice), (vec![1], Vec::new(), None));
        let elsewhere = folder.path().join("elsewhere");
        std::fs::rename(&root, &elsewhere).expect("moved away");
        let notice = watched.check().notice.expect("it is said");
        assert!(notice.contains("are not there"), "{notice}");
        assert_eq!(watched.check(), ImageChanges::default(), "once");
        std::fs::rename(&elsewhere, &root).expect("moved back");
        let notice = watched.check().notice.expect("it is said");
        assert!(notice.contains("there again"), "{notice}");
        // A single file is lost, and comes back.
        std::fs::rename(root.join("a.png"), root.join("c.png")).expect("renamed");
        assert_eq!(watched.check().unusable.iter().map(|lost| lost.image).collect::<Vec<_>>(), [0]);
        assert_eq!(watched.check(), ImageChanges::default());
        std::fs::rename(root.join("c.png"), root.join("a.png")).expect("renamed back");
        assert_eq!(watched.check().restored, [0]);
    }
}
