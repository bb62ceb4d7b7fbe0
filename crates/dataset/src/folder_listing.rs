//! One folder of a data set, read without those in it: for browsing, where a whole tree would take too long.

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

/// What a folder's name says of the images in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderMeaning {
    /// A view.
    View(View),
    /// A split.
    Split(Split),
    /// A density class.
    Class(DensityClass),
    /// Nothing.
    Other,
}

impl FolderMeaning {
    /// What a folder of this name means.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match FolderName::read(name) {
            FolderName::View(view) => Self::View(view),
            FolderName::Split(split) => Self::Split(split),
            FolderName::Class(class) => Self::Class(class),
            FolderName::Other => Self::Other,
        }
    }
}

/// What a folder's name and those of the folders around it say of the images in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FolderContext {
    /// The view.
    pub view: Option<View>,
    /// The split.
    pub split: Option<Split>,
    /// The class, which is the label.
    pub class: Option<DensityClass>,
}

impl FolderContext {
    /// What the names of a root and above say, as far as the folders in it leave it open.
    #[must_use]
    pub fn of_root(root: &Path, listing: &FolderListing) -> Self {
        let context = context_of_root(root, listing.subfolders.iter().map(|name| &**name));
        Self { view: context.view, split: context.split, class: context.class }
    }

    /// What is said of the images in a folder of this name within.
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

/// What lies in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderListing {
    /// The names of the folders in it, in the order in which a person would list them.
    pub subfolders: Vec<Box<str>>,
    /// The names of the images in it, by their extensions, in that order.
    pub images: Vec<Box<str>>,
    /// What is not as it should be.
    pub problems: Vec<FolderProblem>,
}

/// Lists a folder. Links are followed, no file is opened.
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
                    let reason = format!("a link that leads nowhere ({error})");
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
    found.judge(folder);
    Ok(found)
}

impl FolderListing {
    fn report(&mut self, path: PathBuf, kind: FolderProblemKind) {
        self.problems.push(FolderProblem { path, kind });
    }

    /// Leaves out the folders within a class folder, as a training does; each is a problem.
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

    /// What the names within the folder say together.
    fn judge(&mut self, folder: &Path) {
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
    fn folders_within_a_class_folder_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        let mut found = list_folder(folder.path()).unwrap();
        found.leave_out_nested(folder.path(), FolderContext::default());
        assert_eq!(found.subfolders.len(), 1, "around class folders anything may lie");
        let context = FolderContext { class: Some(DensityClass::A), ..FolderContext::default() };
        found.leave_out_nested(folder.path(), context);
        assert_eq!((found.subfolders.len(), found.problems.len()), (0, 1));
        assert_eq!(found.problems[0].kind, FolderProblemKind::Nested { images: None });
    }

    #[test]
    fn a_folder_is_listed_as_a_person_would() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["10_1_A_CC_R.png", "9_1_A_CC_R.png", "notes.docx", "readme.txt", ".hidden.png"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("masks")).unwrap();
        let found = list_folder(folder.path()).unwrap();
        assert_eq!(found.images, ["9_1_A_CC_R.png", "10_1_A_CC_R.png"].map(Box::from));
        assert!(found.subfolders.is_empty(), "masks are no samples");
        let kinds: Vec<_> = found.problems.iter().map(|problem| &problem.kind).collect();
        assert_eq!(kinds, [&FolderProblemKind::Hidden, &FolderProblemKind::NotAnImage]);
        fs::create_dir(folder.path().join("CC_R")).unwrap();
        let found = list_folder(folder.path()).unwrap();
        assert!(found.images.is_empty(), "beside a view's folder they are no samples");
        assert!(found.problems.iter().any(|problem| problem.kind == FolderProblemKind::BesideFolders));
        assert!(list_folder(&folder.path().join("none")).is_err());
    }

    #[test]
    fn folders_tell_view_split_and_class() {
        let classes = FolderListing { subfolders: ["A", "B"].map(Box::from).to_vec(), ..FolderListing::default() };
        let root = FolderContext::of_root(Path::new("/data/CC_R/train"), &classes);
        assert_eq!(root, FolderContext { view: Some(View::CcR), split: Some(Split::Train), class: None });
        assert_eq!(root.within("B").class, Some(DensityClass::B));
        assert_eq!(root.within("B").within("clinic 7").class, Some(DensityClass::B));
        let views = FolderListing { subfolders: ["MLO_L"].map(Box::from).to_vec(), ..FolderListing::default() };
        assert_eq!(FolderContext::of_root(Path::new("/data/D"), &views), FolderContext::default());
    }
}
