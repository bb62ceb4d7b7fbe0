//! The vocabulary of the picture viewer: its actions and the images it shows.

use std::path::PathBuf;

use crate::tui::protocol::picture_action::PictureAction;

/// Actions of the picture viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ViewerAction {
    Next,
    Previous,
    TenForward,
    TenBack,
    First,
    Last,
    Picture(PictureAction),
    CopyPath,
    /// Shows the four views of the examination, or the image alone.
    Hanging,
    Close,
}

/// Images to browse.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ImageList {
    /// A property that the images share, such as `true B, predicted C`.
    pub(in crate::tui) title: String,
    pub(in crate::tui) images: Vec<ListedImage>,
    /// The index of the image to show first.
    pub(in crate::tui) position: usize,
}

/// An image and its caption.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ListedImage {
    pub(in crate::tui) path: PathBuf,
    /// The line below the picture, such as `subject 145 · true C · predicted C (.83)`.
    pub(in crate::tui) caption: String,
}
