//! The size of a picture in a terminal: as large as its room allows.

use super::graphics::{PictureLook, PictureWay};
use super::sizes::{Cells, Pixels};

/// The largest sixel picture that xterm draws by default.
const MAX_SIXEL_SIDE: u32 = 1000;

impl PictureLook {
    /// The size to which a picture is scaled, and the cells that it then takes: as large as the room allows, keeping
    /// the aspect ratio. Half-blocks show two pixels per cell, ASCII one.
    pub(crate) fn fit(self, picture: Pixels, room: Cells) -> (Pixels, Cells) {
        let cell = self.cell;
        let limit = if matches!(self.way, PictureWay::Sixel { .. }) { MAX_SIXEL_SIDE } else { u32::MAX };
        let room = Cells { columns: room.columns.max(1), rows: room.rows.max(1) }.pixels(cell);
        let room = Pixels { width: room.width.min(limit), height: room.height.min(limit) };
        let across = f64::from(room.width) / f64::from(picture.width);
        let down = f64::from(room.height) / f64::from(picture.height);
        let scale = across.min(down);
        let side = |pixels: u32, limit: u32| ((f64::from(pixels) * scale).round() as u32).clamp(1, limit);
        let scaled = Pixels { width: side(picture.width, room.width), height: side(picture.height, room.height) };
        let pixels_per_row = match self.way {
            PictureWay::Halfblocks(_) => 2,
            PictureWay::Ascii { .. } => 1,
            PictureWay::Kitty { .. } | PictureWay::Iterm2 | PictureWay::Sixel { .. } => {
                let columns = scaled.width.div_ceil(cell.width) as u16;
                return (scaled, Cells { columns, rows: scaled.height.div_ceil(cell.height) as u16 });
            }
        };
        let cells = |pixels: u32, cell: u32| (f64::from(pixels) / f64::from(cell)).round().max(1.0) as u32;
        let (columns, rows) = (cells(scaled.width, cell.width), cells(scaled.height, cell.height));
        let cells = Cells { columns: columns as u16, rows: rows as u16 };
        (Pixels { width: columns, height: rows * pixels_per_row }, cells)
    }

    /// The pixels of a picture that fill the room: half-blocks have two per cell, ASCII one.
    pub(crate) fn dots(self, room: Cells) -> Pixels {
        let whole = room.pixels(self.cell);
        let (columns, rows) = (u32::from(room.columns), u32::from(room.rows));
        match self.way {
            PictureWay::Halfblocks(_) => Pixels { width: columns, height: rows * 2 },
            PictureWay::Ascii { .. } => Pixels { width: columns, height: rows },
            PictureWay::Sixel { .. } => {
                Pixels { width: whole.width.min(MAX_SIXEL_SIDE), height: whole.height.min(MAX_SIXEL_SIDE) }
            }
            PictureWay::Kitty { .. } | PictureWay::Iterm2 => whole,
        }
    }

    /// The height of a picture's pixel on the screen relative to its width.
    pub(crate) fn aspect_of_dots(self) -> f64 {
        let aspect = f64::from(self.cell.height) / f64::from(self.cell.width.max(1));
        match self.way {
            PictureWay::Halfblocks(_) => aspect / 2.0,
            PictureWay::Ascii { .. } => aspect,
            PictureWay::Kitty { .. } | PictureWay::Iterm2 | PictureWay::Sixel { .. } => 1.0,
        }
    }

    /// A size in the picture's pixels, in characters rounded up to whole ones, and the cells that it takes.
    pub(crate) fn whole_cells(self, picture: Pixels) -> (Pixels, Cells) {
        let cells = |columns: u32, rows: u32| Cells { columns: columns.max(1) as u16, rows: rows.max(1) as u16 };
        match self.way {
            PictureWay::Halfblocks(_) => {
                let rows = picture.height.div_ceil(2);
                (Pixels { width: picture.width, height: rows * 2 }, cells(picture.width, rows))
            }
            PictureWay::Ascii { .. } => (picture, cells(picture.width, picture.height)),
            PictureWay::Kitty { .. } | PictureWay::Iterm2 | PictureWay::Sixel { .. } => {
                let Pixels { width, height } = self.cell;
                (picture, cells(picture.width.div_ceil(width), picture.height.div_ceil(height)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terminal::color_depth::ColorDepth;

    const USUAL_CELL: Pixels = Pixels { width: 10, height: 20 };
    const ROOM: Cells = Cells { columns: 80, rows: 22 };

    fn cells(way: PictureWay, picture: (u32, u32), room: Cells) -> (u16, u16) {
        let (_, cells) = PictureLook { way, cell: USUAL_CELL }.fit(picture.into(), room);
        (cells.columns, cells.rows)
    }

    #[test]
    fn the_aspect_is_kept_and_the_room_is_filled() {
        for way in [PictureWay::Halfblocks(ColorDepth::True), PictureWay::Kitty { compress: false }] {
            // Twice as high as wide, in cells twice as high as wide: as many rows as columns.
            assert_eq!(cells(way, (1000, 2000), ROOM), (22, 22), "{way:?}");
            assert_eq!(cells(way, (10, 20), ROOM), (22, 22), "{way:?}");
            assert_eq!(cells(way, (4000, 1000), ROOM), (80, 10), "{way:?}");
            assert_eq!(cells(way, (10_000, 1), ROOM), (80, 1), "{way:?}");
            assert_eq!(cells(way, (10, 10), Cells { columns: 1, rows: 0 }), (1, 1), "{way:?}");
        }
    }

    #[test]
    fn sixel_pictures_keep_their_aspect_to_the_pixel_within_what_xterm_draws() {
        let cell = Pixels { width: 8, height: 17 };
        let look = PictureLook { way: PictureWay::Sixel { registers: 256 }, cell };
        let pixels = |picture: (u32, u32), room: Cells| look.fit(picture.into(), room).0;
        assert_eq!(pixels((512, 512), ROOM), (374, 374).into());
        assert_eq!(pixels((1000, 100), ROOM), (640, 64).into());
        assert_eq!(pixels((2000, 4000), Cells { columns: 300, rows: 100 }), (500, 1000).into());
        assert_eq!(pixels((9000, 2), Cells { columns: 1, rows: 0 }), (8, 1).into());
    }

    proptest! {
        #[test]
        fn pictures_keep_within_their_cells(
            width in 1_u32..6000, height in 1_u32..6000, columns in 1_u16..200, rows in 1_u16..80, way in 0_usize..4,
        ) {
            let ways = [
                PictureWay::Kitty { compress: true },
                PictureWay::Sixel { registers: 256 },
                PictureWay::Halfblocks(ColorDepth::True),
                PictureWay::Ascii { light: false },
            ];
            let look = PictureLook { way: ways[way], cell: USUAL_CELL };
            let (pixels, taken) = look.fit((width, height).into(), Cells { columns, rows });
            prop_assert!(taken.columns <= columns && taken.rows <= rows && taken.columns > 0 && taken.rows > 0);
            match ways[way] {
                PictureWay::Halfblocks(_) => prop_assert_eq!(pixels, taken.pixels(Pixels { width: 1, height: 2 })),
                PictureWay::Ascii { .. } => prop_assert_eq!(pixels, taken.pixels(Pixels { width: 1, height: 1 })),
                _ => {
                    let whole = taken.pixels(USUAL_CELL);
                    prop_assert!(pixels.width <= whole.width && pixels.height <= whole.height);
                }
            }
        }
    }
}
