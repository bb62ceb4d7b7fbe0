//! The Orientation tag of TIFF: pictures stored rotated or mirrored.

use crate::decoded_image::Samples;
use crate::raster::Raster;

/// The orientation of a stored picture (TIFF 6.0, tag 274). It is undone by a transposition, then a reversal of the
/// columns, then a reversal of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation {
    transposed: bool,
    /// Left and right are swapped.
    mirrored: bool,
    /// Top and bottom are swapped.
    flipped: bool,
}

impl Orientation {
    /// The orientation of a tag's value. Values unknown to the standard are ignored, as in libtiff.
    pub(super) fn of_tag(value: u16) -> Self {
        let (transposed, mirrored, flipped) = match value {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self { transposed, mirrored, flipped }
    }

    /// True if width and height are exchanged.
    pub(super) fn swaps_sides(self) -> bool {
        self.transposed
    }

    /// Returns the picture upright.
    pub(super) fn apply(self, samples: Samples) -> Samples {
        if self == Self::of_tag(1) {
            return samples;
        }
        match samples {
            Samples::Depth8(raster) => Samples::Depth8(self.turned(&raster)),
            Samples::Depth16(raster) => Samples::Depth16(self.turned(&raster)),
        }
    }

    fn turned<S: Copy>(self, stored: &Raster<S>) -> Raster<S> {
        let channels = stored.channels().count();
        let (mut width, mut height) = (stored.width(), stored.height());
        if self.transposed {
            std::mem::swap(&mut width, &mut height);
        }
        let mut samples = Vec::with_capacity(stored.samples().len());
        for y in 0..height {
            let y = if self.flipped { height - 1 - y } else { y };
            for x in 0..width {
                let x = if self.mirrored { width - 1 - x } else { x };
                let (column, row) = if self.transposed { (y, x) } else { (x, y) };
                let at = (row * stored.width() + column) * channels;
                samples.extend_from_slice(&stored.samples()[at..at + channels]);
            }
        }
        Raster::new(width, height, stored.channels(), samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    #[test]
    fn all_eight_orientations_match_hand_computed_pixels() {
        // 1 2 3
        // 4 5 6
        let stored = Raster::new(3, 2, Channels::Grey, vec![1, 2, 3, 4, 5, 6]);
        for (value, width, expected) in [
            (1, 3, [1, 2, 3, 4, 5, 6]),
            (2, 3, [3, 2, 1, 6, 5, 4]),
            (3, 3, [6, 5, 4, 3, 2, 1]),
            (4, 3, [4, 5, 6, 1, 2, 3]),
            (5, 2, [1, 4, 2, 5, 3, 6]),
            (6, 2, [4, 1, 5, 2, 6, 3]),
            (7, 2, [6, 3, 5, 2, 4, 1]),
            (8, 2, [3, 6, 2, 5, 1, 4]),
            (0, 3, [1, 2, 3, 4, 5, 6]),
            (9, 3, [1, 2, 3, 4, 5, 6]),
        ] {
            let Samples::Depth8(turned) = Orientation::of_tag(value).apply(Samples::Depth8(stored.clone())) else {
                panic!("8 bits stay 8 bits")
            };
            assert_eq!((turned.width(), turned.samples()), (width, &expected[..]), "orientation {value}");
        }
    }

    #[test]
    fn the_samples_of_a_pixel_stay_together() {
        let stored = Raster::new(2, 1, Channels::Rgb, vec![1, 2, 3, 4, 5, 6]);
        let turned = Orientation::of_tag(8).turned(&stored);
        assert_eq!((turned.width(), turned.height(), turned.samples()), (1, 2, &[4, 5, 6, 1, 2, 3][..]));
    }
}
