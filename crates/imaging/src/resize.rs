//! The two resizing algorithms of the reference, bit for bit.

use crate::raster::Raster;
use mammoscope_domain::network::input_route::InputRoute;

/// Resizes an image to `size` × `size` pixels with the algorithm of the route; the aspect ratio is not preserved.
///
/// # Panics
/// If `size` is zero.
#[must_use]
pub fn resize(image: &Raster<u8>, size: usize, route: InputRoute) -> Raster<u8> {
    match route {
        InputRoute::Training => nearest_pil(image, size, size),
        InputRoute::GradCamNotebook => bilinear_half_pixel(image, size, size),
    }
}

/// Nearest-neighbour resizing to `width` × `height` pixels as in PIL (`Image.resize(…, NEAREST)`); the aspect ratio is not
/// preserved.
///
/// On each axis, with `scale` = source / target, the position starts at `0.5·scale` and grows by `scale` in double
/// precision. It is accumulated, not multiplied: the rounding errors of the sum are part of the result.
///
/// # Panics
/// If a side is zero.
#[must_use]
pub fn nearest_pil<S: Copy>(source: &Raster<S>, width: usize, height: usize) -> Raster<S> {
    let channels = source.channels().count();
    let columns = nearest_positions(source.width(), width);
    let mut samples = Vec::with_capacity(width * height * channels);
    for row in nearest_positions(source.height(), height) {
        let row = source.row(row);
        for &column in &columns {
            samples.extend_from_slice(&row[column * channels..(column + 1) * channels]);
        }
    }
    Raster::new(width, height, source.channels(), samples)
}

fn nearest_positions(source: usize, target: usize) -> Vec<usize> {
    let scale = source as f64 / target as f64;
    let mut position = 0.5 * scale;
    (0..target)
        .map(|_| {
            let nearest = position as usize;
            position += scale;
            // The accumulated error reaches the far edge only in images of extreme size; PIL leaves such pixels out.
            nearest.min(source - 1)
        })
        .collect()
}

/// Bilinear resizing with half-pixel centres, `(target + 0.5)·scale − 0.5` clamped to the image, without anti-aliasing, in
/// double precision, truncated to 8 bits: as in keras-vis' `vis.utils.load_img` with scikit-image up to 0.14.
///
/// # Panics
/// If a side is zero.
#[must_use]
pub fn bilinear_half_pixel(source: &Raster<u8>, width: usize, height: usize) -> Raster<u8> {
    let channels = source.channels().count();
    let columns = bilinear_positions(source.width(), width);
    let mut samples = Vec::with_capacity(width * height * channels);
    for row in bilinear_positions(source.height(), height) {
        let (above, below) = (source.row(row.first), source.row(row.second));
        for column in &columns {
            for channel in 0..channels {
                let along = |line: &[u8]| {
                    let left = f64::from(line[column.first * channels + channel]);
                    let right = f64::from(line[column.second * channels + channel]);
                    (1.0 - column.weight) * left + column.weight * right
                };
                samples.push(((1.0 - row.weight) * along(above) + row.weight * along(below)) as u8);
            }
        }
    }
    Raster::new(width, height, source.channels(), samples)
}

/// The two samples on either side of a target position and the weight of the second.
pub(super) struct Between {
    pub(super) first: usize,
    pub(super) second: usize,
    pub(super) weight: f64,
}

pub(super) fn bilinear_positions(source: usize, target: usize) -> Vec<Between> {
    let scale = source as f64 / target as f64;
    let last = source - 1;
    (0..target)
        .map(|index| {
            let position = ((index as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
            let first = position as usize;
            Between { first, second: (first + 1).min(last), weight: position - first as f64 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::raster::Channels;
    use super::*;

    fn grey(width: usize, height: usize, samples: &[u8]) -> Raster<u8> {
        Raster::new(width, height, Channels::Grey, samples.to_vec())
    }

    #[test]
    fn nearest_picks_the_pixel_at_the_centre() {
        // 5 → 3: scale 5/3, positions 0.83, 2.5, 4.17. 4 → 2: positions 1, 3.
        let source = grey(5, 4, &std::array::from_fn::<u8, 20, _>(|index| index as u8));
        assert_eq!(nearest_pil(&source, 3, 2).samples(), &[5, 7, 9, 15, 17, 19]);
        // 2 → 4 repeats every pixel.
        assert_eq!(nearest_pil(&grey(2, 1, &[10, 20]), 4, 1).samples(), &[10, 10, 20, 20]);
        assert_eq!(nearest_pil(&source, 5, 4), source);
    }

    #[test]
    fn nearest_positions_are_accumulated() {
        // 6 → 9: 4.5·(2/3) is exactly 3, but 1/3 + 2/3 + 2/3 + 2/3 + 2/3 in double precision stays below it.
        assert_eq!(nearest_positions(6, 9), [0, 1, 1, 2, 2, 3, 4, 5, 5]);
    }

    #[test]
    fn bilinear_interpolates_and_truncates() {
        // 4 → 2: positions 0.5 and 2.5, the means of neighbours; 10.5 is truncated.
        assert_eq!(bilinear_half_pixel(&grey(4, 1, &[10, 11, 20, 30]), 2, 1).samples(), &[10, 25]);
        // 2 → 4: positions −0.25 (clamped), 0.25, 0.75, 1.25 (clamped).
        assert_eq!(bilinear_half_pixel(&grey(1, 2, &[0, 100]), 1, 4).samples(), &[0, 25, 75, 100]);
    }

    #[test]
    fn channels_are_independent() {
        let source = Raster::new(2, 1, Channels::Rgb, vec![0, 100, 200, 50, 150, 250]);
        assert_eq!(bilinear_half_pixel(&source, 1, 1).samples(), &[25, 125, 225]);
        assert_eq!(nearest_pil(&source, 1, 1).samples(), &[50, 150, 250]);
    }
}
