//! The views of an examination, found beside one of its images.

use std::path::PathBuf;

use mammoscope_domain::subject::view::View;

/// The images of the four views, in the order of [`View::ALL`], which is that of the hanging: right before left, CC
/// above MLO.
pub(in crate::tui) type FoundViews = [Option<PathBuf>; View::ALL.len()];

/// The answer to a request for the views of an examination.
#[derive(Clone, Debug)]
pub(in crate::tui) struct ViewsMessage {
    /// The image whose examination it is.
    pub(in crate::tui) of: PathBuf,
    pub(in crate::tui) found: FoundViews,
}
