//! Binary masks and their morphology.

use super::components::{Components, Connected};

/// A set of pixels of a picture of `height` × `width`, stored row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    inside: Vec<bool>,
}

/// A [`Mask`] in an eighth of its memory, for caches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedMask {
    width: usize,
    height: usize,
    /// One bit per pixel, the first one in the lowest bit.
    bits: Vec<u8>,
}

impl PackedMask {
    #[must_use]
    pub fn unpacked(&self) -> Mask {
        let pixels = self.bits.iter().flat_map(|bits| (0..8).map(move |bit| bits >> bit & 1 == 1));
        Mask::new(self.width, self.height, pixels.take(self.width * self.height).collect())
    }
}

impl Mask {
    /// A mask of `height` × `width` pixels.
    ///
    /// # Panics
    /// If a side is zero or the number of pixels does not match.
    #[must_use]
    pub fn new(width: usize, height: usize, inside: Vec<bool>) -> Self {
        assert!(width > 0 && height > 0, "a picture has pixels");
        assert_eq!(inside.len(), width * height, "pixels of {width} × {height}");
        Self { width, height, inside }
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels row by row; true if a pixel belongs to the mask.
    #[must_use]
    pub fn pixels(&self) -> &[bool] {
        &self.inside
    }

    #[must_use]
    pub fn packed(&self) -> PackedMask {
        let byte = |pixels: &[bool]| pixels.iter().rev().fold(0, |bits, &inside| bits << 1 | u8::from(inside));
        PackedMask { width: self.width, height: self.height, bits: self.inside.chunks(8).map(byte).collect() }
    }

    /// The number of pixels in the mask.
    #[must_use]
    pub fn area(&self) -> usize {
        self.inside.iter().filter(|&&inside| inside).count()
    }

    /// Erosion: the pixels whose neighbours within `radius` rows and columns all belong to the mask. The mask counts as
    /// continuing beyond the picture's edge, so that a breast is not eroded at the chest wall.
    #[must_use]
    pub fn eroded(&self, radius: usize) -> Self {
        let mut along_rows = Vec::with_capacity(self.inside.len());
        for row in self.inside.chunks_exact(self.width) {
            let mut missing = row.iter().take(radius).filter(|&&inside| !inside).count();
            for column in 0..self.width {
                missing += usize::from(row.get(column + radius).is_some_and(|&inside| !inside));
                along_rows.push(missing == 0);
                missing -= usize::from(column.checked_sub(radius).is_some_and(|leaving| !row[leaving]));
            }
        }
        let row = |index: usize| &along_rows[index * self.width..(index + 1) * self.width];
        // The same along the columns, a whole row at a time for sequential memory access.
        let mut missing = vec![0_u32; self.width];
        let count = |index: usize, by: fn(u32, bool) -> u32, missing: &mut [u32]| {
            for (missing, &inside) in missing.iter_mut().zip(row(index)) {
                *missing = by(*missing, !inside);
            }
        };
        for index in 0..radius.min(self.height) {
            count(index, |missing, out| missing + u32::from(out), &mut missing);
        }
        let mut inside = Vec::with_capacity(self.inside.len());
        for index in 0..self.height {
            if index + radius < self.height {
                count(index + radius, |missing, out| missing + u32::from(out), &mut missing);
            }
            inside.extend(missing.iter().map(|&missing| missing == 0));
            if let Some(leaving) = index.checked_sub(radius) {
                count(leaving, |missing, out| missing - u32::from(out), &mut missing);
            }
        }
        Self { inside, ..*self }
    }

    /// Dilation: the pixels with a pixel of the mask within `radius` rows and columns.
    #[must_use]
    pub fn dilated(&self, radius: usize) -> Self {
        self.inverted().eroded(radius).inverted()
    }

    /// Opening: removes all parts narrower than `2·radius + 1` pixels.
    #[must_use]
    pub fn opened(&self, radius: usize) -> Self {
        self.eroded(radius).dilated(radius)
    }

    #[must_use]
    pub fn inverted(&self) -> Self {
        Self { inside: self.inside.iter().map(|inside| !inside).collect(), ..*self }
    }

    /// The pixels that are not in the other mask.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        assert_eq!((self.width, self.height), (other.width, other.height), "masks have the same size");
        let inside = self.inside.iter().zip(&other.inside).map(|(&inside, &other)| inside && !other).collect();
        Self { inside, ..*self }
    }

    /// The largest 4-connected component, the first of several. An empty mask stays empty.
    #[must_use]
    pub fn largest_component(&self) -> Self {
        let components = Components::of(self);
        match components.largest() {
            Some(largest) => self.picked(&components, |component| component.first == largest.first),
            None => self.clone(),
        }
    }

    /// Fills all holes: components of the background that do not touch the picture's edge.
    #[must_use]
    pub fn holes_filled(&self) -> Self {
        let outside = self.inverted();
        outside.picked(&Components::of(&outside), |component| component.at_edge).inverted()
    }

    fn picked(&self, components: &Components, pick: impl Fn(Connected) -> bool) -> Self {
        let mut inside = vec![false; self.inside.len()];
        for (pixels, component) in components.runs() {
            if pick(component) {
                inside[pixels].fill(true);
            }
        }
        Self { inside, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A mask from a drawing; `#` belongs to it.
    fn drawn(rows: &[&str]) -> Mask {
        Mask::new(rows[0].len(), rows.len(), rows.concat().chars().map(|pixel| pixel == '#').collect())
    }

    #[test]
    fn erosion_spares_the_edge_of_the_picture_and_dilation_restores_the_rest() {
        let mask = drawn(&["###..", "###..", "####.", "###.."]);
        assert_eq!(mask.eroded(1), drawn(&["##...", "##...", "##...", "##..."]));
        assert_eq!(mask.opened(1), drawn(&["###..", "###..", "###..", "###.."]));
        assert_eq!(mask.eroded(0), mask);
        assert_eq!(mask.eroded(9).area(), 0);
    }

    #[test]
    fn the_largest_component_is_kept_and_its_holes_are_filled() {
        let mask = drawn(&["##.###", "...#.#", "#..###", "......"]);
        let largest = mask.largest_component();
        assert_eq!(largest, drawn(&["...###", "...#.#", "...###", "......"]));
        assert_eq!(largest.holes_filled(), drawn(&["...###", "...###", "...###", "......"]));
        // Open to the edge of the picture: a bay, not a hole.
        let bay = drawn(&["#.#", "#.#", "###"]);
        assert_eq!(bay.holes_filled(), bay);
        // Corners do not connect.
        assert_eq!(drawn(&["#..", ".##"]).largest_component(), drawn(&["...", ".##"]));
        assert_eq!(drawn(&["...", "..."]).largest_component().area(), 0);
    }

    /// Erosion by its definition.
    fn eroded_slowly(mask: &Mask, radius: usize) -> Vec<bool> {
        let (width, height) = (mask.width(), mask.height());
        let around = |at: usize, length: usize| at.saturating_sub(radius)..(at + radius + 1).min(length);
        (0..width * height)
            .map(|at| {
                around(at / width, height).all(|y| around(at % width, width).all(|x| mask.pixels()[y * width + x]))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn erosion_matches_its_definition(width in 1_usize..12, height in 1_usize..12, radius in 0_usize..5, seed in prop::collection::vec(0_u8..8, 144)) {
            let mask = Mask::new(width, height, seed[..width * height].iter().map(|&value| value > 0).collect());
            let (eroded, slowly) = (mask.eroded(radius), eroded_slowly(&mask, radius));
            prop_assert_eq!(eroded.pixels(), slowly.as_slice());
            prop_assert!(mask.opened(radius).pixels().iter().zip(mask.pixels()).all(|(opened, inside)| opened <= inside));
        }
    }
}
