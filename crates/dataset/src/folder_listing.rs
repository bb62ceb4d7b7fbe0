//! The listing of a single folder of a data set: for browsing, where reading the whole tree would take too long.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::slice::ParallelSliceMut as _;

use super::folder_name::{FolderName, context_of_root};
use super::folder_problem::{FolderProblem, FolderProblemKind};
use super::folder_tree::FileKind;
use super::natural_order::natural_order;
use super::not_data::NotData;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

/// The meaning of a folder's name for the images in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderMeaning {
    View(View),
    Split(Split),
    Class(DensityClass),
    Other,
}

impl FolderMeaning {
    #[must_use]
    pub fn of(name: &str) -> Self {
        match FolderName::read(name) {
            FolderName::View(view) => Self::View(view),
            FolderName::Split(split) => Self::Split(split),
            FolderName::Class(class) => Self::Class(class),
            FolderName::Unlabelled | FolderName::Other => Self::Other,
        }
    }
}

/// The view, split and class given by the names of a folder and its parents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderContext {
    pub view: Option<View>,
    pub split: Option<Split>,
    /// The label of the images.
    pub class: Option<DensityClass>,
}

impl FolderContext {
    /// The context of a root by its own name and its parents', unless the folders in it decide.
    #[must_use]
    pub fn of_root(root: &Path, listing: &FolderListing) -> Self {
        let context = context_of_root(root, listing.subfolders.iter().map(|name| &**name));
        Self { view: context.view, split: context.split, class: context.class }
    }

    /// The context inside a subfolder of this name.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        match FolderMeaning::of(name) {
            FolderMeaning::View(view) => self.view = Some(view),
            FolderMeaning::Split(split) => self.split = Some(split),
            FolderMeaning::Class(class) => self.class = Some(class),
            FolderMeaning::Other => {}
        }
        self
    }
}

/// The contents of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderListing {
    /// Names of the subfolders in natural order.
    pub subfolders: Vec<Box<str>>,
    /// Names of the images, recognised by their extensions, in natural order.
    pub images: Vec<Box<str>>,
    pub problems: Vec<FolderProblem>,
}

/// Lists a folder. Links are followed; no file is opened.
pub fn list_folder(folder: &Path) -> io::Result<FolderListing> {
    let mut found = FolderListing::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            match fs::metadata(entry.path()) {
                Ok(target) => kind = target.file_type(),
                Err(error) => {
                    let reason = format!("a broken link ({error})");
                    found.report(entry.path(), FolderProblemKind::Unreadable { reason });
                    continue;
                }
            }
        }
        if kind.is_dir() {
            if hidden || NotData::of_folder(&name.to_string_lossy()).is_some() {
                continue;
            }
            match name.into_string() {
                Ok(name) => found.subfolders.push(name.into()),
                Err(_) => found.report(entry.path(), FolderProblemKind::NameNotUtf8),
            }
            continue;
        }
        if NotData::of_file(&name.to_string_lossy()).is_some() {
            continue;
        }
        match FileKind::of(Path::new(&name)) {
            FileKind::Image if hidden => found.report(entry.path(), FolderProblemKind::Hidden),
            FileKind::Image => match name.into_string() {
                Ok(name) => found.images.push(name.into()),
                Err(_) => found.report(entry.path(), FolderProblemKind::NameNotUtf8),
            },
            FileKind::Unknown if !hidden => found.report(entry.path(), FolderProblemKind::NotAnImage),
            FileKind::Companion | FileKind::Unknown => {}
        }
    }
    found.subfolders.sort_by(|left, right| natural_order(left, right));
    found.images.par_sort_by(|left, right| natural_order(left, right));
    found.check_names(folder);
    Ok(found)
}

impl FolderListing {
    fn report(&mut self, path: PathBuf, kind: FolderProblemKind) {
        self.problems.push(FolderProblem { path, kind });
    }

    /// Leaves out the folders inside a class folder, as training does, and reports each as a problem.
    pub fn leave_out_nested(&mut self, folder: &Path, context: FolderContext) {
        if context.class.is_none() {
            return;
        }
        let is_nested = |name: &str| FolderMeaning::of(name) == FolderMeaning::Other;
        for name in self.subfolders.extract_if(.., |name| is_nested(name)) {
            let (path, kind) = (folder.join(&*name), FolderProblemKind::Nested { images: None });
            self.problems.push(FolderProblem { path, kind });
        }
        self.problems.sort_by(|left, right| left.path.cmp(&right.path));
    }

    /// Reports images beside view, split or class folders, and empty class folders.
    fn check_names(&mut self, folder: &Path) {
        let known = self.subfolders.iter().any(|name| FolderMeaning::of(name) != FolderMeaning::Other);
        if known {
            for image in std::mem::take(&mut self.images) {
                self.report(folder.join(&*image), FolderProblemKind::BesideFolders);
            }
        }
        let is_class = folder
            .file_name()
            .and_then(OsStr::to_str)
            .is_some_and(|name| matches!(FolderMeaning::of(name), FolderMeaning::Class(_)));
        if is_class && self.images.is_empty() && self.subfolders.is_empty() {
            self.report(folder.to_owned(), FolderProblemKind::EmptyClassFolder);
        }
        self.problems.sort_by(|left, right| left.path.cmp(&right.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_inside_a_class_folder_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        let mut found = list_folder(folder.path()).unwrap();
        found.leave_out_nested(folder.path(), FolderContext::default());
        assert_eq!(found.subfolders.len(), 1, "outside class folders any name is allowed");
        let context = FolderContext { class: Some(DensityClass::A), ..FolderContext::default() };
        found.leave_out_nested(folder.path(), context);
        assert_eq!((found.subfolders.len(), found.problems.len()), (0, 1));
        assert_eq!(found.problems[0].kind, FolderProblemKind::Nested { images: None });
    }

    #[test]
    fn a_listing_is_in_natural_order_and_reports_problems() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["10_1_A_CC_R.png", "9_1_A_CC_R.png", "notes.docx", "readme.txt", ".hidden.png"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("masks")).unwrap();
        let found = list_folder(folder.path()).unwrap();
        assert_eq!(found.images, ["9_1_A_CC_R.png", "10_1_A_CC_R.png"].map(Box::from));
        assert!(found.subfolders.is_empty(), "masks are not samples");
        let kinds: Vec<_> = found.problems.iter().map(|problem| &problem.kind).collect();
        assert_eq!(kinds, [&FolderProblemKind::Hidden, &FolderProblemKind::NotAnImage]);
        fs::create_dir(folder.path().join("CC_R")).unwrap();
        let found = list_folder(folder.path()).unwrap();
        assert!(found.images.is_empty(), "images beside a view folder are not samples");
        assert!(found.problems.iter().any(|problem| problem.kind == FolderProblemKind::BesideFolders));
        assert!(list_folder(&folder.path().join("none")).is_err());
    }

    #[test]
    fn folder_names_give_view_split_and_class() {
        let classes = FolderListing { subfolders: ["A", "B"].map(Box::from).to_vec(), ..FolderListing::default() };
        let root = FolderContext::of_root(Path::new("/data/CC_R/train"), &classes);
        assert_eq!(root, FolderContext { view: Some(View::CcR), split: Some(Split::Train), class: None });
        assert_eq!(root.within("B").class, Some(DensityClass::B));
        assert_eq!(root.within("B").within("clinic 7").class, Some(DensityClass::B));
        let views = FolderListing { subfolders: ["MLO_L"].map(Box::from).to_vec(), ..FolderListing::default() };
        assert_eq!(FolderContext::of_root(Path::new("/data/D"), &views), FolderContext::default());
    }
}
