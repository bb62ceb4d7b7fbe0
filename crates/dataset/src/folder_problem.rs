//! Problems in a folder of images.

use std::fmt;
use std::path::PathBuf;

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::LookAlikes;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::printable_path;

/// The most files listed for one problem.
const LISTED: usize = 3;

/// A problem with a file or folder of a data set. The rest of the data set is read nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderProblem {
    pub path: PathBuf,
    pub kind: FolderProblemKind,
}

/// The kind of folder that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderLevel {
    View,
    Split,
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

/// A kind of problem with a file or folder of a data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FolderProblemKind {
    #[error("cannot be read: {reason}; left out")]
    Unreadable { reason: String },
    /// A symbolic link to one of its parent folders.
    #[error("is a link to a folder that contains it; not followed")]
    LinkLoop,
    /// A folder below the maximum depth.
    #[error("is too deep below the data set's folder; left out")]
    TooDeep,
    /// A hidden image file.
    #[error("is hidden (its name begins with a dot); left out")]
    Hidden,
    /// A name that cannot be written to a table.
    #[error("has a name that is not UTF-8; rename it; left out")]
    NameNotUtf8,
    /// A file without the extension of an image.
    #[error("is not a PNG, JPEG or TIFF by its name; left out")]
    NotAnImage,
    /// An image beside view, split or class folders.
    #[error("is beside the folders that should contain it; left out")]
    BesideFolders,
    /// A folder with images whose name has no meaning at its level.
    #[error("is not a {expected}; its {} left out", are(*images))]
    UnknownFolder { expected: FolderLevel, images: usize },
    /// A folder inside a class folder, with the number of images if they were counted.
    #[error(
        "is a folder inside a class folder; {} left out: move them up, or read all such folders with --nested",
        images.map_or_else(|| "its images are".to_owned(), |images| format!("its {}", are(images)))
    )]
    Nested { images: Option<usize> },
    /// Images that the table (`--labels`) or the pattern (`--ids`) does not cover, by their paths below the root.
    #[error("{} left out, since {option} does not cover {}: {}", are(files.len()), them(files.len()), some(files))]
    Unstated { option: &'static str, files: Vec<PathBuf> },
    /// Images to which lines of the label file with different classes may apply, by their paths below the root.
    #[error(
        "{} left out, since --labels has several classes that may apply and neither name nor folder says which exam or \
         view: {}",
        are(files.len()), some(files)
    )]
    AmbiguousLabel { files: Vec<PathBuf> },
    /// Subject ids that the label file and the data spell differently.
    #[error("--labels spells ids differently from the data ({alike}), so they do not match; write them in one way")]
    SpelledDifferently { alike: LookAlikes },
    /// The table and the folder give different classes.
    #[error("is {table} by --labels but is in class folder {folder}; the table counts")]
    ClassAgainstTable { folder: DensityClass, table: DensityClass },
    /// The table or pattern and the folder give different views.
    #[error("is {stated} by --labels or --ids but is in view folder {folder}; the folder does not count")]
    ViewAgainstStatement { folder: View, stated: View },
    #[error("is a class folder without images")]
    EmptyClassFolder,
    /// The file name and the folder give different classes.
    #[error("is named {name} but is in class folder {folder}; the folder counts")]
    ClassAgainstName { folder: DensityClass, name: DensityClass },
    /// The file name and the folder give different views.
    #[error("is named {name} but is in view folder {folder}; the folder counts")]
    ViewAgainstName { folder: View, name: View },
    /// A folder contradicts one of its parents.
    #[error("says {inner} but is inside {outer}; the inner folder counts")]
    FolderAgainstFolder { inner: &'static str, outer: &'static str },
}

impl FolderProblem {
    /// The number of images, or of files and folders that may be images, left out because of this problem.
    #[must_use]
    pub fn leaves_out(&self) -> usize {
        match &self.kind {
            FolderProblemKind::EmptyClassFolder
            | FolderProblemKind::SpelledDifferently { .. }
            | FolderProblemKind::ClassAgainstName { .. }
            | FolderProblemKind::ViewAgainstName { .. }
            | FolderProblemKind::ClassAgainstTable { .. }
            | FolderProblemKind::ViewAgainstStatement { .. }
            | FolderProblemKind::FolderAgainstFolder { .. } => 0,
            FolderProblemKind::UnknownFolder { images, .. } | FolderProblemKind::Nested { images: Some(images) } => {
                *images
            }
            FolderProblemKind::Unstated { files, .. } | FolderProblemKind::AmbiguousLabel { files } => files.len(),
            _ => 1,
        }
    }
}

/// `1 image is`, `3 images are`.
fn are(images: usize) -> String {
    counted_as(images, "image is", "images are")
}

fn them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// The first few files.
fn some(files: &[PathBuf]) -> String {
    let listed: Vec<_> = files.iter().take(LISTED).map(|file| printable_path(file)).collect();
    format!("{}{}", listed.join(", "), if files.len() > LISTED { ", …" } else { "" })
}

impl fmt::Display for FolderProblem {
    /// Formats one line that is safe to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable_path(&self.path), self.kind)
    }
}
