//! The vocabulary of pictures: requests and the encoded pictures that answer them.

use crate::terminal::sizes::Cells;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui_image::protocol::Protocol;

use crate::terminal::graphics::PictureLook;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::painted::PaintedExplanation;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;
use mammoscope_imaging::intensity_window::{GreyStatistics, IntensityWindow, WindowChoice};

/// Where a picture is shown; each place has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PicturePlace {
    /// Beside a list.
    Preview,
    /// Full screen.
    Viewer,
    /// One of those beside each other on the screen Explain, counted from 0; there are at most [`TILES`].
    Tile(u8),
}

impl PicturePlace {
    /// How many places there are.
    pub(crate) const COUNT: usize = 2 + TILES;

    /// Its number among all places.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Preview => 0,
            Self::Viewer => 1,
            Self::Tile(tile) => 2 + tile as usize % TILES,
        }
    }
}

/// How many pictures stand beside each other at most.
pub(in crate::tui) const TILES: usize = 4;

/// A picture and how it is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct PictureRequest {
    pub(in crate::tui) place: PicturePlace,
    /// The image file.
    pub(in crate::tui) path: PathBuf,
    /// Columns and rows that it may take.
    pub(in crate::tui) room: Cells,
    pub(in crate::tui) window: WindowChoice,
    /// What is painted over it; without, it is the image as it is stored.
    pub(in crate::tui) painted: Option<PaintedExplanation>,
    pub(in crate::tui) look: PictureLook,
}

/// What is wanted of the world for a picture.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum PictureEffect {
    /// Decode and encode it.
    Show {
        /// What is to be shown.
        request: PictureRequest,
        /// What will probably be shown next.
        neighbours: Vec<PathBuf>,
    },
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) struct PictureMessage {
    /// What was asked for.
    pub(in crate::tui) request: PictureRequest,
    /// The picture, or why there is none.
    pub(in crate::tui) outcome: Result<EncodedPicture, String>,
}

/// A picture, ready to be drawn, and what is known of it.
#[derive(Clone, Debug)]
pub(in crate::tui) struct EncodedPicture {
    pub(in crate::tui) drawing: Drawing,
    /// Of the stored image; of what was painted there is none.
    pub(in crate::tui) facts: Option<PictureFacts>,
}

/// A picture, ready to be drawn.
#[derive(Clone)]
pub(in crate::tui) enum Drawing {
    /// By a protocol of the terminal.
    Protocol(Box<Protocol>),
    /// By characters.
    Cells(CellPicture),
}

impl Drawing {
    /// Columns and rows that it takes.
    pub(in crate::tui) fn size(&self) -> Cells {
        match self {
            Self::Protocol(protocol) => Cells { columns: protocol.size().width, rows: protocol.size().height },
            Self::Cells(cells) => cells.size(),
        }
    }
}

impl fmt::Debug for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cells { columns, rows } = self.size();
        write!(f, "a picture of {columns} × {rows} cells")
    }
}

/// What is known of a picture when it is decoded.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PictureFacts {
    /// What the file holds, and its length.
    pub(in crate::tui) header: ImageHeader,
    /// Its grey values.
    pub(in crate::tui) statistics: Arc<GreyStatistics>,
    /// The window that it is drawn with; `None` for a coloured image, which is drawn as it is.
    pub(in crate::tui) window: Option<IntensityWindow>,
    /// What the window is called.
    pub(in crate::tui) window_name: &'static str,
    /// Why it cannot be a mammogram as expected.
    pub(in crate::tui) doubts: Arc<[ImageDoubt]>,
}

impl PictureFacts {
    /// `window 20–204 · whole range`
    pub(in crate::tui) fn window_text(&self) -> String {
        match self.window {
            Some(IntensityWindow { low, high }) => format!("window {low}–{high} · {}", self.window_name),
            None => "in colour, as stored".to_owned(),
        }
    }
}
