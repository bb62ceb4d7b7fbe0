//! An explained image as a picture for the terminal: the stored image with the map and the outlines over it, all at the
//! size of the picture.

use std::sync::Arc;

use image::{DynamicImage, GrayImage, RgbImage};

use crate::analysis::explanation_files::MapPainting;
use crate::terminal::sizes::Pixels;
use crate::tui::protocol::explain::MappedImage;
use crate::tui::protocol::framing::{FramedPart, Share};
use mammoscope_imaging::decode::Samples;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines, draw_explanation};
use mammoscope_imaging::intensity_window::{GreyStatistics, WindowChoice};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_imaging::picture_regions::PictureRegions;
use mammoscope_imaging::raster::{Channels, Raster};

/// An explained image and how it is drawn.
#[derive(Clone, Debug)]
pub(in crate::tui) struct PaintedExplanation {
    pub(in crate::tui) mapped: Arc<MappedImage>,
    pub(in crate::tui) drawing: ExplanationDrawing,
    pub(in crate::tui) painting: MapPainting,
    pub(in crate::tui) outlines: Outlines,
    /// True to draw each position of the map as a cell of one colour; false to interpolate between the positions.
    pub(in crate::tui) cells: bool,
}

/// Images are compared by identity.
impl PartialEq for PaintedExplanation {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.mapped, &other.mapped)
            && (self.drawing, self.painting, self.outlines, self.cells)
                == (other.drawing, other.painting, other.outlines, other.cells)
    }
}

impl PaintedExplanation {
    /// The size of the stored image.
    pub(in crate::tui) fn size(&self) -> Pixels {
        let (width, height) = self.mapped.image.examined.stored_size;
        Pixels { width: width.max(1) as u32, height: height.max(1) as u32 }
    }

    /// The map value that is drawn in full colour.
    pub(in crate::tui) fn full(&self) -> f32 {
        match self.painting.scale {
            MapScale::PerImage => MapScale::largest(self.source()).unwrap_or(0.0),
            MapScale::Fixed(full) => full,
        }
    }

    /// The values that are drawn: those of the positions, or interpolated ones.
    fn source(&self) -> &Raster<f32> {
        if self.cells { &self.mapped.image.positions } else { &self.mapped.image.map }
    }

    /// Draws the map over a grey picture of this part of the image.
    pub(in crate::tui) fn drawn(&self, picture: GrayImage, part: &FramedPart) -> DynamicImage {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let picture = Raster::new(width, height, Channels::Grey, picture.into_raw());
        let sampling = Sampling::new(part, width, height);
        let values = if self.cells { sampling.nearest(self.source()) } else { sampling.bilinear(self.source()) };
        let shares = MapScale::Fixed(self.full()).shares(&values);
        let regions = (self.outlines != Outlines::None)
            .then(|| self.mapped.image.examined.regions.as_ref().map(|regions| sampling.regions(regions)))
            .flatten();
        let MapPainting { colors, opacity, .. } = self.painting;
        picture_of(draw_explanation(&picture, &shares, regions.as_ref(), self.drawing, colors, opacity, self.outlines))
    }

    /// The picture that the network saw, at its resolution, where the file can no longer be read.
    pub(in crate::tui) fn seen_by_the_network(&self, window: WindowChoice, part: &FramedPart) -> GrayImage {
        let seen = &self.mapped.image.examined.picture;
        let window = window.window(&GreyStatistics::of(&Samples::Depth8(seen.clone())));
        let Pixels { width, height } = part.picture;
        let sampled = Sampling::new(part, width as usize, height as usize).bilinear(&seen.map(f32::from));
        let levels = sampled.samples().iter().map(|&grey| window.level(grey.round() as u16)).collect();
        GrayImage::from_raw(width, height, levels).expect("as many samples as pixels")
    }
}

fn picture_of(drawn: Raster<u8>) -> DynamicImage {
    let sound = "a raster holds as many samples as its size says";
    let (width, height) = (drawn.width() as u32, drawn.height() as u32);
    match drawn.channels() {
        Channels::Grey => GrayImage::from_raw(width, height, drawn.into_samples()).expect(sound).into(),
        Channels::Rgb => RgbImage::from_raw(width, height, drawn.into_samples()).expect(sound).into(),
    }
}

/// The positions in an image, as shares of its sides, at the middles of a picture's columns and rows.
struct Sampling {
    columns: Vec<f64>,
    rows: Vec<f64>,
}

impl Sampling {
    fn new(part: &FramedPart, width: usize, height: usize) -> Self {
        let middle = |at: usize, count: usize| (at as f64 + 0.5) / count as f64;
        let turned = |x: f64| if part.is_flipped { 1.0 - x } else { x };
        let across = |at| turned(part.position(Share { x: middle(at, width), y: 0.0 }).x);
        let down = |at| part.position(Share { x: 0.0, y: middle(at, height) }).y;
        Self { columns: (0..width).map(across).collect(), rows: (0..height).map(down).collect() }
    }

    /// The index of the cell of `count` that holds each position.
    fn cells(positions: &[f64], count: usize) -> Vec<usize> {
        positions.iter().map(|share| ((share * count as f64) as usize).min(count - 1)).collect()
    }

    fn nearest(&self, map: &Raster<f32>) -> Raster<f32> {
        let columns = Self::cells(&self.columns, map.width());
        let rows = Self::cells(&self.rows, map.height());
        let values = rows.iter().flat_map(|&row| columns.iter().map(move |&column| map.row(row)[column])).collect();
        Raster::new(self.columns.len(), self.rows.len(), Channels::Grey, values)
    }

    /// Interpolated between the middles of the map's pixels, clamped at the edges.
    fn bilinear(&self, map: &Raster<f32>) -> Raster<f32> {
        let between = |shares: &[f64], count: usize| -> Vec<(usize, usize, f32)> {
            shares
                .iter()
                .map(|share| {
                    let at = (share * count as f64 - 0.5).clamp(0.0, (count - 1) as f64);
                    let first = at as usize;
                    (first, (first + 1).min(count - 1), (at - first as f64) as f32)
                })
                .collect()
        };
        let columns = between(&self.columns, map.width());
        let mut values = Vec::with_capacity(self.columns.len() * self.rows.len());
        for (above, below, down) in between(&self.rows, map.height()) {
            let (above, below) = (map.row(above), map.row(below));
            // A neighbour of weight zero must not contribute: it may not be finite.
            let mixed = |one: f32, other: f32, weight: f32| {
                if weight > 0.0 { one * (1.0 - weight) + other * weight } else { one }
            };
            values.extend(columns.iter().map(|&(left, right, across)| {
                mixed(mixed(above[left], above[right], across), mixed(below[left], below[right], across), down)
            }));
        }
        Raster::new(self.columns.len(), self.rows.len(), Channels::Grey, values)
    }

    fn mask(&self, mask: &Mask) -> Mask {
        let columns = Self::cells(&self.columns, mask.width());
        let rows = Self::cells(&self.rows, mask.height());
        let (pixels, width) = (mask.pixels(), mask.width());
        let inside =
            rows.iter().flat_map(|&row| columns.iter().map(move |&column| pixels[row * width + column])).collect();
        Mask::new(self.columns.len(), self.rows.len(), inside)
    }

    fn regions(&self, regions: &PictureRegions) -> PictureRegions {
        PictureRegions {
            breast: self.mask(&regions.breast),
            skin_band: self.mask(&regions.skin_band),
            pectoral: regions.pectoral.as_ref().map(|mask| self.mask(mask)),
            dense: regions.dense.as_ref().map(|mask| self.mask(mask)),
            dense_source: regions.dense_source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::sizes::Cells;

    fn part(left: u32, width: u32, is_flipped: bool) -> FramedPart {
        FramedPart {
            image: Pixels { width: 100, height: 100 },
            left,
            top: 0,
            part: Pixels { width, height: 100 },
            picture: Pixels { width: 4, height: 2 },
            cells: Cells { columns: 4, rows: 1 },
            is_flipped,
        }
    }

    fn map() -> Raster<f32> {
        Raster::new(2, 2, Channels::Grey, vec![0.0, 1.0, 2.0, 3.0])
    }

    #[test]
    fn cells_have_sharp_edges_and_interpolated_maps_do_not() {
        let whole = Sampling::new(&part(0, 100, false), 4, 2);
        assert_eq!(whole.nearest(&map()).samples(), &[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
        assert_eq!(whole.bilinear(&map()).samples(), &[0.0, 0.25, 0.75, 1.0, 2.0, 2.25, 2.75, 3.0]);
    }

    #[test]
    fn a_part_shows_its_part_of_the_map_and_a_mirrored_one_from_the_other_side() {
        let right_half = Sampling::new(&part(50, 50, false), 4, 2);
        assert_eq!(right_half.nearest(&map()).samples(), &[1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0]);
        let mirrored = Sampling::new(&part(0, 100, true), 4, 2);
        assert_eq!(mirrored.nearest(&map()).samples(), &[1.0, 1.0, 0.0, 0.0, 3.0, 3.0, 2.0, 2.0]);
        let mask = Mask::new(2, 1, vec![true, false]);
        assert_eq!(mirrored.mask(&mask).pixels(), &[false, false, true, true, false, false, true, true]);
    }
}
