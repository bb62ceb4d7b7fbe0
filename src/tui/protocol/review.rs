//! The vocabulary of the review of prepared images: effects, messages and actions.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::painted_review::ReviewPicture;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_preprocessing::record::{Record, Review};
use mammoscope_preprocessing::source::Source;

/// Effects for the service of reviews. Every one is about the prepared images of one folder.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum ReviewEffect {
    /// Read the manifest and the label file.
    Open { folder: PathBuf },
    /// Look for the sources of the images in the input folder, whose path is as typed.
    Locate { folder: PathBuf, input: String },
    /// Render an original, and then another one that will probably be shown next.
    Render { folder: PathBuf, shown: RenderRequest, ahead: Option<RenderRequest> },
    /// Keep a verdict; the source is needed to make an image again.
    Keep { folder: PathBuf, record: Arc<Record>, review: Review, source: Option<Source> },
    /// Enter the class of an image's examination into the label file.
    Label { folder: PathBuf, record: Arc<Record>, class: DensityClass },
}

/// A request for the original of an image.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RenderRequest {
    pub(in crate::tui) record: Arc<Record>,
    pub(in crate::tui) source: Source,
}

/// Messages from the service of reviews.
#[derive(Debug)]
pub(in crate::tui) enum ReviewMessage {
    /// The images in the order in which they should be seen.
    Opened { folder: PathBuf, outcome: Result<Vec<ReviewedImage>, Failure>, labels: Option<Failure> },
    /// The sources, by the pseudonyms of their paths.
    Located { folder: PathBuf, input: PathBuf, outcome: Result<HashMap<String, Source>, Failure> },
    /// An original, by the pseudonym of its source's path.
    Rendered { folder: PathBuf, path: String, outcome: Result<Arc<ReviewPicture>, Failure> },
    /// A verdict was kept, or why not.
    Kept { folder: PathBuf, path: String, outcome: Result<Box<Record>, Failure> },
    /// A class was entered, or why not. The name of the label file is safe to print.
    Labelled { folder: PathBuf, subject: String, exam: String, outcome: Result<(DensityClass, String), Failure> },
}

/// A prepared image, and the class that the label file gives it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ReviewedImage {
    pub(in crate::tui) record: Arc<Record>,
    pub(in crate::tui) stated: Option<DensityClass>,
}

/// Actions of the review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ReviewAction {
    /// Opens the review of the open data set.
    Open,
    Accept,
    Reject,
    /// Goes to the next image without a verdict.
    NextOpen,
    /// Gives the examination a class.
    Label(DensityClass),
    /// Shows or hides the outlines.
    Outlines,
    /// Shows both pictures, the original alone, or the prepared image alone.
    Arrangement,
    /// Copies the path of the prepared image.
    Copy,
    /// Asks for the folder of the sources.
    Locate,
    Close,
    /// Starts to correct the muscle's edge.
    Correct,
    /// Moves the edge on the screen, in steps of a thousandth of the image's width.
    Shift(i16),
    /// Turns the edge, in tenths of a degree; positive ones make the muscle wider at the top.
    Turn(i16),
    /// Keeps the corrected edge.
    Keep,
    /// Gives up the correction.
    Discard,
}
