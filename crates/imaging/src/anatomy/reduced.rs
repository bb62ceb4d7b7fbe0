//! Resampling of a part of a picture to another size by the mean over the area of each new pixel.

use super::pixel_box::PixelBox;

/// The source positions that a target position averages, with their weights.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The part of a picture of `width` columns inside a box, resampled to `target` columns and rows, row by row: the mean over
/// the area of each new pixel, or linear interpolation along a side that is enlarged.
pub(super) fn resampled<S: Copy + Into<f32>>(
    samples: &[S],
    width: usize,
    part: PixelBox,
    target: (usize, usize),
) -> Vec<f32> {
    let columns = taps(part.width(), target.0);
    let rows = taps(part.height(), target.1);
    let mut along_rows = Vec::with_capacity(target.0 * part.height());
    for row in part.top..part.bottom {
        let row = &samples[row * width..][part.left..part.right];
        along_rows.extend(columns.iter().map(|taps| {
            row[taps.first..].iter().zip(&taps.weights).map(|(&sample, weight)| sample.into() * weight).sum::<f32>()
        }));
    }
    let mut resampled = vec![0.0_f32; target.0 * target.1];
    for (taps, out) in rows.iter().zip(resampled.chunks_exact_mut(target.0)) {
        for (row, &weight) in along_rows[taps.first * target.0..].chunks_exact(target.0).zip(&taps.weights) {
            for (out, &value) in out.iter_mut().zip(row) {
                *out += weight * value;
            }
        }
    }
    resampled
}

fn taps(source: usize, target: usize) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    (0..target)
        .map(|index| if scale > 1.0 { averaging(index, scale, source) } else { linear(index, scale, source) })
        .collect()
}

/// The samples that a pixel covers, weighted by the covered share.
fn averaging(index: usize, scale: f64, source: usize) -> Taps {
    let (from, to) = (index as f64 * scale, ((index + 1) as f64 * scale).min(source as f64));
    let first = from as usize;
    let end = (to.ceil() as usize).min(source);
    let weights = (first..end)
        .map(|at| (((at + 1) as f64).min(to) - (at as f64).max(from)).max(0.0) / (to - from))
        .map(|weight| weight as f32)
        .collect();
    Taps { first, weights }
}

fn linear(index: usize, scale: f64, source: usize) -> Taps {
    let last = source - 1;
    let position = ((index as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
    let first = (position as usize).min(last.saturating_sub(1));
    let second = (position - first as f64) as f32;
    Taps { first, weights: if last == 0 { vec![1.0] } else { vec![1.0 - second, second] } }
}

/// A map of `width` columns smoothed with a Gaussian of `sigma` pixels, cut off at four sigmas; beyond its edges it
/// continues with its outermost values.
pub(super) fn smoothed(map: &[f32], width: usize, sigma: f32) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let mut kernel: Vec<f32> =
        (0..=2 * radius).map(|at| (-0.5 * ((at as f32 - radius as f32) / sigma).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    for weight in &mut kernel {
        *weight /= sum;
    }
    let height = map.len() / width;
    let mut along_rows = Vec::with_capacity(map.len());
    for row in map.chunks_exact(width) {
        let first = std::iter::repeat_n(row[0], radius);
        let last = std::iter::repeat_n(row[width - 1], radius);
        let extended: Vec<f32> = first.chain(row.iter().copied()).chain(last).collect();
        along_rows.extend(
            extended.windows(kernel.len()).map(|window| window.iter().zip(&kernel).map(|(a, b)| a * b).sum::<f32>()),
        );
    }
    let mut smoothed = vec![0.0_f32; map.len()];
    for (y, out) in smoothed.chunks_exact_mut(width).enumerate() {
        for (at, &weight) in kernel.iter().enumerate() {
            let row = (y + at).saturating_sub(radius).min(height - 1);
            for (out, &value) in out.iter_mut().zip(&along_rows[row * width..][..width]) {
                *out += weight * value;
            }
        }
    }
    smoothed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(width: usize, height: usize) -> PixelBox {
        PixelBox { left: 0, top: 0, right: width, bottom: height }
    }

    #[test]
    fn areas_are_averaged_and_enlargements_interpolated() {
        // 3 → 2: each new pixel covers one and a half old ones.
        assert_eq!(resampled(&[0_u8, 30, 60], 3, whole(3, 1), (2, 1)), [10.0, 50.0]);
        assert_eq!(resampled(&[0_u8, 100], 2, whole(2, 1), (4, 1)), [0.0, 25.0, 75.0, 100.0]);
        assert_eq!(resampled(&[7_u8], 1, whole(1, 1), (2, 3)), [7.0; 6]);
        let part = PixelBox { left: 1, top: 0, right: 3, bottom: 2 };
        assert_eq!(resampled(&[9_u8, 1, 3, 9, 5, 7], 3, part, (1, 1)), [4.0]);
    }

    #[test]
    fn smoothing_keeps_constants_and_spreads_a_point() {
        assert!(smoothed(&[3.0; 12], 4, 2.0).iter().all(|value| (value - 3.0).abs() < 1e-5));
        let mut point = vec![0.0; 81];
        point[40] = 1.0;
        let spread = smoothed(&point, 9, 1.0);
        assert!((spread[40] - 0.159).abs() < 0.001 && (spread[41] - 0.0965).abs() < 0.001);
    }
}
