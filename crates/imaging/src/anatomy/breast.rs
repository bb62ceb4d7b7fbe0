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

/// The width of the ring around the breast in which a halo is looked for, and its distance from the breast, as a share of
/// the shorter side; and the share of the picture outside it, at least, from which the noise is known.
const RING: f64 = 0.01;
const MIN_BACKGROUND: f64 = 0.02;

/// The brightness of a halo in grey levels, at least.
const MAX_HALO: f64 = 0.7;

/// The distance of the threshold from a background of known noise: in standard deviations of the smoothed levels, by which
/// the breast is segmented, in those of the levels along its outline, and at least in grey levels.
const NOISE: f64 = 4.0;
const RAW_NOISE: f64 = 2.5;
const MIN_STEP: f64 = 2.0;

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
    let levels = resampled(&grey, width, inner, (columns, rows));
    let smooth = if factor == 1 { averaged_with_neighbours(&levels, columns) } else { levels.clone() };
    let threshold = GreyHistogram::of(smooth.iter().copied()).background()?.threshold;
    let radius = (columns.min(rows) as f64 * OPENING).round().max(1.0) as usize;
    let segmented = |threshold: f32| {
        let brighter = Mask::new(columns, rows, smooth.iter().map(|&level| level > threshold).collect());
        brighter.largest_component().holes_filled().opened(radius).largest_component()
    };
    let breast = segmented(threshold);
    if (breast.area() as f64) < MIN_BREAST * (columns * rows) as f64 {
        return None;
    }
    let lower = threshold_above_noise(&levels, &smooth, &breast, threshold);
    let (breast, threshold) = if lower < threshold { (segmented(lower), lower) } else { (breast, threshold) };
    Some(inner.uncropped_mask(&refined(&breast, &levels, threshold, inner), width, height))
}

/// The threshold just above the noise of the background, where there is enough of it and no halo around the breast: light
/// scattered in a film brightens the background beside the skin.
fn threshold_above_noise(levels: &[f32], smooth: &[f32], breast: &Mask, threshold: f32) -> f32 {
    let width = ((breast.width().min(breast.height()) as f64 * RING) as usize).max(2);
    let near = breast.dilated(width);
    let ring = near.dilated(width);
    let beside = ring.without(&near);
    let outside = ring.inverted();
    let inside = |levels: &[f32], mask: &Mask| {
        Moments::of(levels.iter().zip(mask.pixels()).filter(|&(_, &inside)| inside).map(|(&level, _)| level))
    };
    let (background, raw) = (inside(smooth, &outside), inside(levels, &outside));
    let halo = inside(smooth, &beside).mean() - background.mean() > MAX_HALO + background.deviation() / 2.0;
    if halo || background.count < MIN_BACKGROUND * levels.len() as f64 {
        return threshold;
    }
    let noise = (NOISE * background.deviation()).max(RAW_NOISE * raw.deviation());
    (background.mean() + noise.max(MIN_STEP)) as f32
}

/// The number, mean and mean square of grey levels.
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn of(levels: impl Iterator<Item = f32>) -> Self {
        levels.map(f64::from).fold(Self { count: 0.0, sum: 0.0, squares: 0.0 }, |moments, level| Self {
            count: moments.count + 1.0,
            sum: moments.sum + level,
            squares: moments.squares + level * level,
        })
    }

    /// 0 without levels.
    fn mean(&self) -> f64 {
        self.sum / self.count.max(1.0)
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1.0) - self.mean().powi(2)).max(0.0).sqrt()
    }
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

/// A mask at the size of `inner` from one that may be reduced: within a pixel of the outline, grey levels, interpolated
/// where they are reduced, are compared with the threshold.
fn refined(breast: &Mask, levels: &[f32], threshold: f32, inner: PixelBox) -> Mask {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::raster::Channels;

    const WIDTH: usize = 80;
    const HEIGHT: usize = 120;

    /// A half disc of tissue at the left edge on a background of 20, with other greys in places.
    fn picture(other: impl Fn(usize, usize) -> Option<u8>) -> Raster<u8> {
        let samples = (0..WIDTH * HEIGHT).map(|at| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let noise = ((x * 7 + y * 13) % 5) as u8;
            other(x, y).unwrap_or(if is_breast(x, y) { 110 + 6 * noise } else { 18 + noise })
        });
        Raster::new(WIDTH, HEIGHT, Channels::Grey, samples.collect())
    }

    fn is_breast(x: usize, y: usize) -> bool {
        x.pow(2) + y.abs_diff(60).pow(2) < 50_usize.pow(2)
    }

    fn wrong(image: &Raster<u8>) -> usize {
        let found = find_breast(image).unwrap();
        (0..WIDTH * HEIGHT).filter(|&at| found.pixels()[at] != is_breast(at % WIDTH, at / WIDTH)).count()
    }

    #[test]
    fn letters_borders_and_a_bright_background_are_not_breast() {
        assert!(wrong(&picture(|_, _| None)) < 20, "{} pixels", wrong(&picture(|_, _| None)));
        let letters = |x: usize, y: usize| ((60..76).contains(&x) && (5..20).contains(&y) && x % 4 < 2).then_some(250);
        assert!(wrong(&picture(letters)) < 20);
        let tape = |x: usize, y: usize| (x > 55 && y > 112).then_some(150);
        assert!(wrong(&picture(tape)) < 20);
        let border = |x: usize, y: usize| (!(6..115).contains(&y) || x >= 74).then_some(255);
        assert!(wrong(&picture(border)) < 20);
    }

    #[test]
    fn colour_counts_by_its_mean_and_an_empty_picture_has_no_breast() {
        let grey = picture(|_, _| None);
        let samples = grey.samples().iter().flat_map(|&level| [level - 6, level, level + 6]).collect();
        let colour = Raster::new(WIDTH, HEIGHT, Channels::Rgb, samples);
        assert_eq!(find_breast(&colour), find_breast(&grey));
        for level in [0, 9, 255] {
            assert_eq!(find_breast(&picture(|_, _| Some(level))), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_picture_is_segmented_or_refused(width in 1_usize..40, height in 1_usize..40, grey in prop::collection::vec(any::<u8>(), 1600)) {
            let image = Raster::new(width, height, Channels::Grey, grey[..width * height].to_vec());
            if let Some(breast) = find_breast(&image) {
                prop_assert_eq!((breast.width(), breast.height()), (width, height));
            }
        }

        #[test]
        fn a_mirrored_picture_has_the_mirrored_breast(radius in 20_usize..50, centre in 40_usize..80, background in 0_u8..40, step in 1_usize..9) {
            let samples = (0..WIDTH * HEIGHT).map(|at| {
                let (x, y) = (at % WIDTH, at / WIDTH);
                let inside = x.pow(2) + y.abs_diff(centre).pow(2) < radius.pow(2);
                if inside { 100 + ((x * step + y * 3) % 50) as u8 } else { background + ((x * step + y) % 7) as u8 }
            });
            let image = Raster::new(WIDTH, HEIGHT, Channels::Grey, samples.collect());
            let mirrored = image.samples().chunks_exact(WIDTH).flat_map(|row| row.iter().rev()).copied().collect();
            let mirrored = find_breast(&Raster::new(WIDTH, HEIGHT, Channels::Grey, mirrored)).unwrap();
            let found = find_breast(&image).unwrap();
            let back: Vec<bool> = mirrored.pixels().chunks_exact(WIDTH).flat_map(|row| row.iter().rev()).copied().collect();
            prop_assert_eq!(found.pixels(), back.as_slice());
        }
    }
}
