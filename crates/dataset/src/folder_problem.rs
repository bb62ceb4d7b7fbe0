//! What is wrong with a folder of images, place by place.

use std::fmt;
use std::path::PathBuf;

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;

/// How many files are named where many have the same problem.
const NAMED: usize = 3;

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
    #[error("is not a PNG, JPEG or TIFF by its name; left out")]
    NotAnImage,
    /// An image where folders are expected.
    #[error("lies beside the folders that should hold it; left out")]
    BesideFolders,
    /// A folder with images whose name means nothing where it lies.
    #[error("is not a {expected}; its {} left out", are(*images))]
    UnknownFolder {
        /// What it was expected to be.
        expected: FolderLevel,
        /// How many images lie in it.
        images: usize,
    },
    /// A folder within a class folder.
    #[error(
        "is a folder within a class folder; {} left out: move them up, or read all such folders with --nested",
        images.map_or_else(|| "its images are".to_owned(), |images| format!("its {}", are(images)))
    )]
    Nested {
        /// How many images lie in it, where that was counted.
        images: Option<usize>,
    },
    /// Images that neither the table (`--labels`) nor the pattern (`--ids`) knows.
    #[error("{} left out, since {option} does not know {}: {}", are(files.len()), them(files.len()), some(files))]
    Unstated {
        /// The option that should.
        option: &'static str,
        /// Their paths below the root.
        files: Vec<PathBuf>,
    },
    /// The table says another class than the folder.
    #[error("is {table} by --labels but lies in class folder {folder}; the table counts")]
    ClassAgainstTable {
        /// By folder.
        folder: DensityClass,
        /// By the table.
        table: DensityClass,
    },
    /// The table or pattern says another view than the folder.
    #[error("is {stated} by --labels or --ids but lies in view folder {folder}; the folder does not count")]
    ViewAgainstStatement {
        /// By folder.
        folder: View,
        /// By the table or the pattern.
        stated: View,
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
    /// How many images, or files and folders that may hold some, are missing from the samples because of this.
    #[must_use]
    pub fn leaves_out(&self) -> usize {
        match &self.kind {
            FolderProblemKind::EmptyClassFolder
            | FolderProblemKind::ClassAgainstName { .. }
            | FolderProblemKind::ViewAgainstName { .. }
            | FolderProblemKind::ClassAgainstTable { .. }
            | FolderProblemKind::ViewAgainstStatement { .. }
            | FolderProblemKind::FolderAgainstFolder { .. } => 0,
            FolderProblemKind::UnknownFolder { images, .. } | FolderProblemKind::Nested { images: Some(images) } => {
                *images
            }
            FolderProblemKind::Unstated { files, .. } => files.len(),
            _ => 1,
        }
    }
}

/// `1 image is`, `3 images are`.
fn are(images: usize) -> String {
    if images == 1 { "1 image is".to_owned() } else { format!("{images} images are") }
}

fn them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// The first few, and that there are more.
fn some(files: &[PathBuf]) -> String {
    let named: Vec<_> = files.iter().take(NAMED).map(|file| printable_path(file)).collect();
    format!("{}{}", named.join(", "), if files.len() > NAMED { ", …" } else { "" })
}

impl fmt::Display for FolderProblem {
    /// One line, safe to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable_path(&self.path), self.kind)
    }
}
