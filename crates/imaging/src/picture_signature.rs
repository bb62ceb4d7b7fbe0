//! The fine structure of a picture in a thousand numbers: alike for copies that were compressed or scaled again, unlike for
//! any two pictures that were taken apart.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde::{Deserialize, Serialize};

use super::raster::Raster;

/// Cells a side, of pictures that have so many pixels.
const GRID: usize = 32;
/// The finest cell, in pixels: of one pixel the noise would be compared.
const MIN_CELL: usize = 2;
/// Grey levels to either side of the neighbourhood's mean from which on all count the same: else the breast's outline, in
/// which many pictures agree, would outweigh the tissue.
const CLIP: f32 = 4.0;
/// Units of a grey level.
const UNITS: f32 = 30.0;
/// Mean square, in squared units, below which there is no structure to compare.
const MIN_STRUCTURE: f32 = 20.0;

/// The likeness from which on two pictures are copies of one.
///
/// Measured over all pairs, mirrored or not: two films, mammograms or phantoms that were taken apart reach 0.33, 0.28 and
/// 0.72 at most (44 films, 8 mammograms, 300 phantoms of 512 pixels); copies compressed again by JPEG in quality 25 to 90,
/// or in half their size, have 0.88 at least, and 0.95 in quality 50 and more.
pub const COPY: f64 = 0.85;

/// The fine structure of a picture. In files the units in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PictureSignature {
    grid: usize,
    units: Vec<i8>,
    /// Sum of the squares.
    square: i64,
}

impl PictureSignature {
    /// That of a picture; `None` where nothing is to be seen in it.
    #[must_use]
    pub fn of(picture: &Raster<u8>) -> Option<Self> {
        let grid = GRID.min(picture.width().min(picture.height()) / MIN_CELL);
        if grid < 3 {
            return None;
        }
        let cells = cell_means(picture, grid);
        let mut units = Vec::with_capacity(grid * grid);
        for row in 0..grid {
            for column in 0..grid {
                let detail = cells[row * grid + column] - mean_around(&cells, grid, row, column);
                units.push((detail.clamp(-CLIP, CLIP) * UNITS).round() as i8);
            }
        }
        let signature = Self::new(grid, units);
        let enough = (grid * grid) as f32 * MIN_STRUCTURE;
        (signature.square as f32 >= enough).then_some(signature)
    }

    fn new(grid: usize, units: Vec<i8>) -> Self {
        let square = units.iter().map(|&unit| i64::from(unit).pow(2)).sum();
        Self { grid, units, square }
    }

    /// That of the picture seen in a mirror.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let rows = self.units.chunks_exact(self.grid);
        Self { units: rows.flat_map(|row| row.iter().rev().copied()).collect(), ..self.clone() }
    }

    /// How alike two are: 1 for the same, about 0 for any two. 0 where their sizes differ.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        if self.grid != other.grid {
            return 0.0;
        }
        let product: i32 =
            self.units.iter().zip(&other.units).map(|(&one, &two)| i32::from(one) * i32::from(two)).sum();
        f64::from(product) / (self.square as f64 * other.square as f64).sqrt()
    }
}

impl From<PictureSignature> for String {
    fn from(signature: PictureSignature) -> Self {
        STANDARD.encode(signature.units.iter().map(|unit| unit.cast_unsigned()).collect::<Vec<u8>>())
    }
}

/// A text that is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the signature of a picture")]
pub struct NotASignature;

impl TryFrom<String> for PictureSignature {
    type Error = NotASignature;

    fn try_from(text: String) -> Result<Self, NotASignature> {
        let units = STANDARD.decode(text).map_err(|_| NotASignature)?;
        let grid = units.len().isqrt();
        let signature = Self::new(grid, units.into_iter().map(u8::cast_signed).collect());
        if grid * grid == signature.units.len() && signature.square > 0 { Ok(signature) } else { Err(NotASignature) }
    }
}

/// Mean grey of every cell, row by row; a pixel counts where its centre lies.
fn cell_means(picture: &Raster<u8>, grid: usize) -> Vec<f32> {
    let (width, height, channels) = (picture.width(), picture.height(), picture.channels().count());
    let cell = |at: usize, side: usize| (2 * at + 1) * grid / (2 * side);
    let columns: Vec<usize> = (0..width).map(|column| cell(column, width)).collect();
    let (mut sums, mut counts) = (vec![0_u64; grid * grid], vec![0_u64; grid * grid]);
    for row in 0..height {
        let first = cell(row, height) * grid;
        for (pixel, column) in picture.row(row).chunks_exact(channels).zip(&columns) {
            sums[first + column] += pixel.iter().map(|&level| u64::from(level)).sum::<u64>();
            counts[first + column] += channels as u64;
        }
    }
    sums.iter().zip(&counts).map(|(&sum, &count)| sum as f32 / count.max(1) as f32).collect()
}

/// Mean of a cell and those around it; at the edge the outermost ones count again.
fn mean_around(cells: &[f32], grid: usize, row: usize, column: usize) -> f32 {
    let around = |at: usize| [at.saturating_sub(1), at, (at + 1).min(grid - 1)];
    let sum: f32 = around(row).iter().flat_map(|&row| around(column).map(|column| cells[row * grid + column])).sum();
    sum / 9.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Channels;

    const SIDE: usize = 96;

    /// Smooth light with a texture of its own: a hash of the place, in blocks of three pixels.
    fn picture(seed: u32) -> Raster<u8> {
        let grain = |at: usize| {
            let place = (at / SIDE / 3 * 1000 + at % SIDE / 3) as u32;
            place.wrapping_add(seed).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519) >> 27
        };
        let samples = (0..SIDE * SIDE).map(|at| ((at / SIDE) as u32 + 60 + grain(at)) as u8).collect();
        Raster::new(SIDE, SIDE, Channels::Grey, samples)
    }

    fn signature(picture: &Raster<u8>) -> PictureSignature {
        PictureSignature::of(picture).unwrap()
    }

    #[test]
    fn a_copy_is_alike_and_another_picture_is_not() {
        let original = signature(&picture(1));
        assert!((original.likeness(&original) - 1.0).abs() < 1e-9);
        assert!(original.likeness(&signature(&picture(2))).abs() < 0.3);
        let rough = picture(1).samples().iter().enumerate().map(|(at, level)| level + [0, 3][at % 7 / 4]).collect();
        let rough = signature(&Raster::new(SIDE, SIDE, Channels::Grey, rough));
        assert!(original.likeness(&rough) > COPY);
    }

    #[test]
    fn a_mirrored_copy_is_alike_in_the_mirror_only() {
        let upright = picture(1);
        let mirrored = upright.samples().chunks_exact(SIDE).flat_map(|row| row.iter().rev().copied()).collect();
        let mirrored = signature(&Raster::new(SIDE, SIDE, Channels::Grey, mirrored));
        let upright = signature(&upright);
        assert!(upright.likeness(&mirrored) < 0.3);
        assert_eq!(upright.mirrored(), mirrored);
    }

    #[test]
    fn colours_of_one_level_are_grey_and_a_flat_picture_has_no_structure() {
        let rgb = picture(1).samples().iter().flat_map(|&level| [level; 3]).collect();
        assert_eq!(signature(&Raster::new(SIDE, SIDE, Channels::Rgb, rgb)), signature(&picture(1)));
        assert_eq!(PictureSignature::of(&Raster::new(64, 64, Channels::Grey, vec![7; 64 * 64])), None);
        assert_eq!(PictureSignature::of(&Raster::new(2, 2, Channels::Grey, vec![1, 2, 3, 4])), None);
    }

    #[test]
    fn files_hold_it_as_text() {
        let signature = signature(&picture(3));
        let text = serde_json::to_string(&signature).unwrap();
        assert_eq!(serde_json::from_str::<PictureSignature>(&text).unwrap(), signature);
        for wrong in ["", "AAAA", "a", "AQID"] {
            assert_eq!(PictureSignature::try_from(wrong.to_owned()), Err(NotASignature), "{wrong}");
        }
    }
}
