//! What is wrong with a folder of images, place by place.

use std::fmt;
use std::path::PathBuf;

use crate::domain::density::DensityClass;
use crate::domain::printable::printable_path;
use crate::domain::view::View;

/// Something in a folder of images that is not as it should be; the rest is read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderProblem {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: FolderProblemKind,
}

/// What a folder's name was expected to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderLevel {
    /// A view.
    View,
    /// A split.
    Split,
    /// A density class.
    Class,
}

impl fmt::Display for FolderLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view (CC_R, CC_L, MLO_R, MLO_L)",
            Self::Split => "split (train, validation, test)",
            Self::Class => "density class (A, B, C, D)",
        })
    }
}

/// What can be wrong with a file or folder of a data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FolderProblemKind {
    /// The operating system refuses it.
    #[error("cannot be read: {reason}; left out")]
    Unreadable {
        /// The system's reason.
        reason: String,
    },
    /// A symbolic link to a folder that it lies in.
    #[error("is a link back to a folder that it lies in; not followed")]
    LinkLoop,
    /// A folder far below where images are looked for.
    #[error("lies too deep below the data set's folder; left out")]
    TooDeep,
    /// A hidden image file.
    #[error("is hidden (its name begins with a dot); left out")]
    Hidden,
    /// A name that no table could hold.
    #[error("has a name that is not UTF-8; rename it; left out")]
    NameNotUtf8,
    /// A file of a kind that is not read.
    #[error("is no PNG, JPEG or TIFF by its name; left out")]
    NotAnImage,
    /// An image where folders are expected.
    #[error("lies beside the folders that should hold it; left out")]
    BesideFolders,
    /// A folder with images whose name means nothing where it lies.
    #[error("is no {expected}; its {images} image{s} left out", s = if *.images == 1 { " is" } else { "s are" })]
    UnknownFolder {
        /// What it was expected to be.
        expected: FolderLevel,
        /// How many images lie in it.
        images: usize,
    },
    /// A class folder without a sample.
    #[error("is a class folder without images")]
    EmptyClassFolder,
    /// The file's name says another class than its folder.
    #[error("is named {name} but lies in class folder {folder}; the folder counts")]
    ClassAgainstName {
        /// By folder.
        folder: DensityClass,
        /// By name.
        name: DensityClass,
    },
    /// The file's name says another view than its folder.
    #[error("is named {name} but lies in view folder {folder}; the folder counts")]
    ViewAgainstName {
        /// By folder.
        folder: View,
        /// By name.
        name: View,
    },
    /// A folder contradicts a folder around it.
    #[error("says {inner} but lies within {outer}; the inner folder counts")]
    FolderAgainstFolder {
        /// What it says.
        inner: &'static str,
        /// What the folder around it says.
        outer: &'static str,
    },
}

impl FolderProblem {
    /// Whether an image, or what may hold images, is missing from the samples because of this.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        !matches!(
            self.kind,
            FolderProblemKind::EmptyClassFolder
                | FolderProblemKind::ClassAgainstName { .. }
                | FolderProblemKind::ViewAgainstName { .. }
                | FolderProblemKind::FolderAgainstFolder { .. }
        )
    }
}

impl fmt::Display for FolderProblem {
    /// One line, safe to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable_path(&self.path), self.kind)
    }
}
