//! What is drawn over a picture in grey: the crosshair, and the locator of a magnified part.

use std::ops::Range;

use image::{DynamicImage, GrayImage, Luma, RgbImage};

use crate::tui::protocol::framing::{FramedPart, Share};

/// Pixels around the crossing that the crosshair leaves free.
const GAP: i64 = 2;
/// The longer side of the locator as a share of the picture's shorter side.
const LOCATOR: f64 = 0.22;
/// The smallest locator, in pixels of the picture.
const MIN_LOCATOR: f64 = 7.0;
/// The largest locator, in pixels of the picture.
const MAX_LOCATOR: f64 = 120.0;
/// The greys of the locator: its inside, its border, the visible part, and its outline.
const INSIDE: u8 = 30;
const BORDER: u8 = 130;
const VISIBLE: u8 = 110;
const OUTLINE: u8 = 255;
/// A part that shows more of the image than this needs no locator.
const NEARLY_ALL: f64 = 0.8;

/// A picture whose pixels can be set to a grey.
trait Canvas {
    fn size(&self) -> (u32, u32);
    fn grey(&self, x: u32, y: u32) -> u8;
    fn set(&mut self, x: u32, y: u32, grey: u8);
}

impl Canvas for GrayImage {
    fn size(&self) -> (u32, u32) {
        self.dimensions()
    }

    fn grey(&self, x: u32, y: u32) -> u8 {
        self.get_pixel(x, y).0[0]
    }

    fn set(&mut self, x: u32, y: u32, grey: u8) {
        self.put_pixel(x, y, Luma([grey]));
    }
}

impl Canvas for RgbImage {
    fn size(&self) -> (u32, u32) {
        self.dimensions()
    }

    fn grey(&self, x: u32, y: u32) -> u8 {
        let [red, green, blue] = self.get_pixel(x, y).0.map(u16::from);
        ((red + green + blue) / 3) as u8
    }

    fn set(&mut self, x: u32, y: u32, grey: u8) {
        self.put_pixel(x, y, image::Rgb([grey; 3]));
    }
}

/// Draws the locator, if the picture shows only a part, and the crosshair.
pub(super) fn marked(picture: DynamicImage, part: &FramedPart, cursor: Option<Share>) -> DynamicImage {
    if part.is_whole() && cursor.is_none() {
        return picture;
    }
    match picture {
        DynamicImage::ImageLuma8(mut grey) => {
            mark(&mut grey, part, cursor);
            grey.into()
        }
        other => {
            let mut colour = other.to_rgb8();
            mark(&mut colour, part, cursor);
            colour.into()
        }
    }
}

fn mark(canvas: &mut impl Canvas, part: &FramedPart, cursor: Option<Share>) {
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    let shown = share(part.part.width, part.image.width) * share(part.part.height, part.image.height);
    if shown < NEARLY_ALL {
        draw_locator(canvas, part);
    }
    if let Some(cursor) = cursor {
        draw_crosshair(canvas, part.in_picture(cursor));
    }
}

/// Lines across the picture that are white on dark pixels and black on bright ones.
fn draw_crosshair(canvas: &mut impl Canvas, at: Share) {
    let (width, height) = canvas.size();
    let pixel = |share: f64, side: u32| (share * f64::from(side)).floor() as i64;
    let (column, row) = (pixel(at.x, width), pixel(at.y, height));
    let mut invert = |x: i64, y: i64| {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && x < width
            && y < height
        {
            let grey = if canvas.grey(x, y) < 128 { 255 } else { 0 };
            canvas.set(x, y, grey);
        }
    };
    (0..i64::from(width)).filter(|x| (x - column).abs() > GAP).for_each(|x| invert(x, row));
    (0..i64::from(height)).filter(|y| (y - row).abs() > GAP).for_each(|y| invert(column, y));
}

/// A small map of the image in the lower left corner, with the visible part filled.
fn draw_locator(canvas: &mut impl Canvas, part: &FramedPart) {
    let (width, height) = canvas.size();
    let longer = (f64::from(width.min(height)) * LOCATOR).clamp(MIN_LOCATOR, MAX_LOCATOR);
    let (across, down) = (f64::from(part.image.width), f64::from(part.image.height));
    let scale = longer / across.max(down).max(1.0);
    let (columns, rows) = ((across * scale).round().max(3.0) as u32, (down * scale).round().max(3.0) as u32);
    if columns + 2 > width || rows + 2 > height {
        return;
    }
    let (left, top) = (1, height - rows - 1);
    let visible = |corner: u32, length: u32, scaled: u32, whole: u32| {
        let at = |value: u32| f64::from(value) / f64::from(whole.max(1)) * f64::from(scaled);
        let first = at(corner).floor() as u32;
        first..(at(corner + length).ceil() as u32).clamp(first + 1, scaled.max(first + 1))
    };
    let shown_columns = visible(part.left, part.part.width, columns, part.image.width);
    let shown_rows = visible(part.top, part.part.height, rows, part.image.height);
    for y in 0..rows {
        for x in 0..columns {
            let is_border = x == 0 || y == 0 || x + 1 == columns || y + 1 == rows;
            let is_outline = |shown: &Range<u32>, at: u32| at == shown.start || at + 1 == shown.end;
            let grey = match (shown_columns.contains(&x) && shown_rows.contains(&y), is_border) {
                (true, _) if is_outline(&shown_columns, x) || is_outline(&shown_rows, y) => OUTLINE,
                (true, _) => VISIBLE,
                (false, true) => BORDER,
                (false, false) => INSIDE,
            };
            canvas.set(left + x, top + y, grey);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::sizes::{Cells, Pixels};

    fn part(left: u32, width: u32) -> FramedPart {
        FramedPart {
            image: Pixels { width: 100, height: 100 },
            left,
            top: 0,
            part: Pixels { width, height: width },
            picture: Pixels { width: 60, height: 60 },
            cells: Cells { columns: 60, rows: 30 },
            is_flipped: false,
        }
    }

    #[test]
    fn the_locator_shows_where_the_part_is() {
        let dark = || DynamicImage::from(GrayImage::from_pixel(60, 60, Luma([9])));
        let DynamicImage::ImageLuma8(drawn) = marked(dark(), &part(50, 50), None) else { panic!("stays grey") };
        // 13 pixels a side from the corner at (1, 46): the upper right quarter is visible.
        assert_eq!((drawn.get_pixel(11, 49).0, drawn.get_pixel(11, 46).0), ([VISIBLE], [OUTLINE]));
        assert_eq!(drawn.get_pixel(3, 48).0, [INSIDE]);
        assert_eq!(drawn.get_pixel(1, 58).0, [BORDER]);
        assert_eq!(drawn.get_pixel(30, 30).0, [9], "only in the corner");
        assert_eq!(marked(dark(), &part(0, 100), None), dark(), "nothing is drawn over a whole image");
    }

    #[test]
    fn the_crosshair_is_seen_on_dark_and_on_bright_pixels() {
        let half = GrayImage::from_fn(60, 60, |x, _| Luma([if x < 30 { 10 } else { 240 }]));
        let drawn = marked(half.into(), &part(0, 100), Some(Share { x: 0.5, y: 0.25 })).to_luma8();
        assert_eq!((drawn.get_pixel(5, 15).0, drawn.get_pixel(55, 15).0), ([255], [0]));
        assert_eq!(drawn.get_pixel(30, 40).0, [0]);
        assert_eq!(drawn.get_pixel(30, 15).0, [240], "the crossing is left free");
    }
}
