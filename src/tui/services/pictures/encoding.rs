//! Encodes scaled pictures for the terminal.

use std::fmt::Write as _;

use image::DynamicImage;
use ratatui::layout::Size;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;

use crate::terminal::graphics::{PictureLook, PictureWay};
use crate::terminal::grey_sixel::grey_sixel;
use crate::terminal::sizes::{Cells, padded};
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::pictures::{Drawing, PicturePlace, PictureRequest};

/// The first id of a kitty picture, chosen to avoid those of other programs.
const FIRST_ID: u32 = 0x6d_61_00;
/// The number of ids per place: while one picture is shown, another is on its way.
const IDS_PER_PLACE: u32 = 4;

/// Encodes pictures; each kitty picture gets an id of its own.
#[derive(Default)]
pub(super) struct Encoder {
    /// The number of pictures that each place had.
    shown: [u32; PicturePlace::COUNT],
}

impl Encoder {
    /// Encodes an 8-bit picture for a size in cells.
    pub(super) fn encode(
        &mut self,
        request: &PictureRequest,
        picture: &DynamicImage,
        cells: Cells,
    ) -> Result<Drawing, Failure> {
        let place = request.place;
        encoded(request.look, picture, cells, || self.next_id(place))
    }

    fn next_id(&mut self, place: PicturePlace) -> u32 {
        let shown = &mut self.shown[place.index()];
        *shown = shown.wrapping_add(1);
        FIRST_ID + place.index() as u32 * IDS_PER_PLACE + *shown % IDS_PER_PLACE
    }
}

/// Encodes an 8-bit picture for a size in cells; a kitty picture gets the next id.
pub(super) fn encoded(
    look: PictureLook,
    picture: &DynamicImage,
    cells: Cells,
    next_id: impl FnOnce() -> u32,
) -> Result<Drawing, Failure> {
    let size = Size::new(cells.columns, cells.rows);
    let refused = |error: ratatui_image::errors::Errors| Failure::new(format_args!("cannot be drawn: {error}"));
    let protocol = match look.way {
        PictureWay::Halfblocks(depth) => return Ok(Drawing::Cells(CellPicture::halfblocks(picture, depth))),
        PictureWay::Ascii { light } => return Ok(Drawing::Cells(CellPicture::ascii(picture, light))),
        PictureWay::Kitty { compress } => {
            let whole = padded(picture, cells.pixels(look.cell));
            let id = next_id();
            Protocol::Kitty(Kitty::new(whole, size, id, false, compress).map_err(refused)?)
        }
        PictureWay::Iterm2 => Protocol::ITerm2(Iterm2::new(picture.clone(), size, false).map_err(refused)?),
        PictureWay::Sixel { registers } => Protocol::Sixel(match picture.as_luma8() {
            Some(grey) => {
                let data = erased(cells) + &grey_sixel(grey, registers);
                Sixel { data, size, is_tmux: false }
            }
            None => Sixel::new(picture.clone(), size, false).map_err(refused)?,
        }),
    };
    Ok(Drawing::Protocol(Box::new(protocol)))
}

/// The sequence that erases these cells and returns the cursor; otherwise their old content would stay.
fn erased(Cells { columns, rows }: Cells) -> String {
    let mut sequence = String::new();
    for _ in 0..rows {
        let _ = write!(sequence, "\x1b[{columns}X\x1b[B");
    }
    let _ = write!(sequence, "\x1b[{rows}A");
    sequence
}
