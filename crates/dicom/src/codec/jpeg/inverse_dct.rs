//! The inverse discrete cosine transform of 8 × 8 coefficients (T.81 A.3.3).

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The order in which coefficients are coded: index in the block per position in the zigzag.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// The transform as a matrix: `basis[frequency][position]`.
pub(super) struct InverseDct {
    basis: [[f32; 8]; 8],
}

impl InverseDct {
    pub(super) fn new() -> Self {
        let mut basis = [[0.0; 8]; 8];
        for (frequency, waves) in basis.iter_mut().enumerate() {
            let scale = if frequency == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
            for (position, value) in waves.iter_mut().enumerate() {
                let angle = (2 * position + 1) as f64 * frequency as f64 * PI / 16.0;
                *value = (scale * angle.cos()) as f32;
            }
        }
        Self { basis }
    }

    /// Transforms dequantized coefficients into samples around 0.
    pub(super) fn transform(&self, coefficients: &[f32; 64]) -> [f32; 64] {
        // Columns first: a row of the intermediate result is a sum of rows of coefficients.
        let mut rows = [[0.0_f32; 8]; 8];
        for (waves, line) in self.basis.iter().zip(coefficients.as_chunks::<8>().0) {
            if line.iter().all(|&value| value == 0.0) {
                continue;
            }
            for (row, &wave) in rows.iter_mut().zip(waves) {
                for (sum, &value) in row.iter_mut().zip(line) {
                    *sum += wave * value;
                }
            }
        }
        let mut samples = [0.0; 64];
        for (row, target) in rows.iter().zip(samples.as_chunks_mut::<8>().0) {
            for (waves, &value) in self.basis.iter().zip(row) {
                for (sum, &wave) in target.iter_mut().zip(waves) {
                    *sum += wave * value;
                }
            }
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_those_of_the_formula() {
        let coefficients: [f32; 64] = std::array::from_fn(|index| ((index * 37 + 11) % 101) as f32 - 50.0);
        let samples = InverseDct::new().transform(&coefficients);
        for (index, &sample) in samples.iter().enumerate() {
            let (row, column) = (index / 8, index % 8);
            let mut expected = 0.0;
            for (frequency, &coefficient) in coefficients.iter().enumerate() {
                let wave = |position: usize, frequency: usize| {
                    let scale = if frequency == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                    scale / 2.0 * (PI / 16.0 * ((2 * position + 1) * frequency) as f64).cos()
                };
                expected += f64::from(coefficient) * wave(row, frequency / 8) * wave(column, frequency % 8);
            }
            assert!((f64::from(sample) - expected).abs() < 1e-3, "{index}: {sample} instead of {expected}");
        }
    }

    #[test]
    fn the_zigzag_visits_all_coefficients_along_diagonals() {
        let mut visited = ZIGZAG;
        visited.sort_unstable();
        assert!(visited.iter().copied().eq(0..64));
        let diagonal = |index: u8| index / 8 + index % 8;
        assert!(ZIGZAG.is_sorted_by_key(|&index| diagonal(index)));
    }
}
