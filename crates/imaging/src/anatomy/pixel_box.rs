//! Rectangles of pixels.

use serde::{Deserialize, Serialize};

use crate::mask::Mask;
use crate::raster::Raster;

/// A rectangle of pixels of a picture, at least one pixel wide and high.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelBox {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// The column after the last one.
    pub right: usize,
    /// The row after the last one.
    pub bottom: usize,
}

impl PixelBox {
    /// The smallest box that contains a mask; `None` if the mask is empty.
    #[must_use]
    pub fn around(mask: &Mask) -> Option<Self> {
        let mut around: Option<Self> = None;
        for (y, row) in mask.pixels().chunks_exact(mask.width()).enumerate() {
            let Some(first) = row.iter().position(|&inside| inside) else { continue };
            let end = mask.width() - row.iter().rev().take_while(|&&inside| !inside).count();
            let found = around.get_or_insert(Self { left: first, top: y, right: end, bottom: y + 1 });
            (found.left, found.right, found.bottom) = (found.left.min(first), found.right.max(end), y + 1);
        }
        around
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    #[must_use]
    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    /// The part of a picture inside the box.
    ///
    /// # Panics
    /// If the box extends beyond the picture.
    #[must_use]
    pub fn cropped<S: Copy>(&self, image: &Raster<S>) -> Raster<S> {
        let channels = image.channels().count();
        let columns = self.left * channels..self.right * channels;
        let samples = (self.top..self.bottom).flat_map(|row| image.row(row)[columns.clone()].iter().copied());
        Raster::new(self.width(), self.height(), image.channels(), samples.collect())
    }

    /// The part of a mask inside the box.
    ///
    /// # Panics
    /// If the box extends beyond the mask.
    #[must_use]
    pub fn cropped_mask(&self, mask: &Mask) -> Mask {
        let row = |row: usize| &mask.pixels()[row * mask.width()..][self.left..self.right];
        let inside = (self.top..self.bottom).flat_map(row).copied().collect();
        Mask::new(self.width(), self.height(), inside)
    }

    /// A mask of a whole picture of `width` × `height` pixels from the part inside the box; nothing outside belongs to it.
    pub(super) fn uncropped_mask(&self, part: &Mask, width: usize, height: usize) -> Mask {
        let mut inside = vec![false; width * height];
        for (row, pixels) in (self.top..self.bottom).zip(part.pixels().chunks_exact(part.width())) {
            inside[row * width..][self.left..self.right].copy_from_slice(pixels);
        }
        Mask::new(width, height, inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    #[test]
    fn the_box_around_a_mask_crops_and_restores_it() {
        let mask = Mask::new(5, 4, (0..20).map(|at| [7, 8, 13].contains(&at)).collect());
        let around = PixelBox::around(&mask).unwrap();
        assert_eq!(around, PixelBox { left: 2, top: 1, right: 4, bottom: 3 });
        let part = around.cropped_mask(&mask);
        assert_eq!(part, Mask::new(2, 2, vec![true, true, false, true]));
        assert_eq!(around.uncropped_mask(&part, 5, 4), mask);
        let colour = Raster::new(5, 4, Channels::Rgb, (0..60_u8).collect());
        assert_eq!(around.cropped(&colour).samples(), [21, 22, 23, 24, 25, 26, 36, 37, 38, 39, 40, 41]);
        assert_eq!(PixelBox::around(&Mask::new(2, 2, vec![false; 4])), None);
    }
}
