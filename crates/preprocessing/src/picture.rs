//! Pictures on their way through the preparation: 8 bits for the analysis, and the bits of the output.

use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::PixelBox;
use mammoscope_imaging::raster::{Channels, Raster};

/// Bits per sample of the prepared images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputBits {
    Eight,
    Sixteen,
}

impl OutputBits {
    /// 8 or 16.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }
}

/// A grey picture at 8 bits, and at 16 if the output has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub grey: Raster<u8>,
    pub deep: Option<Raster<u16>>,
}

impl Picture {
    /// The picture with its columns in reverse order.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        self.each(
            |raster| rearranged(raster, |x, y, width, _| (width - 1 - x, y)),
            |raster| rearranged(raster, |x, y, width, _| (width - 1 - x, y)),
        )
    }

    /// The picture with its rows in reverse order.
    #[must_use]
    pub fn flipped(&self) -> Self {
        self.each(
            |raster| rearranged(raster, |x, y, _, height| (x, height - 1 - y)),
            |raster| rearranged(raster, |x, y, _, height| (x, height - 1 - y)),
        )
    }

    /// The part of the picture in a box.
    #[must_use]
    pub fn cropped(&self, part: PixelBox) -> Self {
        self.each(|raster| part.cropped(raster), |raster| part.cropped(raster))
    }

    fn each(&self, grey: impl Fn(&Raster<u8>) -> Raster<u8>, deep: impl Fn(&Raster<u16>) -> Raster<u16>) -> Self {
        Self { grey: grey(&self.grey), deep: self.deep.as_ref().map(deep) }
    }
}

/// The letter of a side, `L` or `R`.
#[must_use]
pub const fn letter(side: Side) -> char {
    match side {
        Side::Left => 'L',
        Side::Right => 'R',
    }
}

fn rearranged<S: Copy>(raster: &Raster<S>, from: impl Fn(usize, usize, usize, usize) -> (usize, usize)) -> Raster<S> {
    let (width, height) = (raster.width(), raster.height());
    let samples = (0..width * height).map(|at| {
        let (x, y) = from(at % width, at / width, width, height);
        raster.samples()[y * width + x]
    });
    Raster::new(width, height, Channels::Grey, samples.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture {
        let grey = Raster::new(3, 2, Channels::Grey, vec![1, 2, 3, 4, 5, 6]);
        let deep = Some(grey.map(|level| u16::from(level) * 257));
        Picture { grey, deep }
    }

    #[test]
    fn both_depths_are_mirrored_flipped_and_cropped_alike() {
        let part = PixelBox { left: 1, top: 0, right: 3, bottom: 1 };
        for (changed, expected) in [
            (picture().mirrored(), vec![3, 2, 1, 6, 5, 4]),
            (picture().flipped(), vec![4, 5, 6, 1, 2, 3]),
            (picture().cropped(part), vec![2, 3]),
        ] {
            assert_eq!(changed.grey.samples(), expected);
            assert_eq!(changed.deep.unwrap().map(|sample| (sample / 257) as u8), changed.grey);
        }
        assert_eq!(picture().mirrored().mirrored(), picture());
    }
}
