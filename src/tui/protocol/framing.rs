//! The part of an image that a picture shows: whole or magnified, turned, and with a cursor in it.

use std::f64::consts::FRAC_1_SQRT_2;
use std::path::PathBuf;
use std::sync::Arc;

use crate::terminal::graphics::PictureLook;
use crate::terminal::sizes::{Cells, Pixels};
use mammoscope_domain::subject::view::Side;

/// The magnifications, in pixels of the picture per pixel of the image.
const SCALES: [f64; 15] = [
    1.0 / 64.0,
    1.0 / 32.0,
    1.0 / 16.0,
    FRAC_1_SQRT_2 / 8.0,
    1.0 / 8.0,
    FRAC_1_SQRT_2 / 4.0,
    1.0 / 4.0,
    FRAC_1_SQRT_2 / 2.0,
    1.0 / 2.0,
    FRAC_1_SQRT_2,
    1.0,
    2.0,
    4.0,
    8.0,
    16.0,
];
/// Scales that differ by less are not worth a step.
const SAME: f64 = 1.15;
/// The share of the visible part by which it is panned.
const PAN: f64 = 0.25;

/// A position in an image, as shares of its width and height from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) struct Share {
    pub(in crate::tui) x: f64,
    pub(in crate::tui) y: f64,
}

impl Share {
    pub(in crate::tui) const MIDDLE: Self = Self { x: 0.5, y: 0.5 };

    /// The position moved by shares, within the image.
    pub(in crate::tui) fn moved(self, x: f64, y: f64) -> Self {
        Self { x: (self.x + x).clamp(0.0, 1.0), y: (self.y + y).clamp(0.0, 1.0) }
    }
}

/// A magnified part of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) struct Zoom {
    /// Pixels of the picture per pixel of the image.
    pub(in crate::tui) scale: f64,
    pub(in crate::tui) centre: Share,
}

/// How an image hangs beside the other views of its examination.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Hanging {
    /// The side on which the chest wall is to be.
    pub(in crate::tui) chest_wall: Side,
    /// The images whose scale this one shares, itself included.
    pub(in crate::tui) beside: Arc<[PathBuf]>,
}

/// The part of an image to show, how it is turned, and the cursor in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct Framing {
    /// `None` for the whole image.
    pub(in crate::tui) zoom: Option<Zoom>,
    /// The crosshair.
    pub(in crate::tui) cursor: Option<Share>,
    /// `None` for an image on its own, which is shown as it is stored.
    pub(in crate::tui) hanging: Option<Hanging>,
}

/// The part of an image that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::tui) struct FramedPart {
    /// The size of the image.
    pub(in crate::tui) image: Pixels,
    /// The upper left corner and the size of the part in pixels of the image, after it was turned.
    pub(in crate::tui) left: u32,
    pub(in crate::tui) top: u32,
    pub(in crate::tui) part: Pixels,
    /// The size of the picture in its own pixels, and in cells.
    pub(in crate::tui) picture: Pixels,
    pub(in crate::tui) cells: Cells,
    /// True if the image is shown mirrored, left for right.
    pub(in crate::tui) is_flipped: bool,
}

impl FramedPart {
    /// The whole image in a room.
    pub(in crate::tui) fn whole(look: PictureLook, image: Pixels, room: Cells) -> Self {
        let (picture, cells) = look.fit(image, room);
        Self { image, left: 0, top: 0, part: image, picture, cells, is_flipped: false }
    }

    /// The whole image at the scale at which the larger size `shared` fits into the room.
    pub(in crate::tui) fn at_shared_scale(look: PictureLook, image: Pixels, shared: Pixels, room: Cells) -> Self {
        let (picture, _) = look.fit(shared, room);
        let scale = f64::from(picture.height) / f64::from(shared.height.max(1)) * look.aspect_of_dots();
        Self::magnified(look, image, room, Zoom { scale, centre: Share::MIDDLE })
    }

    /// A magnified part of the image, as large as the room allows.
    pub(in crate::tui) fn magnified(look: PictureLook, image: Pixels, room: Cells, zoom: Zoom) -> Self {
        let dots = look.dots(room);
        // Pixels of a picture of characters may be higher than wide.
        let (across, down) = (zoom.scale, zoom.scale / look.aspect_of_dots());
        let side = |image: u32, scale: f64, room: u32| {
            let drawn = (f64::from(image) * scale).round().clamp(1.0, f64::from(room.max(1)));
            let part = (drawn / scale).round().clamp(1.0, f64::from(image.max(1)));
            (drawn as u32, part as u32)
        };
        let ((width, part_width), (height, part_height)) =
            (side(image.width, across, dots.width), side(image.height, down, dots.height));
        let corner = |share: f64, image: u32, part: u32| {
            let corner = share * f64::from(image) - f64::from(part) / 2.0;
            corner.round().clamp(0.0, f64::from(image.saturating_sub(part))) as u32
        };
        let (picture, cells) = look.whole_cells(Pixels { width, height });
        Self {
            image,
            left: corner(zoom.centre.x, image.width, part_width),
            top: corner(zoom.centre.y, image.height, part_height),
            part: Pixels { width: part_width, height: part_height },
            picture,
            cells,
            is_flipped: false,
        }
    }

    /// Pixels of the picture per pixel of the image.
    pub(in crate::tui) fn scale(&self) -> f64 {
        f64::from(self.picture.width) / f64::from(self.part.width.max(1))
    }

    /// True if the picture shows all of the image.
    pub(in crate::tui) fn is_whole(&self) -> bool {
        self.part == self.image
    }

    /// The position of the middle of the part.
    pub(in crate::tui) fn centre(&self) -> Share {
        let middle =
            |corner: u32, part: u32, image: u32| (f64::from(corner) + f64::from(part) / 2.0) / f64::from(image.max(1));
        Share {
            x: middle(self.left, self.part.width, self.image.width),
            y: middle(self.top, self.part.height, self.image.height),
        }
    }

    /// The position in the image of a position in the picture.
    pub(in crate::tui) fn position(&self, in_picture: Share) -> Share {
        let at = |corner: u32, part: u32, image: u32, share: f64| {
            (f64::from(corner) + share * f64::from(part)) / f64::from(image.max(1))
        };
        Share {
            x: at(self.left, self.part.width, self.image.width, in_picture.x),
            y: at(self.top, self.part.height, self.image.height, in_picture.y),
        }
    }

    /// The position in the picture of a position in the image; outside 0 to 1 if it is not visible.
    pub(in crate::tui) fn in_picture(&self, position: Share) -> Share {
        let at = |corner: u32, part: u32, image: u32, share: f64| {
            (share * f64::from(image) - f64::from(corner)) / f64::from(part.max(1))
        };
        Share {
            x: at(self.left, self.part.width, self.image.width, position.x),
            y: at(self.top, self.part.height, self.image.height, position.y),
        }
    }

    /// The pixel at a position, as the file numbers them: column and row from 0.
    pub(in crate::tui) fn pixel(&self, position: Share) -> (u32, u32) {
        let at = |share: f64, image: u32| ((share * f64::from(image)) as u32).min(image.saturating_sub(1));
        let (column, row) = (at(position.x, self.image.width), at(position.y, self.image.height));
        (if self.is_flipped { self.image.width - 1 - column } else { column }, row)
    }

    /// The next larger or smaller magnification around a position of the image; `None` for the whole image.
    pub(in crate::tui) fn zoomed(&self, steps: i32, around: Share, whole_scale: f64) -> Option<Zoom> {
        let scale = self.scale();
        let next = match steps {
            0 => scale,
            1.. => SCALES.into_iter().find(|next| *next > scale * SAME).unwrap_or(SCALES[SCALES.len() - 1]),
            _ => SCALES.into_iter().rfind(|next| *next < scale / SAME).unwrap_or(SCALES[0]),
        };
        if next <= whole_scale * SAME {
            return None;
        }
        // The position stays where it is in the picture.
        let kept = self.in_picture(around);
        let ratio = scale / next;
        let visible = |part: u32, image: u32| f64::from(part) / f64::from(image.max(1)) * ratio;
        let (across, down) = (visible(self.part.width, self.image.width), visible(self.part.height, self.image.height));
        let centre =
            Share { x: around.x + (0.5 - kept.x) * across, y: around.y + (0.5 - kept.y) * down }.moved(0.0, 0.0);
        Some(Zoom { scale: next, centre })
    }

    /// The centre after panning by a quarter of the visible part, left or right and up or down.
    pub(in crate::tui) fn panned(&self, across: i32, down: i32) -> Share {
        let step = |part: u32, image: u32| PAN * f64::from(part) / f64::from(image.max(1));
        let (x, y) = (step(self.part.width, self.image.width), step(self.part.height, self.image.height));
        let half = |part: u32, image: u32| f64::from(part) / f64::from(image.max(1)) / 2.0;
        let (left, top) = (half(self.part.width, self.image.width), half(self.part.height, self.image.height));
        let moved = self.centre().moved(f64::from(across) * x, f64::from(down) * y);
        Share {
            x: moved.x.clamp(left.min(0.5), 1.0 - left.min(0.5)),
            y: moved.y.clamp(top.min(0.5), 1.0 - top.min(0.5)),
        }
    }

    /// The cursor moved by cells of the screen.
    pub(in crate::tui) fn cursor_moved(&self, cursor: Share, across: i32, down: i32) -> Share {
        let cell = |part: u32, image: u32, cells: u16| {
            (f64::from(part) / f64::from(cells.max(1))).max(1.0) / f64::from(image.max(1))
        };
        // At large magnifications a step is a pixel of the image, and a cell may hold several steps.
        let (x, y) = (
            cell(self.part.width, self.image.width, self.cells.columns),
            cell(self.part.height, self.image.height, self.cells.rows),
        );
        cursor.moved(f64::from(across) * x, f64::from(down) * y)
    }

    /// The magnification in words: `31 %`, `1:1` or `×2`.
    pub(in crate::tui) fn scale_text(&self, ascii: bool) -> String {
        let scale = self.scale();
        let times = if ascii { "x" } else { "×" };
        match scale {
            0.99..1.01 => "1:1".to_owned(),
            1.01.. if (scale - scale.round()).abs() < 0.05 => format!("{times}{scale:.0}"),
            1.01.. => format!("{times}{scale:.1}"),
            0.1.. => format!("{:.0} %", scale * 100.0),
            _ => format!("{:.1} %", scale * 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terminal::color_depth::ColorDepth;
    use crate::terminal::graphics::PictureWay;

    const IMAGE: Pixels = Pixels { width: 1283, height: 2255 };
    const ROOM: Cells = Cells { columns: 80, rows: 22 };

    fn looks() -> [PictureLook; 4] {
        let cell = Pixels { width: 10, height: 20 };
        [
            PictureWay::Kitty { compress: true },
            PictureWay::Sixel { registers: 256 },
            PictureWay::Halfblocks(ColorDepth::True),
            PictureWay::Ascii { light: false },
        ]
        .map(|way| PictureLook { way, cell })
    }

    #[test]
    fn one_to_one_shows_a_pixel_of_the_image_as_one_of_the_picture() {
        for look in looks() {
            let whole = FramedPart::whole(look, IMAGE, ROOM);
            assert!(whole.is_whole() && whole.scale() < 1.0, "{look:?}");
            let part = FramedPart::magnified(look, IMAGE, ROOM, Zoom { scale: 1.0, centre: Share::MIDDLE });
            assert_eq!(part.part.width, part.picture.width, "{look:?}");
            assert_eq!(part.scale_text(false), "1:1");
            let ways = [1.0, if matches!(look.way, PictureWay::Ascii { .. }) { 2.0 } else { 1.0 }];
            assert!((f64::from(part.part.height) / f64::from(part.picture.height) - ways[1]).abs() < 0.01, "{look:?}");
        }
    }

    #[test]
    fn zooming_goes_from_the_whole_image_through_one_to_one_to_sixteen_and_back() {
        let look = looks()[0];
        let whole = FramedPart::whole(look, IMAGE, ROOM);
        let (mut part, mut seen) = (whole, Vec::new());
        for _ in 0..9 {
            let zoom = part.zoomed(1, Share::MIDDLE, whole.scale()).unwrap();
            part = FramedPart::magnified(look, IMAGE, ROOM, zoom);
            seen.push(part.scale_text(false));
        }
        assert_eq!(seen, ["25 %", "35 %", "50 %", "71 %", "1:1", "×2", "×4", "×8", "×16"]);
        let steps = std::iter::successors(Some(part), |part| {
            part.zoomed(-1, Share::MIDDLE, whole.scale()).map(|zoom| FramedPart::magnified(look, IMAGE, ROOM, zoom))
        });
        assert_eq!(steps.count(), 9, "and then whole again");
    }

    #[test]
    fn the_pixel_under_the_cursor_is_that_of_the_file_also_where_the_image_is_mirrored() {
        let mut part = FramedPart::whole(looks()[0], IMAGE, ROOM);
        assert_eq!(part.pixel(Share { x: 0.0, y: 1.0 }), (0, 2254));
        part.is_flipped = true;
        assert_eq!(part.pixel(Share { x: 0.0, y: 1.0 }), (1282, 2254));
    }

    proptest! {
        #[test]
        fn the_part_is_within_the_image_and_the_picture_within_its_room(
            width in 1_u32..6000, height in 1_u32..6000, columns in 1_u16..200, rows in 1_u16..80, way in 0_usize..4,
            scale in 0.01_f64..16.0, x in 0.0_f64..=1.0, y in 0.0_f64..=1.0,
        ) {
            let (image, room) = (Pixels { width, height }, Cells { columns, rows });
            let zoom = Zoom { scale, centre: Share { x, y } };
            let part = FramedPart::magnified(looks()[way], image, room, zoom);
            prop_assert!(part.left + part.part.width <= width && part.top + part.part.height <= height);
            prop_assert!(part.part.width > 0 && part.part.height > 0);
            prop_assert!(part.cells.columns <= columns && part.cells.rows <= rows);
            let middle = part.position(Share::MIDDLE);
            prop_assert!((middle.x - part.centre().x).abs() < 1e-9);
            let back = part.in_picture(middle);
            prop_assert!((back.y - 0.5).abs() < 1e-9);
        }

        #[test]
        fn what_is_under_the_mouse_stays_there(x in 0.3_f64..0.7, y in 0.3_f64..0.7) {
            let look = looks()[0];
            let whole = FramedPart::whole(look, IMAGE, ROOM);
            let start = Zoom { scale: 1.0, centre: Share::MIDDLE };
            let part = FramedPart::magnified(look, IMAGE, ROOM, start);
            let around = part.position(Share { x, y });
            let zoom = part.zoomed(1, around, whole.scale()).unwrap();
            let after = FramedPart::magnified(look, IMAGE, ROOM, zoom).in_picture(around);
            prop_assert!((after.x - x).abs() < 0.01 && (after.y - y).abs() < 0.01, "{after:?}");
        }
    }
}
