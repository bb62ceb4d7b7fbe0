//! Chest wall and pectoral muscle of an image, as the audit reports them.

use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::filled_pectoral::filled_pectoral;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::raster::Raster;

use super::image_measures::Pectoral;

/// The part of the breast's width at either end in which its height is measured.
const END: f64 = 0.05;
/// The breast is higher at the chest wall than at the other end by at least this factor.
const MIN_RATIO: f64 = 1.5;

/// The side at which the chest wall is: the breast is high there and tapers towards the nipple. `None` if it does not
/// taper clearly.
pub(super) fn chest_wall_side(_image: &Raster<u8>, breast: &Mask) -> Option<Side> {
    let mut heights = vec![0_usize; breast.width()];
    for row in breast.pixels().chunks_exact(breast.width()) {
        for (height, _) in heights.iter_mut().zip(row).filter(|&(_, &inside)| inside) {
            *height += 1;
        }
    }
    let first = heights.iter().position(|&height| height > 0)?;
    let last = heights.iter().rposition(|&height| height > 0)?;
    let end = (((last - first) as f64 * END) as usize).max(1);
    let sum = |columns: &[usize]| columns.iter().sum::<usize>() as f64;
    let left = sum(&heights[first..(first + end).min(heights.len())]);
    let right = sum(&heights[(last + 1).saturating_sub(end)..=last]);
    if left >= MIN_RATIO * right {
        Some(Side::Left)
    } else if right >= MIN_RATIO * left {
        Some(Side::Right)
    } else {
        None
    }
}

/// The pectoral muscle of an MLO view.
pub(super) fn pectoral_muscle(image: &Raster<u8>, breast: &Mask, _chest_wall: Option<Side>) -> Pectoral {
    if filled_pectoral(image, breast).is_some() { Pectoral::Filled } else { Pectoral::Uncertain }
}
