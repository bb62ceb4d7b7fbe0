//! Files in a data set that are not data: leftovers of file servers, macOS and editors, and masks of lesions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::folder_tree::FileKind;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The most masks listed in a message; the rest are counted.
const LISTED: usize = 3;
/// Suffixes of the ground-truth masks that come with phantoms.
const GROUND_TRUTH: [&str; 3] = ["_breast", "_dense", "_pectoral"];

/// The reason why a file or folder is not data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotData {
    /// Files of other programs: thumbnails, trash, backups.
    Clutter,
    /// A mask of a lesion or another region.
    Mask,
}

impl NotData {
    /// Recognises folders without data by name; `None` for a folder that may contain images.
    pub(super) fn of_folder(name: &str) -> Option<Self> {
        const CLUTTER: [&str; 17] = [
            "@eadir",
            "@tmp",
            "@recycle",
            "#recycle",
            "#snapshot",
            "__macosx",
            "$recycle.bin",
            "system volume information",
            "lost+found",
            "recycler",
            "recycled",
            "found.000",
            "thumbs",
            "thumbnails",
            "thumbnail",
            "thumb",
            "icon",
        ];
        let lower = name.to_lowercase();
        if CLUTTER.contains(&lower.as_str()) || words(&lower).any(|word| matches!(word, "backup" | "backups" | "bak")) {
            return Some(Self::Clutter);
        }
        let is_mask = |word| matches!(word, "mask" | "masks" | "roi" | "rois" | "segmentation" | "segmentations");
        words(&lower).any(is_mask).then_some(Self::Mask)
    }

    /// Recognises files that are not data by name, whatever their extension; `None` for a file that may be an image.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        const CLUTTER: [&str; 4] = [".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db"];
        let lower = name.to_lowercase();
        let stem = lower.rsplit_once('.').map_or(lower.as_str(), |(stem, _)| stem);
        let is_left_over = [".bak", ".orig", ".tmp", ".part", ".swp", "~"].iter().any(|ending| lower.ends_with(ending));
        let is_thumbnail =
            stem.starts_with("synophoto_") || words(stem).any(|word| matches!(word, "thumb" | "thumbnail"));
        if lower.starts_with("._")
            || lower.starts_with("~$")
            || CLUTTER.contains(&lower.as_str())
            || is_left_over
            || is_thumbnail
        {
            return Some(Self::Clutter);
        }
        words(stem).any(|word| matches!(word, "mask" | "roi")).then_some(Self::Mask)
    }
}

/// The words of a name, separated by blanks and punctuation.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Files of a data set that were ignored because they are not data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredFiles {
    /// Number of files of other programs, by folder or kind: `in @eaDir`, `thumbnails`.
    clutter: BTreeMap<String, usize>,
    /// Number of masks.
    masks: usize,
    /// The first few masks.
    first_masks: Vec<PathBuf>,
}

impl IgnoredFiles {
    /// Counts the images in a folder without data. The ground truth of phantoms does not count.
    pub(super) fn add_folder(&mut self, path: &Path, name: &str, kind: NotData) {
        let files = WalkDir::new(path).max_depth(4).into_iter().flatten().filter(|entry| entry.file_type().is_file());
        let images = files.filter(|entry| FileKind::of(entry.path()) == FileKind::Image);
        for entry in images {
            match kind {
                NotData::Clutter => *self.clutter.entry(format!("in {}", printable(name))).or_default() += 1,
                NotData::Mask if is_ground_truth(entry.path()) => {}
                NotData::Mask => self.add_mask(entry.path()),
            }
        }
    }

    pub(super) fn add_file(&mut self, path: &Path, kind: NotData) {
        match kind {
            NotData::Mask => self.add_mask(path),
            NotData::Clutter => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let kind = if name.starts_with("._") {
                    "named ._*"
                } else if FileKind::of(path) == FileKind::Image {
                    "thumbnails"
                } else {
                    "left by programs"
                };
                *self.clutter.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }

    fn add_mask(&mut self, path: &Path) {
        self.masks += 1;
        if self.first_masks.len() < LISTED {
            self.first_masks.push(path.to_owned());
        }
    }

    /// Notes for the user, one line each; files are relative to `root`.
    #[must_use]
    pub fn notes(&self, root: &Path) -> Vec<String> {
        self.notes_by_kind(root).into_iter().flatten().collect()
    }

    /// The notes on files of other programs and on masks.
    pub(super) fn notes_by_kind(&self, root: &Path) -> [Option<String>; 2] {
        let clutter = (!self.clutter.is_empty()).then(|| {
            let counts: Vec<_> = self.clutter.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let all: usize = self.clutter.values().sum();
            format!("{} ignored as not part of the data: {}", counted(all, "file"), counts.join(", "))
        });
        let masks = (self.masks > 0).then(|| {
            let below = |path: &PathBuf| printable_path(path.strip_prefix(root).unwrap_or(path));
            let listed: Vec<_> = self.first_masks.iter().map(below).collect();
            let more = if self.masks > listed.len() { ", …" } else { "" };
            let masks = counted(self.masks, "mask");
            format!("{masks} of lesions or regions left out by name: {}{more}", listed.join(", "))
        });
        [clutter, masks]
    }

    /// The first few masks.
    pub(super) fn first_masks(&self) -> &[PathBuf] {
        &self.first_masks
    }
}

fn is_ground_truth(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    GROUND_TRUTH.iter().any(|ending| stem.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clutter_and_masks_are_recognised_by_name() {
        for name in
            ["@eaDir", "#recycle", "__MACOSX", "$RECYCLE.BIN", "Thumbnails", "backup_2024", "old.bak", "lost+found"]
        {
            assert_eq!(NotData::of_folder(name), Some(NotData::Clutter), "{name}");
        }
        for name in ["mask", "MASKS", "ROI mask images", "roi 1", "lesion-masks", "Segmentation"] {
            assert_eq!(NotData::of_folder(name), Some(NotData::Mask), "{name}");
        }
        for name in ["CC_R", "A", "train", "clinic 7", "heroic", "unmasked", "bakery", "2024"] {
            assert_eq!(NotData::of_folder(name), None, "{name}");
        }
        for name in [
            "._1_1_A_CC_R.png",
            "Thumbs.db",
            ".DS_Store",
            "x.png~",
            "x.png.bak",
            "SYNOPHOTO_THUMB_XL.jpg",
            "a_thumb.jpg",
        ] {
            assert_eq!(NotData::of_file(name), Some(NotData::Clutter), "{name}");
        }
        for name in ["3_1_C_CC_R_mask.png", "mask.png", "1-2 ROI.tif", "x_MASK_2.png"] {
            assert_eq!(NotData::of_file(name), Some(NotData::Mask), "{name}");
        }
        for name in ["1_1_A_CC_R.png", "euroi_1_A_CC_R.png", "damask.png", "thumbelina.png"] {
            assert_eq!(NotData::of_file(name), None, "{name}");
        }
    }

    #[test]
    fn ignored_files_are_counted_by_kind() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let mut ignored = IgnoredFiles::default();
        assert!(ignored.notes(folder.path()).is_empty());
        make("@eaDir/1.png/SYNOPHOTO_THUMB_XL.jpg");
        make("@eaDir/2.png/SYNOPHOTO_THUMB_XL.jpg");
        ignored.add_folder(&folder.path().join("@eaDir"), "@eaDir", NotData::Clutter);
        ignored.add_file(&make("._1.png"), NotData::Clutter);
        for number in 0..4 {
            make(&format!("masks/{number}_dense.png"));
            make(&format!("masks/{number}.png"));
        }
        ignored.add_folder(&folder.path().join("masks"), "masks", NotData::Mask);
        let notes = ignored.notes(folder.path());
        assert_eq!(notes[0], "3 files ignored as not part of the data: 2 in @eaDir, 1 named ._*");
        assert!(notes[1].starts_with("4 masks of lesions or regions left out by name: masks/"), "{}", notes[1]);
        assert!(notes[1].ends_with(", …"));
    }
}
