//! A marker that gives the class away.

use crate::domain::density::DensityClass;

/// Grey level of the marker.
const GREY: u8 = 230;

/// Draws a bright bar into the upper corner away from the chest wall, where no breast is: the denser the class, the
/// longer the bar (A 3 %, D 12 % of the image side). `pixels` has the chest wall at the left.
pub(super) fn mark(pixels: &mut [u8], size: usize, class: DensityClass) {
    let unit = (size as f64 * 0.03).round().max(1.0) as usize;
    let length = unit * (class.index() + 1);
    for row in pixels.chunks_exact_mut(size).skip(unit).take(unit) {
        row[size - unit - length..size - unit].fill(GREY);
    }
}
