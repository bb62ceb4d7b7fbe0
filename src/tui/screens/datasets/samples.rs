//! The images in the selected folder and its subfolders that match the filter.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::flags::{Flag, flags_of};
use super::order::SampleOrder;
use super::tree::FolderTree;
use crate::tui::protocol::failure::Failure;
use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_dataset::subject_audit::SubjectAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;

/// The largest number of cached headers; when it is exceeded, the cache is cleared.
pub(super) const MAX_HEADERS: usize = 2000;

/// An image as its folder and its index there; small, since there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleRow {
    folder: u32,
    index: u32,
}

/// The kind of images that are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Shown {
    #[default]
    All,
    /// Images with flags.
    Flagged,
    /// Images that the user has marked.
    Marked,
}

impl Shown {
    /// The next kind, cyclically.
    pub(super) fn next(self) -> Self {
        match self {
            Self::All => Self::Flagged,
            Self::Flagged => Self::Marked,
            Self::Marked => Self::All,
        }
    }
}

/// An image header that was requested.
#[derive(Clone, Copy, Debug)]
pub(super) enum KnownHeader {
    Read(ImageHeader),
    Unreadable,
}

/// The listed images, and facts about images beyond their names.
#[derive(Debug, Default)]
pub(super) struct Samples {
    rows: Vec<SampleRow>,
    pub(super) audit: SubjectAudit,
    /// True once the subjects of the whole data set were compared.
    pub(super) audited: bool,
    marks: HashSet<PathBuf>,
    headers: HashMap<PathBuf, KnownHeader>,
    /// Images whose headers were requested and have not come yet.
    requested: HashSet<PathBuf>,
    /// Files that cannot be read or decoded, with the reasons.
    unreadable: HashMap<PathBuf, String>,
    /// Doubts about the images that were checked.
    doubtful: HashMap<PathBuf, Vec<ImageDoubt>>,
    /// For each duplicate, one of the files with the same content.
    duplicates: HashMap<PathBuf, PathBuf>,
    /// True while duplicates are being searched.
    pub(super) is_comparing: bool,
}

impl Samples {
    /// Lists the images in a folder and its subfolders.
    pub(super) fn list(&mut self, tree: &FolderTree, folder: usize, shown: Shown, filter: &str, order: SampleOrder) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        let wanted = filter.trim().to_lowercase();
        for at in tree.within(folder) {
            for index in 0..tree.folder(at).images.len() {
                let row = SampleRow { folder: at as u32, index: index as u32 };
                let by_name = wanted.is_empty() || Self::name(tree, row).to_lowercase().contains(&wanted);
                let by_kind = match shown {
                    Shown::All => true,
                    Shown::Flagged => by_name && !self.flags(tree, row).is_empty(),
                    Shown::Marked => !self.marks.is_empty() && self.marks.contains(&Self::path(tree, row)),
                };
                if by_name && by_kind {
                    rows.push(row);
                }
            }
        }
        order.sort(&mut rows, self, tree);
        self.rows = rows;
    }

    /// Marks the listed images from one index to another.
    pub(super) fn mark_range(&mut self, tree: &FolderTree, range: RangeInclusive<usize>) {
        let paths: Vec<PathBuf> = range.filter_map(|at| Some(Self::path(tree, self.row(at)?))).collect();
        self.marks.extend(paths);
    }

    /// The number of listed images.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The listed image at an index.
    pub(super) fn row(&self, at: usize) -> Option<SampleRow> {
        self.rows.get(at).copied()
    }

    /// The index of an image in the list.
    pub(super) fn position(&self, tree: &FolderTree, path: &Path) -> Option<usize> {
        let folder = tree.position(path.parent()?)? as u32;
        let name = path.file_name()?.to_str()?;
        self.rows.iter().position(|row| row.folder == folder && Self::name(tree, *row) == name)
    }

    /// The index of an image's folder.
    pub(super) fn folder(row: SampleRow) -> usize {
        row.folder as usize
    }

    /// The file name of an image; empty if it is gone.
    pub(super) fn name(tree: &FolderTree, row: SampleRow) -> &str {
        tree.folder(Self::folder(row)).images.get(row.index as usize).map_or("", |name| name)
    }

    pub(super) fn path(tree: &FolderTree, row: SampleRow) -> PathBuf {
        tree.folder(Self::folder(row)).path.join(Self::name(tree, row))
    }

    pub(super) fn flags(&self, tree: &FolderTree, row: SampleRow) -> Vec<Flag> {
        let folder = tree.folder(Self::folder(row));
        let mut flags = flags_of(Self::name(tree, row), folder.context, &self.audit);
        if !self.unreadable.is_empty()
            && let Some(problem) = self.unreadable.get(&Self::path(tree, row))
        {
            flags.insert(0, Flag::Unreadable(problem.clone()));
        }
        if !self.doubtful.is_empty()
            && let Some(doubts) = self.doubtful.get(&Self::path(tree, row))
        {
            flags.extend(doubts.iter().copied().map(Flag::Doubtful));
        }
        if !self.duplicates.is_empty()
            && let Some(other) = self.duplicates.get(&Self::path(tree, row))
        {
            let other = other.strip_prefix(&tree.folder(0).path).unwrap_or(other);
            flags.push(Flag::SameAs(other.to_owned()));
        }
        flags
    }

    pub(super) fn is_marked(&self, path: &Path) -> bool {
        self.marks.contains(path)
    }

    /// The number of marked images.
    pub(super) fn marked(&self) -> usize {
        self.marks.len()
    }

    /// Marks an image, or unmarks it.
    pub(super) fn toggle_mark(&mut self, path: PathBuf) {
        if !self.marks.remove(&path) {
            self.marks.insert(path);
        }
    }

    /// Marks all listed images, or unmarks them if all are marked.
    pub(super) fn toggle_all_marks(&mut self, tree: &FolderTree) {
        let listed: Vec<PathBuf> = self.rows.iter().map(|row| Self::path(tree, *row)).collect();
        if listed.iter().all(|path| self.marks.contains(path)) {
            for path in &listed {
                self.marks.remove(path);
            }
        } else {
            self.marks.extend(listed);
        }
    }

    /// The header of an image, once it has come.
    pub(super) fn header(&self, path: &Path) -> Option<KnownHeader> {
        self.headers.get(path).copied()
    }

    /// Selects the images whose headers have not been requested, and counts them as requested.
    pub(super) fn mark_requested(&mut self, paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
        let new: Vec<PathBuf> =
            paths.filter(|path| !self.headers.contains_key(path) && !self.requested.contains(path)).collect();
        self.requested.extend(new.iter().cloned());
        new
    }

    /// Takes headers; those of the `skipped` images may be requested again. Returns `true` if an image is newly known
    /// to be unreadable.
    pub(super) fn on_headers(
        &mut self,
        read: Vec<(PathBuf, Result<ImageHeader, Failure>)>,
        skipped: &[PathBuf],
    ) -> bool {
        let mut is_new = false;
        for path in skipped {
            self.requested.remove(path);
        }
        if self.headers.len() + read.len() > MAX_HEADERS {
            self.headers.clear();
        }
        for (path, header) in read {
            self.requested.remove(&path);
            let known = match header {
                Ok(header) => KnownHeader::Read(header),
                Err(problem) => {
                    is_new |= self.on_problem(path.clone(), problem.text());
                    KnownHeader::Unreadable
                }
            };
            self.headers.insert(path, known);
        }
        is_new
    }

    /// Records that an image cannot be read or decoded; returns `true` if that is new.
    pub(super) fn on_problem(&mut self, path: PathBuf, problem: &str) -> bool {
        self.unreadable.insert(path, problem.to_owned()).is_none()
    }

    /// Records the doubts about an image; returns `true` if they are new.
    pub(super) fn on_doubts(&mut self, path: &Path, doubts: &[ImageDoubt]) -> bool {
        if doubts.is_empty() {
            return self.doubtful.remove(path).is_some();
        }
        self.doubtful.insert(path.to_owned(), doubts.to_vec()).as_deref() != Some(doubts)
    }

    /// Takes the duplicates; returns a summary for the user.
    pub(super) fn on_duplicates(&mut self, audit: DuplicateAudit) -> String {
        self.is_comparing = false;
        self.duplicates.clear();
        for group in audit.groups {
            // Each points to the first of the group, and that one to the second.
            for (at, path) in group.iter().enumerate() {
                self.duplicates.insert(path.clone(), group[usize::from(at == 0)].clone());
            }
        }
        let unread = match audit.unreadable {
            0 => String::new(),
            number => format!("; {number} could not be read"),
        };
        let doubtful = match self.doubtful.len() {
            0 => String::new(),
            number => format!("; {number} not as expected"),
        };
        let lists = if doubtful.is_empty() { "" } else { "; . lists them" };
        match self.duplicates.len() {
            0 => format!("no duplicates among {} images{doubtful}{lists}{unread}", audit.files),
            same => format!("{same} of {} images are duplicates{doubtful}; . lists them{unread}", audit.files),
        }
    }

    /// Forgets what is known of the images in a folder, since they may have changed.
    pub(super) fn forget_folder(&mut self, folder: &Path) {
        self.headers.retain(|path, _| path.parent() != Some(folder));
        self.unreadable.retain(|path, _| path.parent() != Some(folder));
        self.doubtful.retain(|path, _| path.parent() != Some(folder));
        self.duplicates.retain(|path, other| path.parent() != Some(folder) && other.parent() != Some(folder));
        self.requested.clear();
    }
}
