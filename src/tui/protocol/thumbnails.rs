//! The vocabulary of thumbnails: requests and the encoded pictures that answer them.

use std::path::PathBuf;

use crate::terminal::graphics::PictureLook;
use crate::terminal::sizes::Cells;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::pictures::Drawing;

/// A request for thumbnails, which replaces the one before.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ThumbnailRequest {
    pub(in crate::tui) look: PictureLook,
    /// The room of each thumbnail.
    pub(in crate::tui) room: Cells,
    /// The images, those on screen first.
    pub(in crate::tui) paths: Vec<PathBuf>,
}

/// A thumbnail, or why there is none.
#[derive(Clone, Debug)]
pub(in crate::tui) struct ThumbnailMessage {
    pub(in crate::tui) path: PathBuf,
    pub(in crate::tui) look: PictureLook,
    pub(in crate::tui) room: Cells,
    pub(in crate::tui) outcome: Result<Drawing, Failure>,
}
