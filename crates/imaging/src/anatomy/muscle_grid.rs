//! The breast on a grid of fixed size, with the chest wall at the left, in which the muscle's edge is searched.

use mammoscope_domain::subject::view::Side;

use crate::mask::Mask;
use crate::raster::Raster;
use crate::skin_band::squared_distances;

use super::pixel_box::PixelBox;
use super::reduced::{resampled, smoothed};

/// The size of the grid. A breast fills it whatever its size and shape, so that all lengths below are relative to it.
pub(super) const WIDTH: usize = 160;
pub(super) const HEIGHT: usize = 256;

/// Quantiles of the grey levels in the breast that become 0 and 1.
const DARK: f64 = 0.05;
const BRIGHT: f64 = 0.95;

/// The least difference between these quantiles, in grey levels: the noise of a uniform picture is not amplified.
const MIN_CONTRAST: f32 = 8.0;

/// Distance from the skin, in grid pixels, up to which the breast becomes thinner and no edge is trusted.
const RIM: f64 = 9.0;

/// The grid: grey levels from 0 to about 1, and how they fall away from the chest wall.
pub(super) struct MuscleGrid {
    /// Pixels of the picture per grid pixel, horizontally and vertically.
    pub(super) scale: (f64, f64),
    /// True in the breast.
    pub(super) breast: Vec<bool>,
    /// True in the breast, deeper than the rim along the skin.
    trusted: Vec<bool>,
    /// Normalised grey levels.
    pub(super) grey: Vec<f32>,
}

/// The slope of the grey levels at one scale.
pub(super) struct Gradient {
    /// Columns and rows; each a difference per grid pixel.
    across: Vec<f32>,
    down: Vec<f32>,
}

impl MuscleGrid {
    /// The grid of a breast that fills its picture.
    pub(super) fn new(image: &Raster<u8>, breast: &Mask, side: Side) -> Self {
        let (width, height) = (image.width(), image.height());
        let whole = PixelBox { left: 0, top: 0, right: width, bottom: height };
        // Mirrored before all arithmetic, so that mirrored pictures give exactly mirrored results.
        let on_grid = |mut samples: Vec<u8>| {
            if side == Side::Right {
                samples.chunks_exact_mut(width).for_each(<[u8]>::reverse);
            }
            resampled(&samples, width, whole, (WIDTH, HEIGHT))
        };
        let inside = breast.pixels().iter().map(|&inside| u8::from(inside)).collect();
        let breast: Vec<bool> = on_grid(inside).into_iter().map(|share| share > 0.5).collect();
        let mut grey = on_grid(image.samples().to_vec());
        let mut levels: Vec<f32> =
            grey.iter().zip(&breast).filter(|&(_, &inside)| inside).map(|(&level, _)| level).collect();
        levels.sort_unstable_by(f32::total_cmp);
        let quantile = |share: f64| levels.get((share * levels.len() as f64) as usize).copied().unwrap_or(0.0);
        let (dark, contrast) = (quantile(DARK), (quantile(BRIGHT) - quantile(DARK)).max(MIN_CONTRAST));
        for level in &mut grey {
            *level = ((*level - dark) / contrast).clamp(-1.0, 1.5);
        }
        let depths = squared_distances(&Mask::new(WIDTH, HEIGHT, breast.clone()));
        let trusted = depths.into_iter().map(|squared| squared >= RIM * RIM).collect();
        Self { scale: (width as f64 / WIDTH as f64, height as f64 / HEIGHT as f64), breast, trusted, grey }
    }

    /// The slope of the grey levels in the breast after smoothing with a Gaussian of `sigma` grid pixels; the background
    /// does not count.
    pub(super) fn gradient(&self, sigma: f32) -> Gradient {
        let weights: Vec<f32> = self.breast.iter().map(|&inside| f32::from(u8::from(inside))).collect();
        let weighted: Vec<f32> = self.grey.iter().zip(&weights).map(|(grey, weight)| grey * weight).collect();
        let weights = smoothed(&weights, WIDTH, sigma);
        let smooth = smoothed(&weighted, WIDTH, sigma);
        let smooth: Vec<f32> = smooth.iter().zip(weights).map(|(sum, weight)| sum / weight.max(1e-3)).collect();
        let at = |x: usize, y: usize| smooth[y * WIDTH + x];
        let positions = || (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
        let difference = |before: f32, after: f32, steps: usize| (after - before) / steps as f32;
        let across = positions().map(|(x, y)| {
            let (before, after) = (x.saturating_sub(1), (x + 1).min(WIDTH - 1));
            difference(at(before, y), at(after, y), after - before)
        });
        let down = positions().map(|(x, y)| {
            let (before, after) = (y.saturating_sub(1), (y + 1).min(HEIGHT - 1));
            difference(at(x, before), at(x, after), after - before)
        });
        Gradient { across: across.collect(), down: down.collect() }
    }

    /// The fall of grey along a direction (to the right, down) at a place on a row, as a multiple of `full` and at most 1
    /// in size; `None` outside the grid and in the rim.
    pub(super) fn fall(&self, gradient: &Gradient, x: f32, y: usize, direction: (f32, f32), full: f32) -> Option<f32> {
        if !(x >= 0.0 && x < (WIDTH - 1) as f32) {
            return None;
        }
        let (first, along) = (x as usize, x.fract());
        let at = y * WIDTH + first;
        if !self.trusted[at] {
            return None;
        }
        let between = |map: &[f32]| map[at] + along * (map[at + 1] - map[at]);
        let fall = -(between(&gradient.across) * direction.0 + between(&gradient.down) * direction.1);
        Some((fall / full).clamp(-1.0, 1.0))
    }
}
