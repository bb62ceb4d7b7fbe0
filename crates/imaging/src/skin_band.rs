//! The rim of the breast along the skin.

use super::mask::Mask;

/// How wide the band is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SkinBandWidth {
    /// A share of the picture's shorter side, where the size of a pixel is not known.
    Share(f64),
    /// Millimetres, where it is.
    Millimetres {
        /// Width of the band.
        width: f64,
        /// Side of a pixel.
        pixel: f64,
    },
}

impl Default for SkinBandWidth {
    /// A thirtieth of the shorter side: the skin and the rim over which the compressed breast grows thinner, as
    /// [`grey_deviation`](super::intensity_sd::intensity_sd) leaves them out.
    fn default() -> Self {
        Self::Share(1.0 / 30.0)
    }
}

impl SkinBandWidth {
    /// The width in pixels of a picture of this size, one at least.
    #[must_use]
    pub fn pixels(self, width: usize, height: usize) -> f64 {
        let pixels = match self {
            Self::Share(share) => share * width.min(height) as f64,
            Self::Millimetres { width, pixel } => width / pixel,
        };
        if pixels.is_finite() { pixels.max(1.0) } else { 1.0 }
    }
}

/// The pixels of the breast within `width` of the skin: no farther than that from the middle of the nearest pixel beyond
/// it. The picture's edge is no skin, so that the chest wall has no band.
#[must_use]
pub fn skin_band(breast: &Mask, width: SkinBandWidth) -> Mask {
    let width = width.pixels(breast.width(), breast.height());
    let distances = squared_distances(breast);
    let inside = breast.pixels().iter().zip(distances);
    let inside = inside.map(|(&breast, distance)| breast && distance <= width * width).collect();
    Mask::new(breast.width(), breast.height(), inside)
}

/// The squared Euclidean distance of each pixel to the nearest one that is not of the mask; infinite where all are.
/// Felzenszwalb and Huttenlocher 2012: exact, one pass along columns, one along rows.
#[must_use]
pub fn squared_distances(mask: &Mask) -> Vec<f64> {
    let (width, height) = (mask.width(), mask.height());
    let mut distances: Vec<f64> =
        mask.pixels().iter().map(|&inside| if inside { f64::INFINITY } else { 0.0 }).collect();
    // Along columns the values are 0 or infinite: the distance is counted down and up.
    for (range, step) in [((0..height).collect::<Vec<_>>(), 1), ((0..height).rev().collect(), -1)] {
        for row in range.into_iter().skip(1) {
            let before = (row as isize - step) as usize;
            for column in 0..width {
                let along = distances[before * width + column] + 1.0;
                let here = &mut distances[row * width + column];
                *here = here.min(along);
            }
        }
    }
    let mut envelope = Envelope::default();
    for row in distances.chunks_exact_mut(width) {
        for distance in row.iter_mut() {
            *distance *= *distance;
        }
        envelope.lower(row);
    }
    distances
}

/// The lower envelope of parabolas.
#[derive(Default)]
struct Envelope {
    /// Apex and height of each parabola, and from where on it is the lowest.
    parabolas: Vec<(f64, f64, f64)>,
}

impl Envelope {
    /// `row[x] = min over q of (x − q)² + row[q]`.
    fn lower(&mut self, row: &mut [f64]) {
        self.parabolas.clear();
        for (apex, &height) in row.iter().enumerate().filter(|(_, height)| height.is_finite()) {
            let apex = apex as f64;
            let mut from = f64::NEG_INFINITY;
            while let Some(&(other, other_height, other_from)) = self.parabolas.last() {
                from = ((height + apex * apex) - (other_height + other * other)) / (2.0 * (apex - other));
                if from > other_from {
                    break;
                }
                self.parabolas.pop();
                from = f64::NEG_INFINITY;
            }
            self.parabolas.push((apex, height, from));
        }
        let mut at = 0;
        for (x, value) in row.iter_mut().enumerate() {
            let x = x as f64;
            while self.parabolas.get(at + 1).is_some_and(|&(_, _, from)| from < x) {
                at += 1;
            }
            if let Some(&(apex, height, _)) = self.parabolas.get(at) {
                *value = (x - apex).powi(2) + height;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_chest_wall_has_no_band() {
        // Seven columns of breast from the left edge, three of background.
        let breast = Mask::new(10, 4, (0..40).map(|at| at % 10 < 7).collect());
        let band = skin_band(&breast, SkinBandWidth::Millimetres { width: 1.0, pixel: 0.5 });
        assert!(band.pixels().iter().enumerate().all(|(at, &inside)| inside == (5..7).contains(&(at % 10))));
        let whole = Mask::new(5, 5, vec![true; 25]);
        assert_eq!(skin_band(&whole, SkinBandWidth::default()).area(), 0, "no skin in sight");
    }

    #[test]
    fn widths() {
        let close =
            |width: SkinBandWidth, size: usize, pixels: f64| (width.pixels(size, 2 * size) - pixels).abs() < 0.5;
        assert!(close(SkinBandWidth::default(), 650, 21.7));
        assert!(close(SkinBandWidth::default(), 10, 1.0), "one pixel at least");
        assert!(close(SkinBandWidth::Millimetres { width: 3.0, pixel: 0.1 }, 10, 30.0));
        assert!(close(SkinBandWidth::Millimetres { width: 3.0, pixel: 0.0 }, 10, 1.0), "no size of a pixel");
    }

    proptest! {
        #[test]
        fn distances_are_the_nearest(width in 1_usize..12, height in 1_usize..12, seed in prop::collection::vec(0_u8..5, 144)) {
            let mask = Mask::new(width, height, seed[..width * height].iter().map(|&value| value > 0).collect());
            let outside: Vec<_> = (0..width * height).filter(|&at| !mask.pixels()[at]).collect();
            for (at, distance) in squared_distances(&mask).into_iter().enumerate() {
                let nearest = outside.iter().map(|&other| {
                    ((at % width).abs_diff(other % width).pow(2) + (at / width).abs_diff(other / width).pow(2)) as f64
                });
                let nearest = nearest.fold(f64::INFINITY, f64::min);
                // Squares of whole numbers: exact.
                prop_assert!(distance.total_cmp(&nearest).is_eq(), "{} and {}", distance, nearest);
            }
        }
    }
}
