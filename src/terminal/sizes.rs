//! Sizes in a terminal: in character cells and in pixels.

use image::{DynamicImage, GenericImage as _, RgbaImage};

/// A size in character cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

/// A size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Cells {
    /// The size in pixels of this many cells.
    pub(crate) fn pixels(self, cell: Pixels) -> Pixels {
        Pixels { width: u32::from(self.columns) * cell.width, height: u32::from(self.rows) * cell.height }
    }
}

impl From<(u16, u16)> for Cells {
    fn from((columns, rows): (u16, u16)) -> Self {
        Self { columns, rows }
    }
}

impl From<(u32, u32)> for Pixels {
    fn from((width, height): (u32, u32)) -> Self {
        Self { width, height }
    }
}

/// Pads the picture to whole cells, so that kitty does not stretch it; the terminal's background shows in the padding.
pub(crate) fn padded(picture: &DynamicImage, Pixels { width, height }: Pixels) -> DynamicImage {
    let mut whole = RgbaImage::new(width, height);
    whole.copy_from(&picture.to_rgba8(), 0, 0).expect("a picture is not larger than its cells");
    whole.into()
}
