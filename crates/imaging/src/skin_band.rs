//! The rim of the breast along the skin.

use super::mask::Mask;

/// The width of the skin band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SkinBandWidth {
    /// A share of the picture's shorter side, for pixels of unknown size.
    Share(f64),
    /// The width of the band and the side of a pixel, both in millimetres.
    Millimetres { width: f64, pixel: f64 },
}

impl Default for SkinBandWidth {
    /// A thirtieth of the shorter side: the skin and the rim over which the compressed breast becomes thinner, which
    /// [`intensity_sd`](super::intensity_sd::intensity_sd) excludes as well.
    fn default() -> Self {
        Self::Share(1.0 / 30.0)
    }
}

impl SkinBandWidth {
    /// The width in pixels for a picture of this size, at least one.
    #[must_use]
    pub fn pixels(self, width: usize, height: usize) -> f64 {
        let pixels = match self {
            Self::Share(share) => share * width.min(height) as f64,
            Self::Millimetres { width, pixel } => width / pixel,
        };
        if pixels.is_finite() { pixels.max(1.0) } else { 1.0 }
    }
}

/// The pixels of the breast whose distance to the centre of the nearest pixel outside is at most `width`. The picture's
/// edge does not count as skin, so that the chest wall has no band.
#[must_use]
pub fn skin_band(breast: &Mask, width: SkinBandWidth) -> Mask {
    let width = width.pixels(breast.width(), breast.height());
    let distances = squared_distances(breast);
    let inside = breast.pixels().iter().zip(distances);
    let inside = inside.map(|(&breast, distance)| breast && distance <= width * width).collect();
    Mask::new(breast.width(), breast.height(), inside)
}

/// The squared Euclidean distance of each pixel to the nearest pixel outside the mask; infinite if there is none.
/// Exact, with one pass along columns and one along rows (Felzenszwalb and Huttenlocher 2012).
#[must_use]
pub fn squared_distances(mask: &Mask) -> Vec<f64> {
    let (width, height) = (mask.width(), mask.height());
    let mut distances: Vec<f64> =
        mask.pixels().iter().map(|&inside| if inside { f64::INFINITY } else { 0.0 }).collect();
    // Along columns the values are 0 or infinite, so that distances are counted downwards and upwards.
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
    parabolas: Vec<Parabola>,
}

/// The parabola `(x − apex)² + height`, which is the lowest from `from` on.
#[derive(Clone, Copy)]
struct Parabola {
    apex: f64,
    height: f64,
    from: f64,
}

impl Envelope {
    /// `row[x] = min over q of (x − q)² + row[q]`.
    fn lower(&mut self, row: &mut [f64]) {
        self.parabolas.clear();
        for (apex, &height) in row.iter().enumerate().filter(|(_, height)| height.is_finite()) {
            let apex = apex as f64;
            let mut from = f64::NEG_INFINITY;
            while let Some(&last) = self.parabolas.last() {
                from = ((height + apex * apex) - (last.height + last.apex * last.apex)) / (2.0 * (apex - last.apex));
                if from > last.from {
                    break;
                }
                self.parabolas.pop();
                from = f64::NEG_INFINITY;
            }
            self.parabolas.push(Parabola { apex, height, from });
        }
        let mut at = 0;
        for (x, value) in row.iter_mut().enumerate() {
            let x = x as f64;
            while self.parabolas.get(at + 1).is_some_and(|next| next.from < x) {
                at += 1;
            }
            if let Some(lowest) = self.parabolas.get(at) {
                *value = (x - lowest.apex).powi(2) + lowest.height;
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
        assert_eq!(skin_band(&whole, SkinBandWidth::default()).area(), 0, "no skin in the picture");
    }

    #[test]
    fn widths_are_converted_to_pixels() {
        let close =
            |width: SkinBandWidth, size: usize, pixels: f64| (width.pixels(size, 2 * size) - pixels).abs() < 0.5;
        assert!(close(SkinBandWidth::default(), 650, 21.7));
        assert!(close(SkinBandWidth::default(), 10, 1.0), "at least one pixel");
        assert!(close(SkinBandWidth::Millimetres { width: 3.0, pixel: 0.1 }, 10, 30.0));
        assert!(close(SkinBandWidth::Millimetres { width: 3.0, pixel: 0.0 }, 10, 1.0), "pixels without a size");
    }

    proptest! {
        #[test]
        fn distances_match_an_exhaustive_search(width in 1_usize..12, height in 1_usize..12, seed in prop::collection::vec(0_u8..5, 144)) {
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
