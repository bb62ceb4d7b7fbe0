//! Gaussian random fields with a power-law spectrum: the texture of breast tissue.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};

use mammoscope_domain::random_stream::RandomStream;

/// The deterministic part of a field, shared between threads.
///
/// The power spectrum falls as 1/f^β, like that of mammograms with β near 3 (Burgess, Jacobson and Judy 2001, Med Phys
/// 28:419). Waves are longer along x by `stretch`, since ducts and strands run from the nipple to the chest wall.
pub(super) struct FieldRecipe {
    /// Grid points along each side of the period.
    side: usize,
    /// Grid points along one side of the image.
    points_per_image: f32,
    /// √power at (kx, ky), at kx·side + ky.
    amplitudes: Vec<f32>,
    inverse: Arc<dyn Fft<f32>>,
}

impl FieldRecipe {
    /// The period of the field in image sides; above 1, so that opposite edges of the image differ.
    const PERIOD: f64 = 1.32;

    /// A recipe for images with `points_per_image` grid points along a side. `exponent` is β; below the frequency `slowest`
    /// (waves per image side) the spectrum levels off.
    pub(super) fn new(
        planner: &mut FftPlannerScalar<f32>,
        points_per_image: usize,
        exponent: f64,
        stretch: f64,
        slowest: f64,
    ) -> Self {
        let side = smooth_length((points_per_image as f64 * Self::PERIOD).ceil() as usize);
        let period = side as f64 / points_per_image as f64;
        let waves = |index: usize| index.min(side - index) as f64 / period;
        let mut amplitudes = Vec::with_capacity(side * side);
        for kx in 0..side {
            for ky in 0..side {
                let (fx, fy) = (waves(kx) * stretch, waves(ky));
                let frequency_squared = fx * fx + fy * fy + slowest * slowest;
                // (f²)^(-β/4) = √(1/f^β); the mean is set to 0.
                let amplitude = if kx + ky == 0 { 0.0 } else { libm::pow(frequency_squared, -exponent / 4.0) };
                amplitudes.push(amplitude as f32);
            }
        }
        Self { side, points_per_image: points_per_image as f32, amplitudes, inverse: planner.plan_fft_inverse(side) }
    }

    /// Two independent fields, each with mean 0 and variance 1 over its period: the real and the imaginary part of the
    /// transform of complex white noise.
    pub(super) fn draw(&self, stream: &mut RandomStream) -> FieldPair {
        let mut values: Vec<Complex<f32>> = self
            .amplitudes
            .iter()
            .map(|&amplitude| Complex::new(amplitude * stream.quick_normal(), amplitude * stream.quick_normal()))
            .collect();
        let mut scratch = vec![Complex::default(); self.inverse.get_inplace_scratch_len()];
        // Rows first (ky → y); after the transposition the rows are along kx and become x.
        self.inverse.process_with_scratch(&mut values, &mut scratch);
        transpose(&mut values, self.side);
        self.inverse.process_with_scratch(&mut values, &mut scratch);
        standardise(&mut values);
        FieldPair { values, side: self.side, points_per_image: self.points_per_image }
    }
}

/// Two fields on one grid, periodic and sampled by bilinear interpolation.
pub(super) struct FieldPair {
    values: Vec<Complex<f32>>,
    side: usize,
    points_per_image: f32,
}

impl FieldPair {
    /// Both fields at (x, y) in image sides, for any finite coordinates.
    pub(super) fn at(&self, x: f32, y: f32) -> [f32; 2] {
        let (x0, x1, fx) = self.neighbours(x);
        let (y0, y1, fy) = self.neighbours(y);
        let row = |y: usize| {
            let row = &self.values[y * self.side..(y + 1) * self.side];
            row[x0] + (row[x1] - row[x0]) * fx
        };
        let (upper, lower) = (row(y0), row(y1));
        let value = upper + (lower - upper) * fy;
        [value.re, value.im]
    }

    fn neighbours(&self, coordinate: f32) -> (usize, usize, f32) {
        let position = coordinate * self.points_per_image;
        // The floor without `f32::floor`, which is a function call on processors without SSE 4.1.
        let truncated = position as i32;
        let below = truncated - i32::from(truncated as f32 > position);
        let side = self.side as i32;
        let mut first = below;
        // Divides only if the coordinate is outside the period.
        if !(0..side).contains(&first) {
            first = first.rem_euclid(side);
        }
        let second = if first + 1 == side { 0 } else { first + 1 };
        (first as usize, second as usize, position - below as f32)
    }
}

/// Shifts and scales both fields to mean 0 and variance 1.
fn standardise(values: &mut [Complex<f32>]) {
    let count = values.len() as f64;
    let wide = |value: &Complex<f32>| Complex::new(f64::from(value.re), f64::from(value.im));
    let mean = values.iter().map(wide).sum::<Complex<f64>>() / count;
    let (mut real, mut imaginary) = (0.0, 0.0);
    for value in values.iter().map(wide) {
        let offset = value - mean;
        real += offset.re * offset.re;
        imaginary += offset.im * offset.im;
    }
    let scale = [real, imaginary].map(|sum| (1.0 / libm::sqrt(sum / count)) as f32);
    let mean = Complex::new(mean.re as f32, mean.im as f32);
    for value in values {
        let offset = *value - mean;
        *value = Complex::new(offset.re * scale[0], offset.im * scale[1]);
    }
}

/// The smallest length of at least `least` whose only prime factors are 2, 3 and 5, for which the transform is fast.
fn smooth_length(least: usize) -> usize {
    let is_smooth = |length: usize| {
        let mut rest = length;
        for factor in [2, 3, 5] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        rest == 1
    };
    // There is a power of two between any number and its double.
    (least.max(1)..=2 * least.max(1)).find(|&length| is_smooth(length)).expect("a power of two is among them")
}

fn transpose(values: &mut [Complex<f32>], side: usize) {
    // In blocks, so that the rows and columns of a block stay in the cache.
    const BLOCK: usize = 16;
    for block_row in (0..side).step_by(BLOCK) {
        for block_column in (block_row..side).step_by(BLOCK) {
            for row in block_row..(block_row + BLOCK).min(side) {
                for column in block_column.max(row + 1)..(block_column + BLOCK).min(side) {
                    values.swap(row * side + column, column * side + row);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::phantom_stream::PhantomStream;
    use super::*;

    #[test]
    fn lengths_are_rounded_up_to_smooth_numbers() {
        assert_eq!([1, 7, 11, 97, 439].map(smooth_length), [1, 8, 12, 100, 450]);
    }

    #[test]
    fn a_transpose_is_its_own_inverse_and_swaps_axes() {
        let side = 37;
        let original: Vec<_> = (0..side * side).map(|index| Complex::new(index as f32, 0.0)).collect();
        let mut values = original.clone();
        transpose(&mut values, side);
        assert_eq!(values[5 * side + 20], original[20 * side + 5]);
        transpose(&mut values, side);
        assert_eq!(values, original);
    }

    #[test]
    fn the_fields_are_standardised_independent_and_longer_along_x() {
        let recipe = FieldRecipe::new(&mut FftPlannerScalar::new(), 128, 3.0, 2.0, 1.0);
        let mut stream = RandomStream::new(1, PhantomStream::Subject(1));
        let (mut along, mut across, mut product, mut draws) = (0.0_f64, 0.0_f64, 0.0_f64, 0);
        for _ in 0..12 {
            let pair = recipe.draw(&mut stream);
            let count = pair.values.len() as f64;
            let sum =
                |part: fn(&Complex<f32>) -> f32| pair.values.iter().map(|value| f64::from(part(value))).sum::<f64>();
            assert!(sum(|value| value.re).abs() / count < 1e-3, "mean 0");
            assert!((sum(|value| value.im * value.im) / count - 1.0).abs() < 1e-3, "variance 1");
            product += sum(|value| value.re * value.im) / count;
            for y in 0..100 {
                for x in 0..100 {
                    let at = |dx: u8, dy: u8| {
                        pair.at((x as f32 + f32::from(dx)) / 128.0, (y as f32 + f32::from(dy)) / 128.0)[0]
                    };
                    along += f64::from(at(2, 0) - at(0, 0)).powi(2);
                    across += f64::from(at(0, 2) - at(0, 0)).powi(2);
                    draws += 1;
                }
            }
        }
        assert!((product / 12.0).abs() < 0.2, "correlation {}", product / 12.0);
        assert!(along > 0.0 && across > 1.5 * along, "{across} across, {along} along, {draws} pairs");
    }
}
