//! Up-sampling of maps from a layer's size to the input's.

use super::raster::{Channels, Raster};
use super::resize::bilinear_positions;

/// The pole of the cubic B-spline's direct filter, √3 − 2. Unser, Aldroubi and Eden 1993.
const POLE: f64 = -0.267_949_192_431_122_7;

/// Added by keras-vis to the range that it divides by.
const EPSILON: f32 = 1e-7;

/// Bilinear interpolation with half-pixel centres, clamped at the edges, for scores and pictures. A cell of the native map
/// covers the pixels that it was computed from, the sum stays in proportion, and nothing overshoots.
///
/// # Panics
/// If a side is zero or the map has more than one channel.
#[must_use]
pub fn bilinear_zoom(map: &Raster<f32>, width: usize, height: usize) -> Raster<f32> {
    assert_eq!(map.channels(), Channels::Grey, "a map has one value per position");
    let columns = bilinear_positions(map.width(), width);
    let mut values = Vec::with_capacity(width * height);
    for row in bilinear_positions(map.height(), height) {
        let (above, below) = (map.row(row.first), map.row(row.second));
        values.extend(columns.iter().map(|column| {
            let along = |line: &[f32]| {
                // A neighbour of weight zero must not contribute: it may not be finite.
                let (left, right) = (f64::from(line[column.first]), f64::from(line[column.second]));
                if column.weight > 0.0 { (1.0 - column.weight) * left + column.weight * right } else { left }
            };
            let upper = along(above);
            (if row.weight > 0.0 { (1.0 - row.weight) * upper + row.weight * along(below) } else { upper }) as f32
        }));
    }
    Raster::new(width, height, Channels::Grey, values)
}

/// The value of the position whose cell each pixel is in, for pictures of coarse maps.
///
/// # Panics
/// If a side is zero or the map has more than one channel.
#[must_use]
pub fn nearest_zoom(map: &Raster<f32>, width: usize, height: usize) -> Raster<f32> {
    assert_eq!(map.channels(), Channels::Grey, "a map has one value per position");
    let positions = |count: usize, pixels: usize| (0..pixels).map(move |at| (2 * at + 1) * count / (2 * pixels));
    let values = positions(map.height(), height).flat_map(|row| {
        let line = map.row(row);
        positions(map.width(), width).map(move |column| line[column])
    });
    Raster::new(width, height, Channels::Grey, values.collect())
}

/// Interpolation by cubic B-splines through the map's values, corners on corners and mirrored at the edges, as in
/// `scipy.ndimage.zoom` of order 3 with its prefilter, which keras-vis uses. It overshoots: beside a peak the result may
/// be below the map's smallest value.
///
/// # Panics
/// If a side is zero or the map has more than one channel.
#[must_use]
pub fn cubic_spline_zoom(map: &Raster<f32>, width: usize, height: usize) -> Raster<f32> {
    assert_eq!(map.channels(), Channels::Grey, "a map has one value per position");
    let (columns, rows) = (map.width(), map.height());
    let mut coefficients: Vec<f64> = map.samples().iter().map(|&value| f64::from(value)).collect();
    for row in coefficients.chunks_exact_mut(columns) {
        prefilter(row);
    }
    for column in 0..columns {
        let mut line: Vec<f64> = (0..rows).map(|row| coefficients[row * columns + column]).collect();
        prefilter(&mut line);
        for (row, value) in line.into_iter().enumerate() {
            coefficients[row * columns + column] = value;
        }
    }
    // The kernel is separable: first along the rows, at the map's height, then along the columns.
    let along_rows = spline_positions(columns, width);
    let stretched: Vec<f64> = coefficients
        .chunks_exact(columns)
        .flat_map(|row| along_rows.iter().map(|at| at.sum(|index| row[index])).collect::<Vec<_>>())
        .collect();
    let mut values = Vec::with_capacity(width * height);
    for at in spline_positions(rows, height) {
        values.extend((0..width).map(|column| at.sum(|row| stretched[row * width + column]) as f32));
    }
    Raster::new(width, height, Channels::Grey, values)
}

/// `(map − min) / (max − min + 1e-7)`, the last step of keras-vis: values from 0 to just below 1. A constant map becomes 0.
#[must_use]
pub fn normalised(map: &Raster<f32>) -> Raster<f32> {
    let (low, high) = map
        .samples()
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    map.map(|value| (value - low) / (high - low + EPSILON))
}

/// Converts values to the coefficients of the cubic B-spline through them, mirrored at both ends.
fn prefilter(line: &mut [f64]) {
    let count = line.len();
    if count < 2 {
        return;
    }
    let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
    for value in line.iter_mut() {
        *value *= gain;
    }
    // The sum over the mirrored line, which has the period 2·count − 2, in closed form.
    let mut power = POLE;
    let mut back = POLE.powi(2 * count as i32 - 3);
    let mut first = line[0] + POLE.powi(count as i32 - 1) * line[count - 1];
    for value in &line[1..count - 1] {
        first += (power + back) * value;
        power *= POLE;
        back /= POLE;
    }
    line[0] = first / (1.0 - POLE.powi(2 * count as i32 - 2));
    for index in 1..count {
        line[index] += POLE * line[index - 1];
    }
    line[count - 1] = POLE / (POLE * POLE - 1.0) * (line[count - 1] + POLE * line[count - 2]);
    for index in (0..count - 1).rev() {
        line[index] = POLE * (line[index + 1] - line[index]);
    }
}

/// The four coefficients that contribute at a position, and their weights.
struct SplinePosition {
    indices: [usize; 4],
    weights: [f64; 4],
}

impl SplinePosition {
    fn sum(&self, coefficient: impl Fn(usize) -> f64) -> f64 {
        self.indices.iter().zip(self.weights).map(|(&index, weight)| weight * coefficient(index)).sum()
    }
}

fn spline_positions(source: usize, target: usize) -> Vec<SplinePosition> {
    let last = source - 1;
    // A single target pixel takes the first corner, as in SciPy.
    let scale = if target > 1 { last as f64 / (target - 1) as f64 } else { 0.0 };
    (0..target)
        .map(|index| {
            // Clamped because the spline is 0 outside: where rounding moves the last position beyond the corner, SciPy
            // loses the last row.
            let position = (index as f64 * scale).min(last as f64);
            let start = position.floor();
            let (t, u) = (position - start, 1.0 - (position - start));
            let weights = [
                u * u * u / 6.0,
                (t * t * (t - 2.0) * 3.0 + 4.0) / 6.0,
                (u * u * (u - 2.0) * 3.0 + 4.0) / 6.0,
                t * t * t / 6.0,
            ];
            let indices = std::array::from_fn(|tap| mirrored(start as isize + tap as isize - 1, source));
            SplinePosition { indices, weights }
        })
        .collect()
}

/// Mirrors an index beyond the ends at the outermost values, which are not repeated.
fn mirrored(index: isize, count: usize) -> usize {
    let period = (2 * count as isize - 2).max(1);
    let within = index.rem_euclid(period);
    (if within < count as isize { within } else { period - within }) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(width: usize, height: usize, values: &[f32]) -> Raster<f32> {
        Raster::new(width, height, Channels::Grey, values.to_vec())
    }

    fn close(found: &[f32], expected: &[f32]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    #[test]
    fn bilinear_zoom_matches_hand_computed_values() {
        // 2 → 4: positions −0.25 (clamped), 0.25, 0.75, 1.25 (clamped).
        let zoomed = bilinear_zoom(&map(2, 1, &[0.0, 4.0]), 4, 2);
        assert!(close(zoomed.samples(), &[0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]), "{zoomed:?}");
    }

    #[test]
    fn a_spline_through_a_peak_overshoots() {
        // At half steps. With (c[i−1] + 4c[i] + c[i+1])/6 = value and mirrored ends: 4a + 2b = 0, a + 4b + c = 0,
        // 2b + 4c = 6.
        let line = cubic_spline_zoom(&map(5, 1, &[0.0, 0.0, 1.0, 0.0, 0.0]), 9, 1);
        let (a, b, c) = (0.25, -0.5, 1.75);
        let half = |left: f32, first: f32, second: f32, right: f32| (left + 23.0 * (first + second) + right) / 48.0;
        let expected = [0.0, half(b, a, b, c), 0.0, half(a, b, c, b), 1.0];
        assert!(close(&line.samples()[..5], &expected), "{line:?} {expected:?}");
        assert!(line.samples()[1] < 0.0, "{line:?}");
    }

    #[test]
    fn normalising_a_constant_map_gives_zero() {
        assert_eq!(normalised(&map(2, 1, &[3.0, 3.0])).samples(), &[0.0, 0.0]);
        assert!(close(normalised(&map(3, 1, &[-1.0, 0.0, 3.0])).samples(), &[0.0, 0.25, 1.0]));
    }

    #[test]
    fn a_single_value_fills_the_result() {
        for zoomed in [cubic_spline_zoom(&map(1, 1, &[2.5]), 7, 5), bilinear_zoom(&map(1, 1, &[2.5]), 7, 5)] {
            assert!(close(zoomed.samples(), &[2.5; 35]), "{zoomed:?}");
        }
    }

    prop_compose! {
        fn any_map()(width in 1_usize..9, height in 1_usize..9)
            (values in prop::collection::vec(-9.0_f32..9.0, width * height), width in Just(width), height in Just(height))
            -> Raster<f32> {
            map(width, height, &values)
        }
    }

    proptest! {
        #[test]
        fn corners_keep_their_values(map in any_map(), width in 2_usize..60, height in 2_usize..60) {
            let ends = |map: &Raster<f32>| {
                let (first, last) = (map.row(0), map.row(map.height() - 1));
                [first[0], first[map.width() - 1], last[0], last[map.width() - 1]]
            };
            let (source, spline) = (ends(&map), ends(&cubic_spline_zoom(&map, width, height)));
            prop_assert!(source.iter().zip(spline).all(|(a, b)| (a - b).abs() < 1e-4), "{:?} {:?}", source, spline);
            // Half-pixel centres are in the clamped zone of a corner from twice the map's size on.
            let (wider, higher) = (width.max(2 * map.width()), height.max(2 * map.height()));
            let bilinear = ends(&bilinear_zoom(&map, wider, higher));
            prop_assert!(source.iter().zip(bilinear).all(|(a, b)| (a - b).abs() < 1e-6), "{:?} {:?}", source, bilinear);
        }

        #[test]
        fn a_spline_passes_through_every_value(map in any_map(), times in 1_usize..5) {
            let (width, height) = ((map.width() - 1) * times + 1, (map.height() - 1) * times + 1);
            let zoomed = cubic_spline_zoom(&map, width, height);
            for y in 0..map.height() {
                for x in 0..map.width() {
                    prop_assert!((zoomed.row(y * times)[x * times] - map.row(y)[x]).abs() < 1e-4);
                }
            }
        }

        #[test]
        fn bilinear_zoom_stays_within_the_range(map in any_map(), width in 1_usize..40, height in 1_usize..40) {
            let range = |map: &Raster<f32>| {
                let samples = map.samples().iter().copied();
                (samples.clone().fold(f32::MAX, f32::min), samples.fold(f32::MIN, f32::max))
            };
            let ((low, high), (lowest, highest)) = (range(&map), range(&bilinear_zoom(&map, width, height)));
            prop_assert!(lowest >= low - 1e-5 && highest <= high + 1e-5);
        }
    }

    #[test]
    fn each_pixel_has_the_value_of_its_cell() {
        let map = Raster::new(2, 2, Channels::Grey, vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            nearest_zoom(&map, 5, 2).samples(),
            [1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0],
            "the middle of the middle column is at the edge, and the cells to the right begin there"
        );
        assert_eq!(nearest_zoom(&map, 2, 2), map);
    }
}
