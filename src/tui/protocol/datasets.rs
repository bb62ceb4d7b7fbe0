//! The vocabulary of the screen Datasets: actions, effects and messages.

use std::path::PathBuf;

use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::preparation::{PreparationAction, PreparationEffect, PreparationMessage};
use crate::tui::protocol::review::{ReviewAction, ReviewEffect, ReviewMessage};
use mammoscope_dataset::duplicate_audit::DuplicateAudit;
use mammoscope_dataset::folder_listing::{FolderContext, FolderListing};
use mammoscope_dataset::subject_audit::SubjectAudit;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;

/// Effects for the service of the screen Datasets.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum DatasetsEffect {
    /// Read the folders below this root, and again whenever they change.
    Open(PathBuf),
    /// Read this folder before all others.
    List(PathBuf),
    /// Check the headers of all images in these folders, at low priority.
    Inspect(Vec<PathBuf>),
    /// Look for duplicate files in these folders of a data set.
    FindDuplicates {
        root: PathBuf,
        folders: Vec<PathBuf>,
    },
    /// Read the headers of these images.
    ReadHeaders(Vec<PathBuf>),
    /// Complete a typed path.
    Complete(String),
    /// Check that a typed path is a folder that can be read, before it replaces what is open.
    Check(String),
    /// Look for data sets in this workspace and in the working directory.
    LookForData(PathBuf),
    Preparation(PreparationEffect),
    Review(ReviewEffect),
}

/// Messages from the service of the screen Datasets.
#[derive(Debug)]
pub(in crate::tui) enum DatasetsMessage {
    /// Reading of a root has begun.
    Opened {
        /// The path of the request.
        requested: PathBuf,
        /// The same path, absolute.
        root: PathBuf,
        /// True if it was made by preprocessing, so that its images can be reviewed.
        is_prepared: bool,
    },
    /// The content of a folder.
    Listed {
        root: PathBuf,
        folder: PathBuf,
        context: FolderContext,
        outcome: Result<FolderListing, Failure>,
    },
    /// All folders were read and their subjects compared.
    Audited {
        root: PathBuf,
        audit: SubjectAudit,
    },
    /// Headers of images.
    Headers {
        read: Vec<(PathBuf, Result<ImageHeader, Failure>)>,
        /// Requested headers that were skipped in favour of a later request.
        skipped: Vec<PathBuf>,
    },
    /// Images that cannot be read, with the reasons.
    Unreadable(Vec<(PathBuf, String)>),
    /// Doubts about checked images; none for an image that is as expected.
    Doubtful(Vec<(PathBuf, Vec<ImageDoubt>)>),
    /// The duplicates among the files of a data set.
    Duplicates {
        root: PathBuf,
        audit: DuplicateAudit,
    },
    /// Completions of a typed path.
    Completed {
        typed: String,
        found: Vec<String>,
    },
    /// The outcome of a check of a typed path: the folder, absolute, or why it cannot be opened.
    Checked {
        typed: String,
        outcome: Result<PathBuf, Failure>,
    },
    /// Data sets that were found nearby.
    Offered(Vec<PathBuf>),
    Preparation(PreparationMessage),
    Review(ReviewMessage),
}

/// Actions of the screen Datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum DatasetsAction {
    /// Expands the folder, or goes to its images.
    Inward,
    /// Collapses the folder, or goes to its parent.
    Outward,
    ToImages,
    ToFolders,
    View,
    Explain,
    Mark,
    MarkRange,
    MarkAll,
    Copy,
    Sort,
    ReverseSort,
    /// Shows the images as a list or as a contact sheet.
    Arrangement,
    /// Shows the four views of the examination.
    Hanging,
    SheetLeft,
    SheetRight,
    Filter,
    NextShown,
    NextFlagged,
    FindDuplicates,
    Open,
    OpenOffered,
    Train,
    /// Choose a job on the open data set.
    Jobs,
    Picture(PictureAction),
    Preparation(PreparationAction),
    Review(ReviewAction),
}
