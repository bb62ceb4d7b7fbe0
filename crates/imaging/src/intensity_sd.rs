//! The standard deviation of the grey levels in the breast: the one-feature baseline that a network has to beat.

use super::breast_mask::{breast_mask, grey_levels};
use super::mask::Mask;
use super::raster::Raster;

/// Radius of the erosion as a share of the picture's shorter side (22 pixels of 650): the skin and the rim over which the
/// compressed breast becomes thinner carry no information about its density.
const EROSION: f64 = 1.0 / 30.0;

/// The standard deviation of the grey levels (0 to 255) in the breast, eroded by 1/30 of the picture's shorter side. The
/// picture is the decoded one, before resizing. `None` if no breast is found or nothing of it is left.
#[must_use]
pub fn intensity_sd(image: &Raster<u8>) -> Option<f64> {
    intensity_sd_within(image, &breast_mask(image)?)
}

/// [`intensity_sd`] of a picture whose breast is known.
#[must_use]
pub fn intensity_sd_within(image: &Raster<u8>, breast: &Mask) -> Option<f64> {
    let radius = (image.width().min(image.height()) as f64 * EROSION).round().max(1.0) as usize;
    let inside = breast.eroded(radius);
    // Computed from counts per level, the moments do not depend on the order of the pixels.
    let mut counts = [0_u64; 256];
    for (level, _) in grey_levels(image).into_iter().zip(inside.pixels()).filter(|&(_, &inside)| inside) {
        counts[usize::from(level)] += 1;
    }
    let total: u64 = counts.iter().sum();
    let mean_of = |value: &dyn Fn(f64) -> f64| {
        let sum: f64 = counts.iter().enumerate().map(|(level, &count)| count as f64 * value(level as f64)).sum();
        sum / total as f64
    };
    let mean = mean_of(&|level| level);
    (total > 0).then(|| mean_of(&|level| (level - mean).powi(2)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::raster::Channels;
    use super::*;

    /// 60 × 60 pixels, the left 40 columns breast: columns alternate between 100 and 100 + `step` up to a bright rim.
    fn striped(step: u8) -> Raster<u8> {
        let grey = |column: usize| match column {
            0..38 => 100 + step * u8::from(column.is_multiple_of(2)),
            38 | 39 => 250,
            _ => 0,
        };
        Raster::new(60, 60, Channels::Grey, (0..3600).map(|at| grey(at % 60)).collect())
    }

    #[test]
    fn the_rim_is_excluded() {
        // 60/30 = 2 pixels are eroded at the skin and none at the chest wall: 19 columns of either level remain.
        assert_eq!(intensity_sd(&striped(20)), Some(10.0));
        assert_eq!(intensity_sd(&striped(0)), Some(0.0));
    }

    #[test]
    fn a_picture_without_a_breast_has_no_value() {
        assert_eq!(intensity_sd(&Raster::new(40, 40, Channels::Grey, vec![9; 1600])), None);
        // Three columns are a breast by their area, but erosion leaves nothing of them.
        let strip = (0..2500).map(|at| if (20..23).contains(&(at % 50)) { 99 } else { 0 }).collect();
        assert_eq!(intensity_sd(&Raster::new(50, 50, Channels::Grey, strip)), None);
    }
}
