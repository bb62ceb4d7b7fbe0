//! A prepared image's original as a picture for the terminal, with crop, breast and muscle drawn over it.

use std::sync::Arc;

use image::imageops::{FilterType, crop_imm, resize};
use image::{DynamicImage, GrayImage, RgbImage};

use crate::terminal::sizes::Pixels;
use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::{PectoralCurve, PixelBox};
use mammoscope_imaging::contour::{Contour, Point, drawn};
use mammoscope_imaging::raster::{Channels, Raster};

/// The colours of the lines: sky blue, bluish green and orange (Okabe and Ito).
pub(in crate::tui) const CROP: [u8; 3] = [86, 180, 233];
pub(in crate::tui) const BREAST: [u8; 3] = [0, 190, 140];
pub(in crate::tui) const MUSCLE: [u8; 3] = [240, 170, 0];

/// The height in pixels for which lines are one pixel wide; they grow with it.
const LINE_HEIGHT: f32 = 400.0;

/// An original at a size that is enough for a terminal.
#[derive(Debug)]
pub(in crate::tui) struct ReviewPicture {
    /// Reduced.
    pub(in crate::tui) grey: GrayImage,
    /// The outline of the breast in pixels of `grey`.
    pub(in crate::tui) breast: Vec<Contour>,
    /// Columns and rows of the original.
    pub(in crate::tui) size: [usize; 2],
    /// The crop in pixels of the original.
    pub(in crate::tui) crop: PixelBox,
    pub(in crate::tui) side: Side,
    /// The mean grey of the breast.
    pub(in crate::tui) level: u8,
}

/// The part of the original that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum ReviewPart {
    Whole,
    /// The crop with the muscle filled in this grey, as the prepared image would be.
    Filled(u8),
}

/// An original and what is drawn over it.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PaintedReview {
    pub(in crate::tui) picture: Arc<ReviewPicture>,
    /// The muscle's edge in pixels of the cropped image.
    pub(in crate::tui) curve: Option<PectoralCurve>,
    pub(in crate::tui) part: ReviewPart,
    pub(in crate::tui) outlines: bool,
}

/// Originals are compared by identity.
impl PartialEq for PaintedReview {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.picture, &other.picture)
            && (&self.curve, self.part, self.outlines) == (&other.curve, other.part, other.outlines)
    }
}

impl PaintedReview {
    /// The size of the shown part in pixels of the original.
    pub(in crate::tui) fn size(&self) -> Pixels {
        let part = self.shown_box();
        Pixels { width: part.width() as u32, height: part.height() as u32 }
    }

    fn shown_box(&self) -> PixelBox {
        let [right, bottom] = self.picture.size;
        match self.part {
            ReviewPart::Whole => PixelBox { left: 0, top: 0, right, bottom },
            ReviewPart::Filled(_) => self.picture.crop,
        }
    }

    /// Draws the part in this size.
    pub(in crate::tui) fn drawn(&self, size: Pixels) -> DynamicImage {
        let part = self.shown_box();
        let reduction = self.picture.grey.width() as f32 / self.picture.size[0] as f32;
        let reduced = |pixels: usize| (pixels as f32 * reduction).round() as u32;
        let cut = crop_imm(
            &self.picture.grey,
            reduced(part.left),
            reduced(part.top),
            reduced(part.width()).max(1),
            reduced(part.height()).max(1),
        );
        let mut scaled = resize(&cut.to_image(), size.width.max(1), size.height.max(1), FilterType::Triangle);
        let scale = Scale {
            across: size.width as f32 / part.width() as f32,
            down: size.height as f32 / part.height() as f32,
            left: part.left as f32,
            top: part.top as f32,
        };
        let edge = self.curve.as_ref().map(|curve| scale.all(&self.edge(curve)));
        if let (ReviewPart::Filled(level), Some(curve)) = (self.part, &self.curve) {
            self.fill(&mut scaled, curve, level);
        }
        if !self.outlines {
            return scaled.into();
        }
        let width = (size.height as f32 / LINE_HEIGHT).clamp(1.0, 3.0);
        let samples = Raster::new(scaled.width() as usize, scaled.height() as usize, Channels::Grey, scaled.into_raw());
        let mut picture = samples;
        if self.part == ReviewPart::Whole {
            let breast: Vec<Contour> =
                self.picture.breast.iter().map(|line| scale.all(&enlarged(line, reduction))).collect();
            picture = drawn(&picture, &[scale.all(&border(self.picture.crop))], CROP, width);
            picture = drawn(&picture, &breast, BREAST, width);
        }
        picture = drawn(&picture, edge.as_slice(), MUSCLE, width * 1.5);
        let (across, down) = (picture.width() as u32, picture.height() as u32);
        RgbImage::from_raw(across, down, picture.into_samples()).expect("three samples a pixel").into()
    }

    /// The muscle's edge in pixels of the original.
    fn edge(&self, curve: &PectoralCurve) -> Contour {
        let crop = self.picture.crop;
        let mut edge = curve.outline(crop.width(), crop.height(), self.picture.side);
        for point in &mut edge.points {
            *point = Point { x: point.x + crop.left as f32, y: point.y + crop.top as f32 };
        }
        edge
    }

    /// Fills the muscle in the scaled crop.
    fn fill(&self, scaled: &mut GrayImage, curve: &PectoralCurve, level: u8) {
        let crop = self.picture.crop;
        let (width, height) = scaled.dimensions();
        let (across, down) = (width as f32 / crop.width() as f32, height as f32 / crop.height() as f32);
        for row in 0..height {
            let distance = curve.distance_at((row as f32 + 0.5) / down - 0.5);
            let columns = (((distance + 0.5) * across).round().max(0.0) as u32).min(width);
            for column in 0..columns {
                let column = if self.picture.side == Side::Left { column } else { width - 1 - column };
                scaled.get_pixel_mut(column, row).0 = [level];
            }
        }
    }
}

/// The way from pixels of the original to those on the screen.
struct Scale {
    across: f32,
    down: f32,
    left: f32,
    top: f32,
}

impl Scale {
    fn all(&self, line: &Contour) -> Contour {
        let point = |point: &Point| Point {
            x: (point.x - self.left + 0.5) * self.across - 0.5,
            y: (point.y - self.top + 0.5) * self.down - 0.5,
        };
        Contour { points: line.points.iter().map(point).collect(), closed: line.closed }
    }
}

fn enlarged(line: &Contour, reduction: f32) -> Contour {
    let point = |point: &Point| Point { x: (point.x + 0.5) / reduction - 0.5, y: (point.y + 0.5) / reduction - 0.5 };
    Contour { points: line.points.iter().map(point).collect(), closed: line.closed }
}

/// The border of a box, along the centres of its outermost pixels.
fn border(part: PixelBox) -> Contour {
    let [left, right] = [part.left, part.right - 1].map(|column| column as f32);
    let [top, bottom] = [part.top, part.bottom - 1].map(|row| row as f32);
    let points = [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| Point { x, y });
    Contour { points: points.to_vec(), closed: true }
}

#[cfg(test)]
mod tests {
    use mammoscope_imaging::anatomy::CurvePoint;

    use super::*;

    /// A right breast of 200 × 100 pixels, kept at half its size, cropped to its right half.
    fn painted(part: ReviewPart, outlines: bool) -> PaintedReview {
        let picture = ReviewPicture {
            grey: GrayImage::from_pixel(100, 50, image::Luma([60])),
            breast: Vec::new(),
            size: [200, 100],
            crop: PixelBox { left: 100, top: 0, right: 200, bottom: 100 },
            side: Side::Right,
            level: 90,
        };
        let points = vec![CurvePoint { distance: 50.0, y: 0.0 }, CurvePoint { distance: 0.0, y: 50.0 }];
        let curve = Some(PectoralCurve::new(points).unwrap());
        PaintedReview { picture: Arc::new(picture), curve, part, outlines }
    }

    #[test]
    fn the_muscle_is_filled_at_the_chest_wall() {
        let painted = painted(ReviewPart::Filled(200), false);
        let size = Pixels { width: 50, height: 50 };
        assert_eq!(painted.size(), Pixels { width: 100, height: 100 });
        let drawn = painted.drawn(size).into_luma8();
        let row = |y: u32| (0..50).filter(|&x| drawn.get_pixel(x, y).0 == [200]).count();
        assert_eq!([row(0), row(10), row(30)], [25, 15, 0]);
        assert_eq!(drawn.get_pixel(49, 0).0, [200], "the wall of a right breast is on the right");
    }

    #[test]
    fn crop_and_edge_are_drawn_over_the_whole_original() {
        let drawn = painted(ReviewPart::Whole, true).drawn(Pixels { width: 200, height: 100 }).into_rgb8();
        assert_eq!(drawn.get_pixel(100, 80).0, CROP);
        assert_eq!(drawn.get_pixel(199 - 25, 25).0, MUSCLE);
        assert_eq!(drawn.get_pixel(50, 50).0, [60; 3]);
        let plain = painted(ReviewPart::Whole, false).drawn(Pixels { width: 200, height: 100 });
        assert!(plain.into_rgb8().pixels().all(|pixel| pixel.0 == [60; 3]));
    }
}
