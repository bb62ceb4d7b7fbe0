//! A small picture in the words of the terminal.

use std::fmt::Write as _;

use image::{DynamicImage, GenericImage as _, RgbaImage};
use ratatui::layout::Size;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;

use crate::terminal::grey_sixel::grey_sixel;
use crate::tui::graphics::PictureWay;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::pictures::{Drawing, PicturePlace, PictureRequest};

/// xterm draws no sixel picture that is wider or higher, unless it is told to.
const MAX_SIXEL_SIDE: u32 = 1000;
/// Numbers of kitty's pictures begin here, so that they are not those of other programs.
const FIRST_ID: u32 = 0x6d_61_00;
/// How many a place has: one is shown, another is on its way.
const IDS: u32 = 4;

/// The size of a picture in pixels, and the columns and rows that it takes: as large as the room allows, its aspect
/// kept.
pub(super) fn encoded_size(request: &PictureRequest, (width, height): (u32, u32)) -> ((u32, u32), (u16, u16)) {
    let (columns, rows) = (request.room.0.max(1), request.room.1.max(1));
    let (across, down) = (u32::from(request.look.cell.0), u32::from(request.look.cell.1));
    let most = if matches!(request.look.way, PictureWay::Sixel { .. }) { MAX_SIXEL_SIDE } else { u32::MAX };
    let room = ((u32::from(columns) * across).min(most), (u32::from(rows) * down).min(most));
    let scale = (f64::from(room.0) / f64::from(width)).min(f64::from(room.1) / f64::from(height));
    let side = |pixels: u32, most: u32| ((f64::from(pixels) * scale).round() as u32).clamp(1, most);
    let pixels = (side(width, room.0), side(height, room.1));
    match request.look.way {
        PictureWay::Halfblocks(_) | PictureWay::Ascii { .. } => {
            let cells = |pixels: u32, cell: u32| (f64::from(pixels) / f64::from(cell)).round().max(1.0) as u32;
            let (columns, rows) = (cells(pixels.0, across), cells(pixels.1, down));
            let halves = if matches!(request.look.way, PictureWay::Ascii { .. }) { 1 } else { 2 };
            ((columns, rows * halves), (columns as u16, rows as u16))
        }
        _ => (pixels, (pixels.0.div_ceil(across) as u16, pixels.1.div_ceil(down) as u16)),
    }
}

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
        (columns, rows): (u16, u16),
    ) -> Result<Drawing, String> {
        let size = Size::new(columns, rows);
        let refused = |error: ratatui_image::errors::Errors| format!("cannot be drawn: {error}");
        let protocol = match request.look.way {
            PictureWay::Halfblocks(depth) => return Ok(Drawing::Cells(CellPicture::halfblocks(picture, depth))),
            PictureWay::Ascii { light } => return Ok(Drawing::Cells(CellPicture::ascii(picture, light))),
            PictureWay::Kitty { compress } => {
                let (across, down) = request.look.cell;
                let whole = (u32::from(columns) * u32::from(across), u32::from(rows) * u32::from(down));
                let id = self.next_id(request.place);
                Protocol::Kitty(Kitty::new(padded(picture, whole), size, id, false, compress).map_err(refused)?)
            }
            PictureWay::Iterm2 => Protocol::ITerm2(Iterm2::new(picture.clone(), size, false).map_err(refused)?),
            PictureWay::Sixel { registers } => Protocol::Sixel(match picture.as_luma8() {
                Some(grey) => {
                    let data = erased(columns, rows) + &grey_sixel(grey, registers);
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

/// Whole cells, so that kitty need not stretch: what is beyond the picture shows the terminal's background.
fn padded(picture: &DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    let mut whole = RgbaImage::new(width, height);
    whole.copy_from(&picture.to_rgba8(), 0, 0).expect("a picture is not larger than its cells");
    whole.into()
}

/// What lies in these cells is erased, and the cursor comes back: what the program does not write there stays otherwise.
fn erased(columns: u16, rows: u16) -> String {
    let mut sequence = String::new();
    for _ in 0..rows {
        let _ = write!(sequence, "\x1b[{columns}X\x1b[B");
    }
    let _ = write!(sequence, "\x1b[{rows}A");
    sequence
}
