//! The images of the chosen folder and all within, as far as the filter lets them through.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::flags::{Flag, flags_of};
use super::tree::FolderTree;
use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_dataset::subject_audit::SubjectAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;

/// Headers that are kept; beyond, all are read again as they are seen.
const KEPT_HEADERS: usize = 2000;

/// An image: its folder and its position there. Small, since there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleRow {
    folder: u32,
    index: u32,
}

/// Which images are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Shown {
    /// All.
    #[default]
    All,
    /// Those with something doubtful.
    Flagged,
    /// Those that are marked.
    Marked,
}

impl Shown {
    /// The next, around.
    pub(super) fn next(self) -> Self {
        match self {
            Self::All => Self::Flagged,
            Self::Flagged => Self::Marked,
            Self::Marked => Self::All,
        }
    }
}

/// What is known of images beyond their names.
#[derive(Debug, Default)]
pub(super) struct Samples {
    rows: Vec<SampleRow>,
    pub(super) audit: SubjectAudit,
    /// Whether the whole data set was looked at.
    pub(super) audited: bool,
    marks: HashSet<PathBuf>,
    headers: HashMap<PathBuf, Result<ImageHeader, String>>,
    asked: HashSet<PathBuf>,
    /// Files that could not be read or decoded.
    unreadable: HashMap<PathBuf, String>,
    /// Images that cannot be mammograms as expected, and why; of those that were looked at.
    doubtful: HashMap<PathBuf, Vec<ImageDoubt>>,
    /// Files of the same content: each with one of the others.
    duplicates: HashMap<PathBuf, PathBuf>,
    /// Whether they are being looked for.
    pub(super) compares: bool,
}

impl Samples {
    /// Lists the images of a folder anew.
    pub(super) fn list(&mut self, tree: &FolderTree, folder: usize, shown: Shown, filter: &str) {
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
        self.rows = rows;
    }

    /// How many are listed.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// One of those that are listed.
    pub(super) fn row(&self, at: usize) -> Option<SampleRow> {
        self.rows.get(at).copied()
    }

    /// Where an image stands in the list.
    pub(super) fn position(&self, tree: &FolderTree, path: &Path) -> Option<usize> {
        let folder = tree.position(path.parent()?)? as u32;
        let name = path.file_name()?.to_str()?;
        self.rows.iter().position(|row| row.folder == folder && Self::name(tree, *row) == name)
    }

    /// Where the folder of an image stands.
    pub(super) fn folder(row: SampleRow) -> usize {
        row.folder as usize
    }

    /// Its file's name; empty for one that is gone.
    pub(super) fn name(tree: &FolderTree, row: SampleRow) -> &str {
        tree.folder(Self::folder(row)).images.get(row.index as usize).map_or("", |name| name)
    }

    /// Its file.
    pub(super) fn path(tree: &FolderTree, row: SampleRow) -> PathBuf {
        tree.folder(Self::folder(row)).path.join(Self::name(tree, row))
    }

    /// What is doubtful about it.
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

    /// Whether it is marked.
    pub(super) fn is_marked(&self, path: &Path) -> bool {
        self.marks.contains(path)
    }

    /// How many are marked.
    pub(super) fn marked(&self) -> usize {
        self.marks.len()
    }

    /// Marks an image, or no longer.
    pub(super) fn mark(&mut self, path: PathBuf) {
        if !self.marks.remove(&path) {
            self.marks.insert(path);
        }
    }

    /// Marks all that are listed, or none where all are.
    pub(super) fn mark_all(&mut self, tree: &FolderTree) {
        let listed: Vec<PathBuf> = self.rows.iter().map(|row| Self::path(tree, *row)).collect();
        if listed.iter().all(|path| self.marks.contains(path)) {
            for path in &listed {
                self.marks.remove(path);
            }
        } else {
            self.marks.extend(listed);
        }
    }

    /// What its header tells, once it was read.
    pub(super) fn header(&self, path: &Path) -> Option<&Result<ImageHeader, String>> {
        self.headers.get(path)
    }

    /// Of these images those whose headers are still to be asked for.
    pub(super) fn unasked(&mut self, paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
        let new: Vec<PathBuf> =
            paths.filter(|path| !self.headers.contains_key(path) && !self.asked.contains(path)).collect();
        self.asked.extend(new.iter().cloned());
        new
    }

    /// Takes headers, and those that were not read because others were wanted sooner; gives whether one is newly known to
    /// be unreadable.
    pub(super) fn on_headers(&mut self, read: Vec<(PathBuf, Result<ImageHeader, String>)>, passed: &[PathBuf]) -> bool {
        let mut is_news = false;
        for path in passed {
            self.asked.remove(path);
        }
        if self.headers.len() + read.len() > KEPT_HEADERS {
            self.headers.clear();
        }
        for (path, header) in read {
            self.asked.remove(&path);
            if let Err(problem) = &header {
                is_news |= self.on_problem(path.clone(), problem);
            }
            self.headers.insert(path, header);
        }
        is_news
    }

    /// An image cannot be read or decoded; gives whether that was not known.
    pub(super) fn on_problem(&mut self, path: PathBuf, problem: &str) -> bool {
        self.unreadable.insert(path, problem.to_owned()).is_none()
    }

    /// What is doubtful about an image; gives whether that was not known.
    pub(super) fn on_doubts(&mut self, path: &Path, doubts: &[ImageDoubt]) -> bool {
        if doubts.is_empty() {
            return self.doubtful.remove(path).is_some();
        }
        self.doubtful.insert(path.to_owned(), doubts.to_vec()).as_deref() != Some(doubts)
    }

    /// Takes the files of the same content; what is to be said of them comes back.
    pub(super) fn on_duplicates(&mut self, audit: DuplicateAudit) -> String {
        self.compares = false;
        self.duplicates.clear();
        for group in audit.groups {
            // Each points at the first of them, and that at the second.
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
        let lists = if doubtful.is_empty() { "" } else { "; f lists them" };
        match self.duplicates.len() {
            0 => format!("no two of {} images are the same{doubtful}{lists}{unread}", audit.files),
            same => format!("{same} of {} images are the same as others{doubtful}; f lists them{unread}", audit.files),
        }
    }

    /// What was read of the images of a folder may be so no longer.
    pub(super) fn forget_folder(&mut self, folder: &Path) {
        self.headers.retain(|path, _| path.parent() != Some(folder));
        self.unreadable.retain(|path, _| path.parent() != Some(folder));
        self.doubtful.retain(|path, _| path.parent() != Some(folder));
        self.duplicates.retain(|path, other| path.parent() != Some(folder) && other.parent() != Some(folder));
        self.asked.clear();
    }
}
