//! Rule-based segmentation of dense tissue.

use super::breast_mask::grey_levels;
use super::mask::Mask;
use super::raster::Raster;

/// The quantile of the examined pixels that serves as the grey level of fat.
const FAT: f64 = 0.20;

/// The threshold above fat: `OFFSET` grey levels plus `CONTRAST` × the spread between fat and the 95th percentile.
const OFFSET: f64 = 12.0;
const CONTRAST: f64 = 0.10;

/// Side of the averaging square as a share of the shorter side: noise and single fibres are not dense tissue.
const AVERAGED: f64 = 0.012;

/// The smallest share of the examined pixels that is more than noise.
const MIN_SHARE: f64 = 0.05;

/// The dense tissue found by the rule.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseTissue {
    /// The dense pixels; mere noise if their share is below 5 %.
    pub mask: Mask,
    /// Share of the examined pixels.
    pub share: f64,
}

impl DenseTissue {
    /// The mask, unless its share is so small that it is mere noise.
    #[must_use]
    pub fn worth_scoring(self) -> Option<Mask> {
        (self.share >= MIN_SHARE).then_some(self.mask)
    }
}

/// Segments dense tissue by a threshold above a fat reference: the examined pixels (the breast without skin band and
/// muscle) whose averaged grey is far enough above the 20th percentile. The offset has a constant part and one that grows
/// with the picture's contrast. `None` if there are no pixels to examine.
///
/// Otsu's threshold would classify two thirds of a fatty breast as dense; this rule classifies little of it so. It is not
/// densitometry: it ranks breasts (`docs/explanations.md` has its figures), and its outline is rough.
///
/// # Panics
/// If mask and picture differ in size.
#[must_use]
pub fn dense_tissue(image: &Raster<u8>, examined: &Mask) -> Option<DenseTissue> {
    let (width, height) = (image.width(), image.height());
    assert_eq!((width, height), (examined.width(), examined.height()), "mask and picture have the same size");
    let area = examined.area();
    if area == 0 {
        return None;
    }
    let radius = (AVERAGED * width.min(height) as f64 / 2.0).round() as usize;
    let averaged = averaged_inside(&grey_levels(image), examined, radius);
    let mut values: Vec<f32> =
        averaged.iter().zip(examined.pixels()).filter(|&(_, &inside)| inside).map(|(&value, _)| value).collect();
    let mut percentile = |share: f64| {
        let rank = (share * (area - 1) as f64) as usize;
        f64::from(*values.select_nth_unstable_by(rank, f32::total_cmp).1)
    };
    let (fat, bright) = (percentile(FAT), percentile(0.95));
    let threshold = fat + OFFSET + CONTRAST * (bright - fat);
    let inside = averaged.iter().zip(examined.pixels()).map(|(&value, &inside)| inside && f64::from(value) > threshold);
    let mask = Mask::new(width, height, inside.collect());
    let share = mask.area() as f64 / area as f64;
    Some(DenseTissue { mask, share })
}

/// The mean over the pixels of the mask within `radius` rows and columns of each pixel; 0 if there are none.
fn averaged_inside(grey: &[u8], mask: &Mask, radius: usize) -> Vec<f32> {
    let (width, height) = (mask.width(), mask.height());
    // Sum and count of the masked pixels in the window's rows, by column; the window then slides along the columns.
    let mut columns = vec![[0_u32; 2]; width];
    let count_row = |y: usize, columns: &mut [[u32; 2]], by: fn(u32, u32) -> u32| {
        let row = y * width..(y + 1) * width;
        for ((sums, &grey), &inside) in columns.iter_mut().zip(&grey[row.clone()]).zip(&mask.pixels()[row]) {
            if inside {
                *sums = [by(sums[0], u32::from(grey)), by(sums[1], 1)];
            }
        }
    };
    for y in 0..radius.min(height) {
        count_row(y, &mut columns, |sum, value| sum + value);
    }
    let mut means = Vec::with_capacity(width * height);
    for y in 0..height {
        if y + radius < height {
            count_row(y + radius, &mut columns, |sum, value| sum + value);
        }
        let [mut sum, mut count] = columns.iter().take(radius).fold([0; 2], |sums, &column| added(sums, column));
        for x in 0..width {
            if let Some(&entering) = columns.get(x + radius) {
                [sum, count] = added([sum, count], entering);
            }
            means.push(if count > 0 { sum as f32 / count as f32 } else { 0.0 });
            if let Some(leaving) = x.checked_sub(radius) {
                [sum, count] = [sum - u64::from(columns[leaving][0]), count - u64::from(columns[leaving][1])];
            }
        }
        if let Some(leaving) = y.checked_sub(radius) {
            count_row(leaving, &mut columns, |sum, value| sum - value);
        }
    }
    means
}

fn added(sums: [u64; 2], column: [u32; 2]) -> [u64; 2] {
    [sums[0] + u64::from(column[0]), sums[1] + u64::from(column[1])]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::raster::Channels;
    use super::*;

    fn all(side: usize) -> Mask {
        Mask::new(side, side, vec![true; side * side])
    }

    /// Slightly textured fat of grey 100, and the dense tissue that `dense` returns.
    fn picture(dense: impl Fn(usize, usize) -> Option<u8>) -> Raster<u8> {
        let grey = |x: usize, y: usize| dense(x, y).unwrap_or(98 + ((x * 5 + y * 3) % 5) as u8);
        Raster::new(100, 100, Channels::Grey, (0..10_000).map(|at| grey(at % 100, at / 100)).collect())
    }

    #[test]
    fn dense_tissue_is_brighter_than_fat() {
        let inside = |x: usize, y: usize| (20..60).contains(&x) && (30..70).contains(&y);
        let found = dense_tissue(&picture(|x, y| inside(x, y).then_some(150)), &all(100)).unwrap();
        let wrong = (0..10_000).filter(|&at| found.mask.pixels()[at] != inside(at % 100, at / 100)).count();
        assert!(wrong < 200, "{wrong} pixels along the edge");
        assert!((found.share - 0.16).abs() < 0.02);
        assert!(found.worth_scoring().is_some());
    }

    #[test]
    fn a_fatty_breast_has_no_dense_tissue() {
        let found = dense_tissue(&picture(|_, _| None), &all(100)).unwrap();
        assert_eq!(found.mask.area(), 0);
        assert_eq!(found.worth_scoring(), None);
        assert_eq!(dense_tissue(&picture(|_, _| None), &Mask::new(100, 100, vec![false; 10_000])), None);
    }

    #[test]
    fn averages_exclude_pixels_outside_the_mask() {
        let mask = Mask::new(3, 1, vec![true, true, false]);
        assert_eq!(averaged_inside(&[10, 20, 255], &mask, 1), [15.0, 15.0, 20.0]);
        assert_eq!(averaged_inside(&[10, 20, 255], &mask, 0), [10.0, 20.0, 0.0]);
    }

    proptest! {
        #[test]
        fn averages_match_direct_summation(width in 1_usize..9, height in 1_usize..9, radius in 0_usize..12, pixels in prop::collection::vec((any::<u8>(), any::<bool>()), 64)) {
            let (grey, inside): (Vec<u8>, Vec<bool>) = pixels[..width * height].iter().copied().unzip();
            let means = averaged_inside(&grey, &Mask::new(width, height, inside.clone()), radius);
            for (at, mean) in means.into_iter().enumerate() {
                let near = |other: usize| {
                    (at % width).abs_diff(other % width) <= radius && (at / width).abs_diff(other / width) <= radius
                };
                let found: Vec<u32> = (0..grey.len()).filter(|&other| inside[other] && near(other)).map(|other| grey[other].into()).collect();
                let expected = if found.is_empty() { 0.0 } else { found.iter().sum::<u32>() as f32 / found.len() as f32 };
                prop_assert!(mean.total_cmp(&expected).is_eq(), "{} and {}", mean, expected);
            }
        }
    }
}
