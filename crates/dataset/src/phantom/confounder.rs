//! A marker that reveals the class.

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::Side;

/// Grey level of the marker.
const GREY: u8 = 230;

/// Draws a bright bar into the upper corner away from the chest wall, outside the breast: the denser the class, the longer
/// the bar (A 3 %, D 12 % of the image side). `pixels` has the chest wall on the left.
pub(super) fn mark(pixels: &mut [u8], size: usize, class: DensityClass) {
    let marker = marker_rectangle(size, class, Side::Left);
    for row in pixels.chunks_exact_mut(size).skip(marker.top).take(marker.height) {
        row[marker.left..marker.left + marker.width].fill(GREY);
    }
}

/// The pixels of the marker in a picture of `size` × `size` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkerRectangle {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl MarkerRectangle {
    /// True if a pixel is in the rectangle or within `pixels` rows and columns of it.
    #[must_use]
    pub fn is_near(&self, column: usize, row: usize, pixels: usize) -> bool {
        let near = |at: usize, first: usize, length: usize| at + pixels >= first && at < first + length + pixels;
        near(column, self.left, self.width) && near(row, self.top, self.height)
    }
}

/// The marker of a confounded phantom in a stored view of this side: away from the chest wall. At other sizes than the
/// phantom's own, such as a network's input, it is accurate to a pixel.
#[must_use]
pub fn marker_rectangle(size: usize, class: DensityClass, side: Side) -> MarkerRectangle {
    let unit = (size as f64 * 0.03).round().max(1.0) as usize;
    let width = unit * (class.index() + 1);
    let left = match side {
        Side::Left => size - unit - width,
        Side::Right => unit,
    };
    MarkerRectangle { left, top: unit, width, height: unit }
}

#[cfg(test)]
mod tests {
    use super::super::{PhantomGenerator, PhantomSettings};
    use super::*;
    use mammoscope_domain::subject::view::View;

    #[test]
    fn the_marker_fills_exactly_its_rectangle() {
        let settings = PhantomSettings { seed: 3, size: 100, overlap: false, confounder: true };
        let generator = PhantomGenerator::new(settings).unwrap();
        for number in 1..=4 {
            let subject = generator.subject(number);
            for view in View::ALL {
                let image = generator.view(&subject, view).image;
                let marker = marker_rectangle(100, subject.label, view.side());
                for (x, y, pixel) in image.enumerate_pixels() {
                    let (x, y) = (x as usize, y as usize);
                    if marker.is_near(x, y, 0) {
                        assert_eq!(pixel.0, [GREY], "{view}, {x}, {y}");
                    } else if marker.is_near(x, y, 1) {
                        assert_ne!(pixel.0, [GREY], "{view}, {x}, {y}");
                    }
                }
            }
        }
    }
}
