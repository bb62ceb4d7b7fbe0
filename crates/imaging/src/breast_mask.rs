//! Segmentation of the breast.

use super::mask::Mask;
use super::raster::{Channels, Raster};

/// Radius of the opening as a share of the shorter side; it removes strips, labels and noise up to twice as wide.
const OPENING: f64 = 0.01;

/// A level counts as background while it is at least this share as frequent as the most frequent level.
const BACKGROUND_SHARE: f64 = 0.02;

/// The smallest breast as a share of the picture.
const MIN_BREAST: f64 = 0.02;

/// The breast, pectoral muscle included, in a mammogram whose background is darker than the breast; `None` if there is
/// none.
///
/// The background level is the mode of the grey levels up to the mean (a pectoral muscle filled with one grey is
/// brighter than that). The levels around the mode that are frequent are counted on either side, and the background
/// extends above the mode by the larger of the two counts. The largest component of the brighter pixels has its holes
/// filled and is opened by 1 % of the shorter side; if that splits it, the largest part is kept. The picture's edge is
/// not eroded, so that the chest wall stays where it is.
#[must_use]
pub fn breast_mask(image: &Raster<u8>) -> Option<Mask> {
    let grey = grey_levels(image);
    let background = brightest_background(&grey)?;
    let (width, height) = (image.width(), image.height());
    let radius = (width.min(height) as f64 * OPENING).round().max(1.0) as usize;
    let brighter = Mask::new(width, height, grey.iter().map(|&level| level > background).collect());
    let breast = brighter.largest_component().holes_filled().opened(radius).largest_component();
    (breast.area() as f64 >= MIN_BREAST * (width * height) as f64).then_some(breast)
}

/// One grey level per pixel: the sample itself, or the mean of the three samples of a coloured pixel.
#[must_use]
pub fn grey_levels(image: &Raster<u8>) -> Vec<u8> {
    match image.channels() {
        Channels::Grey => image.samples().to_vec(),
        Channels::Rgb => {
            let pixels = image.samples().as_chunks::<3>().0;
            pixels.iter().map(|pixel| (pixel.iter().map(|&sample| u16::from(sample)).sum::<u16>() / 3) as u8).collect()
        }
    }
}

/// The brightest level that still counts as background; `None` for a picture of a single level.
fn brightest_background(grey: &[u8]) -> Option<u8> {
    let mut counts = [0_u64; 256];
    for &level in grey {
        counts[usize::from(level)] += 1;
    }
    let sum: u64 = counts.iter().zip(0..).map(|(count, level)| count * level).sum();
    let mean = (sum / grey.len() as u64) as usize;
    let (mode, most) = counts.iter().copied().enumerate().take(mean + 1).rev().max_by_key(|&(_, count)| count)?;
    if most == grey.len() as u64 {
        return None;
    }
    let frequent = |&&count: &&u64| count as f64 >= BACKGROUND_SHARE * most as f64;
    let above = counts[mode + 1..].iter().take_while(frequent).count();
    let below = counts[..mode].iter().rev().take_while(frequent).count();
    u8::try_from(mode + above.max(below)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half disc of breast at the left edge of a picture 60 pixels wide and 100 high.
    fn half_disc(grey: impl Fn(usize, usize, bool) -> u8) -> Raster<u8> {
        let samples = (0..60 * 100).map(|at| {
            let (x, y) = (at % 60, at / 60);
            grey(x, y, x.pow(2) + y.abs_diff(50).pow(2) < 40_usize.pow(2))
        });
        Raster::new(60, 100, Channels::Grey, samples.collect())
    }

    fn disagreement(image: &Raster<u8>) -> usize {
        let found = breast_mask(image).unwrap();
        let truth = half_disc(|_, _, inside| u8::from(inside));
        found.pixels().iter().zip(truth.samples()).filter(|&(&found, &truth)| found != (truth > 0)).count()
    }

    #[test]
    fn the_breast_is_found_on_a_noisy_background() {
        // Background from 10 to 16 with its mode at 13, a dark spot inside the breast, bright strips outside.
        let noise = |x: usize, y: usize| [13, 10, 13, 16, 12, 13, 14][(x * 5 + y * 3) % 7];
        let image = half_disc(|x, y, inside| match (x, y) {
            (10..13, 40..44) => 12,
            (50..52, _) | (_, 95..97) => 90,
            _ if inside => 120,
            _ => noise(x, y),
        });
        // The opening removes a few pixels where the outline meets the chest wall.
        assert!(disagreement(&image) < 20, "{} pixels differ", disagreement(&image));
    }

    #[test]
    fn a_filled_muscle_is_not_the_background() {
        // A third of the breast has one level, more pixels than any level of the background.
        let image = half_disc(|x, y, inside| match inside {
            true if y < 45 => 130,
            true => 100 + ((x * 7 + y) % 60) as u8,
            false => ((x + y) % 3) as u8,
        });
        assert!(disagreement(&image) < 20, "{} pixels differ", disagreement(&image));
    }

    #[test]
    fn an_empty_picture_has_no_breast() {
        for level in [0, 7, 255] {
            assert_eq!(breast_mask(&half_disc(|_, _, _| level)), None);
        }
        let speck = half_disc(|x, y, _| if x < 5 && y < 5 { 200 } else { 0 });
        assert_eq!(breast_mask(&speck), None);
    }

    #[test]
    fn coloured_pixels_count_by_their_mean() {
        let grey = half_disc(|x, y, inside| if inside { 90 + ((x + y) % 20) as u8 } else { 0 });
        let samples = grey.samples().iter().flat_map(|&level| [level.saturating_sub(3), level, level + 3]).collect();
        let colour = Raster::new(60, 100, Channels::Rgb, samples);
        assert_eq!(breast_mask(&grey).unwrap().area(), breast_mask(&colour).unwrap().area());
    }
}
