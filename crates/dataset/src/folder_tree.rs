//! A snapshot of the folders of a data set.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::folder_problem::{FolderProblem, FolderProblemKind};
use super::not_data::{IgnoredFiles, NotData};

/// The maximum depth of an image. `<set>/<VIEW>/<split>/<CLASS>/<file>` is five deep; a few more folders are tolerated.
const MAX_DEPTH: usize = 10;
const IMAGE_EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "tif", "tiff"];
/// Extensions of files that commonly accompany images.
const COMPANIONS: [&str; 20] = [
    "txt", "csv", "tsv", "json", "jsonl", "md", "toml", "yaml", "yml", "xml", "log", "html", "pdf", "npy", "npz", "h5",
    "hdf5", "xlsx", "ini", "db",
];

/// The root and all folders below it, parents before their children.
pub(super) struct FolderTree {
    pub(super) folders: Vec<Folder>,
    pub(super) problems: Vec<FolderProblem>,
    /// Files that were skipped because they are not data.
    pub(super) ignored: IgnoredFiles,
}

/// One folder.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Indices of its subfolders in [`FolderTree::folders`].
    pub(super) subfolders: Vec<usize>,
    /// The images in it, recognised by their extensions.
    pub(super) images: Vec<PathBuf>,
}

impl Folder {
    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), subfolders: Vec::new(), images: Vec::new() }
    }

    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(OsStr::to_str).unwrap_or_default()
    }
}

impl FolderTree {
    /// Reads a folder and everything below it. Links are followed; no file is opened. Only an unreadable root is an error.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        std::fs::read_dir(root)?;
        let mut tree = Self { folders: vec![Folder::at(root)], problems: Vec::new(), ignored: IgnoredFiles::default() };
        // The folders from the root to the current one.
        let mut open = vec![0];
        let mut walk = WalkDir::new(root).follow_links(true).min_depth(1).max_depth(MAX_DEPTH).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    tree.problems.extend(walk_problem(root, &error));
                    continue;
                }
            };
            open.truncate(entry.depth());
            let parent = *open.last().expect("the root stays open");
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let name = entry.file_name().to_string_lossy();
            if entry.file_type().is_dir() {
                if let Some(kind) = NotData::of_folder(&name) {
                    tree.ignored.add_folder(entry.path(), &name, kind);
                    walk.skip_current_dir();
                } else if hidden {
                    walk.skip_current_dir();
                } else if entry.depth() == MAX_DEPTH {
                    tree.report(entry.path(), FolderProblemKind::TooDeep);
                } else {
                    tree.folders.push(Folder::at(entry.path()));
                    let child = tree.folders.len() - 1;
                    tree.folders[parent].subfolders.push(child);
                    open.push(child);
                }
            } else if let Some(kind) = NotData::of_file(&name) {
                if kind == NotData::Clutter || FileKind::of(entry.path()) == FileKind::Image {
                    tree.ignored.add_file(entry.path(), kind);
                }
            } else {
                match FileKind::of(entry.path()) {
                    FileKind::Image if hidden => tree.report(entry.path(), FolderProblemKind::Hidden),
                    FileKind::Image if entry.file_name().to_str().is_none() => {
                        tree.report(entry.path(), FolderProblemKind::NameNotUtf8);
                    }
                    FileKind::Image => tree.folders[parent].images.push(entry.into_path()),
                    FileKind::Unknown if !hidden => tree.report(entry.path(), FolderProblemKind::NotAnImage),
                    FileKind::Companion | FileKind::Unknown => {}
                }
            }
        }
        Ok(tree)
    }

    /// The number of images in a folder and below it.
    pub(super) fn images_below(&self, folder: usize) -> usize {
        let Folder { subfolders, images, .. } = &self.folders[folder];
        images.len() + subfolders.iter().map(|&subfolder| self.images_below(subfolder)).sum::<usize>()
    }

    fn report(&mut self, path: &Path, kind: FolderProblemKind) {
        self.problems.push(FolderProblem { path: path.to_owned(), kind });
    }
}

fn walk_problem(root: &Path, error: &walkdir::Error) -> Option<FolderProblem> {
    let path = error.path().unwrap_or(root);
    if error.loop_ancestor().is_some() {
        return Some(FolderProblem { path: path.to_owned(), kind: FolderProblemKind::LinkLoop });
    }
    let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let reason = if is_link { format!("a broken link ({reason})") } else { reason };
    // A broken link is ignored if its target would not be a sample.
    let is_data = NotData::of_file(&path.file_name().unwrap_or_default().to_string_lossy()).is_none();
    (is_data && FileKind::of(path) != FileKind::Companion)
        .then(|| FolderProblem { path: path.to_owned(), kind: FolderProblemKind::Unreadable { reason } })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Image,
    Companion,
    Unknown,
}

impl FileKind {
    pub(super) fn of(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default();
        let is_among = |list: &[&str]| list.iter().any(|known| extension.eq_ignore_ascii_case(known));
        if is_among(&IMAGE_EXTENSIONS) {
            Self::Image
        } else if is_among(&COMPANIONS) {
            Self::Companion
        } else {
            Self::Unknown
        }
    }
}
