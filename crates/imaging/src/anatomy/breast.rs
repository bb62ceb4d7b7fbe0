//! The breast in a raw picture.

use crate::breast_mask::grey_levels;
use crate::mask::Mask;
use crate::raster::Raster;

use super::bright_border::without_bright_border;
use super::grey_histogram::GreyHistogram;
use super::pixel_box::PixelBox;
use super::reduced::resampled;

/// The longer side, in pixels, at which the breast is segmented; larger pictures are reduced by a whole factor to at
/// least this.
const WORKING_SIDE: usize = 640;

/// Radius of the opening as a share of the shorter side; it removes letters, strips and noise up to twice as wide.
const OPENING: f64 = 0.01;

/// The smallest breast as a share of the picture.
const MIN_BREAST: f64 = 0.02;

/// The breast, pectoral muscle included, in a raw picture: one with letters, tape, bright borders, or a noisy background
/// that is not 0. `None` if there is none.
///
/// Bright borders are left out. The background is the most frequent of the darker grey levels, and the breast begins a
/// fifth of the way from it to the threshold that separates dark from bright best (Otsu 1979), or above the noise. The
/// largest component has its holes filled and is opened by 1 % of the shorter side. This is done at a reduced size, and
/// the outline is interpolated to single pixels.
///
/// On a picture that is already cropped and has a clean background,
/// [`breast_mask`](crate::breast_mask::breast_mask) follows the skin more closely.
#[must_use]
pub fn find_breast(image: &Raster<u8>) -> Option<Mask> {
    let (width, height) = (image.width(), image.height());
    let grey = grey_levels(image);
    let inner = without_bright_border(&grey, width);
    let factor = (inner.width().max(inner.height()) / WORKING_SIDE).max(1);
    let (columns, rows) = (inner.width().div_ceil(factor), inner.height().div_ceil(factor));
    let mut reduced = resampled(&grey, width, inner, (columns, rows));
    if factor == 1 {
        reduced = averaged_with_neighbours(&reduced, columns);
    }
    let threshold = GreyHistogram::of(reduced.iter().copied()).background()?.threshold;
    let radius = (columns.min(rows) as f64 * OPENING).round().max(1.0) as usize;
    let brighter = Mask::new(columns, rows, reduced.iter().map(|&level| level > threshold).collect());
    let breast = brighter.largest_component().holes_filled().opened(radius).largest_component();
    if (breast.area() as f64) < MIN_BREAST * (columns * rows) as f64 {
        return None;
    }
    let breast = if factor == 1 { breast } else { enlarged(&breast, &reduced, threshold, inner) };
    Some(inner.uncropped_mask(&breast, width, height))
}

/// The mean of each pixel and its eight neighbours, which lowers noise by two thirds.
fn averaged_with_neighbours(levels: &[f32], width: usize) -> Vec<f32> {
    let height = levels.len() / width;
    // Sums of whole numbers are exact: a mirrored picture has mirrored means.
    let along_rows: Vec<f32> = levels
        .chunks_exact(width)
        .flat_map(|row| (0..width).map(|x| row[x.saturating_sub(1)] + row[x] + row[(x + 1).min(width - 1)]))
        .collect();
    let row = |y: usize| &along_rows[y * width..][..width];
    (0..height)
        .flat_map(|y| {
            let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
            (0..width).map(move |x| (above[x] + here[x] + below[x]) / 9.0)
        })
        .collect()
}

/// A mask at the size of `inner` from one at a reduced size: within a reduced pixel of the outline, interpolated grey
/// levels are compared with the threshold.
fn enlarged(breast: &Mask, levels: &[f32], threshold: f32, inner: PixelBox) -> Mask {
    let (columns, rows) = (breast.width(), breast.height());
    let (core, reach) = (breast.eroded(1), breast.dilated(1));
    let scales = (columns as f32 / inner.width() as f32, rows as f32 / inner.height() as f32);
    let between = |at: usize, scale: f32, count: usize| {
        let position = ((at as f32 + 0.5) * scale - 0.5).clamp(0.0, (count - 1) as f32);
        let first = (position as usize).min(count.saturating_sub(2));
        (first, (first + 1).min(count - 1), position - first as f32)
    };
    let across: Vec<_> = (0..inner.width())
        .map(|x| (((x as f32 + 0.5) * scales.0) as usize, between(x, scales.0, columns)))
        .map(|(nearest, between)| (nearest.min(columns - 1), between))
        .collect();
    let mut inside = Vec::with_capacity(inner.width() * inner.height());
    for y in 0..inner.height() {
        let nearest_row = (((y as f32 + 0.5) * scales.1) as usize).min(rows - 1) * columns;
        let (above, below, down) = between(y, scales.1, rows);
        let (above, below) = (&levels[above * columns..][..columns], &levels[below * columns..][..columns]);
        inside.extend(across.iter().map(|&(nearest, (left, right, along))| {
            if core.pixels()[nearest_row + nearest] {
                return true;
            }
            if !reach.pixels()[nearest_row + nearest] {
                return false;
            }
            let upper = above[left] + along * (above[right] - above[left]);
            let lower = below[left] + along * (below[right] - below[left]);
            upper + down * (lower - upper) > threshold
        }));
    }
    Mask::new(inner.width(), inner.height(), inside).largest_component()
}
