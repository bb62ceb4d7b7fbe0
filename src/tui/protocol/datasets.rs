//! The vocabulary of the screen Datasets: actions, effects and messages.

use std::path::PathBuf;

use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_dataset::folder_listing::{FolderContext, FolderListing};
use mammoscope_dataset::subject_audit::SubjectAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum DatasetsEffect {
    /// Read this root, and again what changes in it.
    Open(PathBuf),
    /// Read this folder before those that nobody looks at.
    List(PathBuf),
    /// Look at the headers of all images of these folders, at leisure.
    Inspect(Vec<PathBuf>),
    /// Look for files of the same content in these folders of a data set.
    FindDuplicates { root: PathBuf, folders: Vec<PathBuf> },
    /// Read the headers of these images.
    ReadHeaders(Vec<PathBuf>),
    /// Find folders that begin with what is typed.
    Complete(String),
    /// Look for data sets in this workspace and where the program was started.
    LookForData(PathBuf),
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum DatasetsMessage {
    /// A root is read from now on.
    Opened {
        /// As it was asked for.
        asked: PathBuf,
        /// As it is, absolute.
        root: PathBuf,
    },
    /// What lies in a folder.
    Listed { root: PathBuf, folder: PathBuf, context: FolderContext, outcome: Result<FolderListing, String> },
    /// All folders were read, and their subjects compared.
    Audited { root: PathBuf, audit: SubjectAudit },
    /// Headers of images.
    Headers {
        read: Vec<(PathBuf, Result<ImageHeader, String>)>,
        /// Those that were asked for and left out, since others were wanted later.
        passed: Vec<PathBuf>,
    },
    /// Images that cannot be read, and why.
    Unreadable(Vec<(PathBuf, String)>),
    /// What is doubtful about images that were looked at; empty for one that is as expected.
    Doubtful(Vec<(PathBuf, Vec<ImageDoubt>)>),
    /// The files of a data set were compared.
    Duplicates { root: PathBuf, audit: DuplicateAudit },
    /// Folders that begin with what was typed.
    Completed { typed: String, found: Vec<String> },
    /// Data sets that lie at hand.
    Offered(Vec<PathBuf>),
}

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum DatasetsAction {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    /// Shows the folders in one, or goes to the images.
    Inward,
    /// Hides them, or goes to the folder around.
    Outward,
    ToImages,
    ToFolders,
    View,
    Explain,
    Mark,
    MarkAll,
    Filter,
    NextShown,
    NextFlagged,
    FindDuplicates,
    Open,
    OpenOffered,
    Train,
    NextWindow,
    Brighter,
    Darker,
    MoreContrast,
    LessContrast,
    UsualWindow,
}
