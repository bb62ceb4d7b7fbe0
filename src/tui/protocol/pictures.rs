//! The vocabulary of pictures: requests and the encoded pictures that answer them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ratatui_image::protocol::Protocol;

use crate::terminal::graphics::PictureLook;
use crate::terminal::sizes::Cells;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::framing::{FramedPart, Framing};
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::protocol::painted_review::PaintedReview;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::image_header::ImageHeader;
use mammoscope_imaging::intensity_window::{GreyStatistics, IntensityWindow, WindowChoice};

/// A place on the screen that shows one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum PicturePlace {
    /// The preview beside a list.
    Preview,
    /// The full-screen viewer.
    Viewer,
    /// One of at most [`TILES`] pictures side by side on the screen Explain, counted from 0.
    Tile(u8),
    /// The original beside a prepared image.
    Original,
    /// A prepared image.
    Prepared,
    /// One of the four views of an examination, counted from 0.
    Hung(u8),
}

impl PicturePlace {
    /// The number of places.
    pub(crate) const COUNT: usize = 4 + TILES + VIEWS;

    /// The index among all places.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Preview => 0,
            Self::Viewer => 1,
            Self::Tile(tile) => 2 + tile as usize % TILES,
            Self::Original => 2 + TILES,
            Self::Prepared => 3 + TILES,
            Self::Hung(view) => 4 + TILES + view as usize % VIEWS,
        }
    }
}

/// The largest number of pictures side by side.
pub(in crate::tui) const TILES: usize = 4;

/// The number of standard views.
const VIEWS: usize = 4;

/// A request for a picture.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct PictureRequest {
    pub(in crate::tui) place: PicturePlace,
    pub(in crate::tui) path: PathBuf,
    /// The available room.
    pub(in crate::tui) room: Cells,
    pub(in crate::tui) window: WindowChoice,
    /// The part of the image, how it is turned, and the cursor in it.
    pub(in crate::tui) framing: Framing,
    /// The picture that is painted instead of the file's; `None` for the image as stored.
    pub(in crate::tui) painted: Option<Painted>,
    pub(in crate::tui) look: PictureLook,
}

/// A picture that is painted rather than read from a file.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Painted {
    Explanation(PaintedExplanation),
    Review(PaintedReview),
}

impl From<PaintedExplanation> for Painted {
    fn from(painted: PaintedExplanation) -> Self {
        Self::Explanation(painted)
    }
}

impl From<PaintedReview> for Painted {
    fn from(painted: PaintedReview) -> Self {
        Self::Review(painted)
    }
}

/// Effects for the service of pictures.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum PictureEffect {
    /// Decode and encode a picture.
    Show {
        request: PictureRequest,
        /// Images that will probably be shown next.
        neighbours: Vec<PathBuf>,
    },
}

/// The answer to a request for a picture.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PictureMessage {
    pub(in crate::tui) request: PictureRequest,
    pub(in crate::tui) outcome: Result<EncodedPicture, Failure>,
}

/// A picture that is ready to be drawn, and facts about its file.
#[derive(Clone, Debug)]
pub(in crate::tui) struct EncodedPicture {
    pub(in crate::tui) drawing: Drawing,
    /// The part of the image that it shows.
    pub(in crate::tui) part: FramedPart,
    /// The pixel under the cursor; `None` without a cursor or without the file.
    pub(in crate::tui) probe: Option<Probe>,
    /// `None` for a picture that is painted without the file.
    pub(in crate::tui) facts: Option<PictureFacts>,
}

/// A pixel of an image as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Probe {
    /// Column and row in the file, from 0.
    pub(in crate::tui) column: u32,
    pub(in crate::tui) row: u32,
    pub(in crate::tui) value: StoredValue,
}

/// The value of a pixel as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum StoredValue {
    Grey(u16),
    Colour([u8; 3]),
}

impl fmt::Display for Probe {
    /// `x 512  y 1033  grey 87`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, row, .. } = self;
        match self.value {
            StoredValue::Grey(grey) => write!(f, "x {column}  y {row}  grey {grey}"),
            StoredValue::Colour([red, green, blue]) => write!(f, "x {column}  y {row}  colour {red} {green} {blue}"),
        }
    }
}

/// A picture that is ready to be drawn.
#[derive(Clone)]
pub(in crate::tui) enum Drawing {
    /// Drawn by a graphics protocol of the terminal.
    Protocol(Box<Protocol>),
    /// Drawn by characters.
    Cells(CellPicture),
}

impl Drawing {
    /// The size on screen.
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

/// Facts about a decoded image.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PictureFacts {
    pub(in crate::tui) header: ImageHeader,
    pub(in crate::tui) statistics: Arc<GreyStatistics>,
    /// The grey window in use; `None` for a colour image, which is drawn as stored.
    pub(in crate::tui) window: Option<IntensityWindow>,
    pub(in crate::tui) window_name: &'static str,
    /// Reasons to doubt that this is a mammogram as expected.
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

    /// Centre and width of the window, such as `C 112 W 185`; empty for a colour image.
    pub(in crate::tui) fn centre_text(&self) -> String {
        self.window.map_or_else(String::new, |window| {
            let (centre, width) = window.centre_and_width();
            format!("C {centre} W {width}")
        })
    }
}
