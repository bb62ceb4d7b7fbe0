//! The vocabulary of the picture viewer: its actions and the images it shows.

use std::path::PathBuf;

/// What can be done with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ViewerAction {
    Next,
    Previous,
    TenOn,
    TenBack,
    First,
    Last,
    NextWindow,
    Brighter,
    Darker,
    MoreContrast,
    LessContrast,
    UsualWindow,
    Close,
}

/// Images to walk through.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ImageList {
    /// What they have in common: `true B, predicted C`.
    pub(in crate::tui) title: String,
    /// The images.
    pub(in crate::tui) images: Vec<ListedImage>,
    /// The one to begin with.
    pub(in crate::tui) position: usize,
}

/// An image and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ListedImage {
    /// Its file.
    pub(in crate::tui) path: PathBuf,
    /// A line about it, for beneath the picture: `subject 145 · true C · predicted C (.83)`.
    pub(in crate::tui) caption: String,
}
