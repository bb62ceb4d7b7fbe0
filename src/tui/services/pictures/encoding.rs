//! A small picture in the words of the terminal.

use crate::terminal::sizes::Cells;
use crate::terminal::sizes::padded;
use std::fmt::Write as _;

use image::DynamicImage;
use ratatui::layout::Size;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;

use crate::terminal::graphics::PictureWay;
use crate::terminal::grey_sixel::grey_sixel;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::pictures::{Drawing, PicturePlace, PictureRequest};

/// Numbers of kitty's pictures begin here, so that they are not those of other programs.
const FIRST_ID: u32 = 0x6d_61_00;
/// How many a place has: one is shown, another is on its way.
const IDS: u32 = 4;

/// Encodes pictures, each of kitty's with a number of its own.
#[derive(Default)]
pub(super) struct Encoder {
    /// How many pictures each place had.
    shown: [u32; PicturePlace::COUNT],
}

impl Encoder {
    /// A picture in 8 bits, in so many cells.
    pub(super) fn encode(
        &mut self,
        request: &PictureRequest,
        picture: &DynamicImage,
        cells: Cells,
    ) -> Result<Drawing, String> {
        let size = Size::new(cells.columns, cells.rows);
        let refused = |error: ratatui_image::errors::Errors| format!("cannot be drawn: {error}");
        let protocol = match request.look.way {
            PictureWay::Halfblocks(depth) => return Ok(Drawing::Cells(CellPicture::halfblocks(picture, depth))),
            PictureWay::Ascii { light } => return Ok(Drawing::Cells(CellPicture::ascii(picture, light))),
            PictureWay::Kitty { compress } => {
                let whole = padded(picture, cells.pixels(request.look.cell));
                let id = self.next_id(request.place);
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

    fn next_id(&mut self, place: PicturePlace) -> u32 {
        let shown = &mut self.shown[place.index()];
        *shown = shown.wrapping_add(1);
        FIRST_ID + place.index() as u32 * IDS + *shown % IDS
    }
}

/// What lies in these cells is erased, and the cursor comes back: what the program does not write there stays otherwise.
fn erased(Cells { columns, rows }: Cells) -> String {
    let mut sequence = String::new();
    for _ in 0..rows {
        let _ = write!(sequence, "\x1b[{columns}X\x1b[B");
    }
    let _ = write!(sequence, "\x1b[{rows}A");
    sequence
}
