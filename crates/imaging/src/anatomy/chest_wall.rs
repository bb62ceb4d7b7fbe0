//! The side of the chest wall, and the crop at the skin.

use mammoscope_domain::subject::view::Side;

use crate::mask::Mask;

use super::pixel_box::PixelBox;

/// The columns at either end of the breast that are compared, as a share of its width.
const ENDS: f64 = 1.0 / 30.0;

/// The breast is this many times as high at the chest wall as at its other end, at least.
const MIN_RATIO: f64 = 1.3;

/// A gap of up to this many columns between chest wall and picture edge is not a margin: the segmentation loses as
/// much.
const MAX_GAP: usize = 2;

/// The side of the imaged breast: [`Side::Left`] if the chest wall is at the left, where the breast is cut off straight
/// and therefore high, while at the other end it is round. `None` if both ends are about as high, so that the side cannot
/// be said, and for an empty mask.
#[must_use]
pub fn chest_wall_side(breast: &Mask) -> Option<Side> {
    let around = PixelBox::around(breast)?;
    let columns = (around.width() as f64 * ENDS).round().max(1.0) as usize;
    let area = |left: usize| {
        let rows = breast.pixels().chunks_exact(breast.width());
        rows.map(|row| row[left..left + columns].iter().filter(|&&inside| inside).count()).sum::<usize>() as f64
    };
    let (left, right) = (area(around.left), area(around.right - columns));
    if left >= MIN_RATIO * right {
        Some(Side::Left)
    } else if right >= MIN_RATIO * left {
        Some(Side::Right)
    } else {
        None
    }
}

/// The crop at the skin: the smallest box that contains the breast, flush with the picture's edge at the chest wall unless
/// there is a margin of more than two pixels. `None` for an empty mask.
#[must_use]
pub fn skin_box(breast: &Mask, side: Side) -> Option<PixelBox> {
    let mut around = PixelBox::around(breast)?;
    match side {
        Side::Left if around.left <= MAX_GAP => around.left = 0,
        Side::Right if around.right + MAX_GAP >= breast.width() => around.right = breast.width(),
        _ => {}
    }
    Some(around)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half disc of radius 20 whose flat side is `gap` columns from the left edge of 40 × 50 pixels.
    fn half_disc(gap: usize) -> Mask {
        let inside = |x: usize, y: usize| x >= gap && (x - gap).pow(2) + y.abs_diff(25).pow(2) < 400;
        Mask::new(40, 50, (0..2000).map(|at| inside(at % 40, at / 40)).collect())
    }

    #[test]
    fn the_flat_end_is_the_chest_wall() {
        let breast = half_disc(0);
        let mirrored = breast.pixels().chunks_exact(40).flat_map(|row| row.iter().rev()).copied().collect();
        assert_eq!(chest_wall_side(&breast), Some(Side::Left));
        assert_eq!(chest_wall_side(&Mask::new(40, 50, mirrored)), Some(Side::Right));
        for inside in [true, false] {
            assert_eq!(chest_wall_side(&Mask::new(3, 3, vec![inside; 9])), None);
        }
    }

    #[test]
    fn the_crop_is_flush_with_the_chest_wall_and_cuts_margins_off() {
        let boxed = |gap| skin_box(&half_disc(gap), Side::Left).unwrap();
        assert_eq!(boxed(0), PixelBox { left: 0, top: 6, right: 20, bottom: 45 });
        assert_eq!(boxed(2).left, 0, "lost by the segmentation");
        assert_eq!(boxed(7).left, 7, "a margin");
        assert_eq!(skin_box(&Mask::new(2, 2, vec![false; 4]), Side::Left), None);
    }
}
